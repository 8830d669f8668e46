"""The fixtures and checks of every test."""

import functools
import gc
import inspect
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import trustme
from support import leaks, servers

if TYPE_CHECKING:
    from support.flavours import Flavour

hypothesis.settings.register_profile("thin", deadline=None, derandomize=True, max_examples=25)
hypothesis.settings.register_profile("slow", deadline=None, derandomize=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run what takes long, too")
    parser.addoption(
        "--every-flavour",
        action="store_true",
        help="run each test as sync, asyncio and trio, not as one of them",
    )
    parser.addoption(
        "--both-shells",
        action="store_true",
        help="run each test as sync, and as one of the other two; so does --slow",
    )
    parser.addoption("--library", choices=["httpx", "httpx2"], help="run on this one of the two")


def pytest_configure(config: pytest.Config) -> None:
    # The proxies of the machine that runs the tests are not the tests' business.
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD":
            del os.environ[name]
    if config.getoption("library"):
        # Before any test is imported; support.library reads it.
        os.environ["TRANSPORTKIT_TESTS_LIBRARY"] = config.getoption("library")
    hypothesis.settings.load_profile("slow" if config.getoption("slow") else "thin")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """All cores for the whole suite; no workers to wait for where paths are given."""
    return None if config.args == config.getini("testpaths") else 0


@pytest.hookimpl(trylast=True)  # what -k and -m left
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Whoever names a test gets all of it.
    if any("::" in argument for argument in config.args):
        return
    quick = [item for item in items if not item.get_closest_marker("slow")]
    slow = [item for item in items if item.get_closest_marker("slow")]
    if not config.getoption("slow"):
        slow = []
    if config.getoption("every_flavour"):
        kept = {*slow, *quick}
    else:
        is_both = config.getoption("slow") or config.getoption("both_shells")
        # On the two libraries they take other turns.
        kept = set(_by_turns([*quick, *slow], is_both, config.getoption("library") == "httpx2"))
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    # What takes long comes first: none of the workers is left with it in the end.
    items[:] = [item for item in (*slow, *quick) if item in kept]


def _by_turns(items: list[pytest.Item], is_both: bool, start: int) -> Iterator[pytest.Item]:
    """One of the items that differ in their flavour alone, or a sync and an async one of them."""
    tests: dict[str, dict[tuple[int, ...], list[pytest.Item]]] = {}
    for item in items:
        # By what they are: pytest's numbers differ where the flavour is not the last of them.
        values = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        is_apart = values.pop("flavour", None) == "sync" and is_both
        rows = tests.setdefault(item.nodeid.partition("[")[0], {})
        rows.setdefault((is_apart, *map(id, values.values())), []).append(item)
    for test, rows in tests.items():
        first = start + zlib.crc32(test.encode())
        for number, alike in enumerate(rows.values()):
            # One turn in four is left out, for those who have three of something themselves.
            yield alike[(first + number + number // 3) % len(alike)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    # What is imported and collected stays: nobody need look through it, neither meanwhile ...
    gc.disable()


def pytest_collection_finish() -> None:
    # ... nor each time that a test collects garbage.
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    arguments["flavour"].run(functools.partial(pyfuncitem.obj, **arguments))
    return True


@pytest.fixture(autouse=True)
def nothing_left(_servers: None) -> Iterator[None]:
    """After each test no connection, descriptor or thread is left."""
    before = leaks.held()
    yield
    left = leaks.left_since(before)
    assert not left, f"left behind: {sorted(left)}"


@pytest.fixture(params=["sync", "asyncio", "trio"])
def flavour(request: pytest.FixtureRequest) -> "Flavour":
    # It imports the library that was chosen.
    from support.flavours import Flavour

    return Flavour(request.param)


@pytest.fixture(scope="session")
def _servers(request: pytest.FixtureRequest) -> None:
    """Start the servers of the session before the first test looks at what is held."""
    # Not arguments, which each test would look up again.
    for name in ("origin", "proxy", "locked_proxy"):
        request.getfixturevalue(name)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with `ca.pem`, which every client of the session trusts, and `server.pem`."""
    directory = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    server = ca.issue_cert("127.0.0.1", "::1", "localhost")
    server.private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SSL_CERT_FILE", str(directory / "ca.pem"))
        yield directory


@pytest.fixture(scope="session")
def origin(
    certificates: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Origin]:
    directory = tmp_path_factory.mktemp("origin")
    with servers.origin(certificates / "server.pem", directory) as running:
        yield running


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Proxy]:
    with servers.proxy(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture(scope="session")
def locked_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Proxy]:
    """A proxy that asks for a user name and a password; its URL has them."""
    directory = tmp_path_factory.mktemp("locked-proxy")
    with servers.proxy(directory, credentials="scott:tiger") as running:
        yield running
