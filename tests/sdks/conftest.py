"""SDKs that take a client, with a stack of transports in it: `nox -s sdks` installs and runs them.

What an SDK is given is a client of the library that it uses, with `RetryTransport` over `Mounts`. A
new version that has moved to the other library fails here: its tests then import that one.
"""

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The event loops, for `anyio.run`.

    Not for streams: the SDKs leave generators of their own unfinished, and trio warns about each.
    """
    loop: str = request.param
    return loop
