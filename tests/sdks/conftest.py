"""SDKs that take a client, with a stack of transports in it: `nox -s sdks` installs and runs them.

What an SDK is given is a client of the library that it uses, with `RetryTransport` over `Mounts`. A
new version that has moved to the other library fails here: its tests then import that one.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    # Only who names this folder has the SDKs.
    named = (Path(argument.partition("::")[0]).resolve() for argument in config.args)
    return None if any(path.is_relative_to(HERE) for path in named) else True


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The event loops, for `anyio.run`.

    Not for streams: the SDKs leave generators of their own unfinished, and trio warns about each.
    """
    loop: str = request.param
    return loop
