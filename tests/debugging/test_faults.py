"""Nobody is harmed by being watched: whatever fails on our side, the request is as it would be."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support import har
from support.faulty import answer, faulty_origin, half_a_chunk, reset_after_request
from support.flavours import Flavour
from support.library import httpx
from support.matrices import named, thinned
from support.transportkit import ConsoleLog, CurlLog, Exchange, HARRecorder, RetryPolicy

from transportkit.debugging import backlog, har_entry
from transportkit.debugging import har as har_module
from transportkit.debugging.har_file import HARFile

Observer = Callable[[Exchange], object]

AT_ONCE = RetryPolicy(wait=lambda state: 0)


class QuotaError(httpx.TransportError):
    """Takes no text, but something else."""

    def __init__(self, account: object) -> None:
        super().__init__(f"no quota left for {type(account).__name__}")


class Mute(httpx.TransportError):
    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


def in_a_cycle() -> Exception:
    one, other = httpx.ReadError(""), OSError()
    one.__cause__, other.__cause__ = other, one
    return one


ERRORS: dict[str, Callable[[], Exception]] = {
    "of other arguments": lambda: QuotaError(object()),
    "mute": lambda: Mute("tiger"),
    "cycle": in_a_cycle,
    "no error of the library": lambda: KeyError(("tiger",)),
}


class Failing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Raises errors one after the other, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.errors:
            raise self.errors.pop(0)
        return httpx.Response(200, text="fine")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def raising(exchange: Exchange) -> None:
    raise ValueError("token=tiger")


class Broken:
    def __str__(self) -> str:
        raise ZeroDivisionError

    __repr__ = __str__


def raising_something_broken(exchange: Exchange) -> None:
    raise ValueError(Broken())


def full(text: str) -> None:
    raise OSError(28, "No space left on device")


@contextmanager
def observing(observer: Observer) -> Iterator[Observer]:
    yield observer


@contextmanager
def recorded(directory: Path, *, failing: str = "") -> Iterator[Observer]:
    recorder = HARRecorder(directory / "x.har")
    if failing:
        (directory / "x.har").mkdir()
    try:
        yield recorder
    finally:
        with suppress(OSError):
            recorder.close()


OBSERVERS: dict[str, Callable[[Path], Any]] = {
    "raising": lambda path: observing(raising),
    "raising something broken": lambda path: observing(raising_something_broken),
    "console to a full disk": lambda path: observing(ConsoleLog(full, headers=True)),
    "curl to a full disk": lambda path: observing(CurlLog(full)),
    "console": lambda path: observing(ConsoleLog(len, headers=True)),
    "curl": lambda path: observing(CurlLog(len)),
    "recorder": recorded,
    "recorder that cannot write": lambda path: recorded(path, failing="har"),
}


def failing_filter(record: logging.LogRecord) -> bool:
    raise LookupError(record.name)


@pytest.fixture(params=[False, True], ids=["logs", "logs that fail"])
def logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """The program's logs, whose filter may fail."""
    handler = logging.NullHandler()
    handler.handle = handler.filter  # type: ignore[assignment] # as that of any other handler
    if request.param:
        handler.addFilter(failing_filter)
    logger = logging.getLogger("transportkit.debugging")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


async def outcome(flavour: Flavour, transport: Any, url: str) -> str:
    async with flavour.client(transport=transport) as client:
        try:
            response = await client.get(url)
        except Exception as error:  # noqa: BLE001 - whatever comes is compared
            return type(error).__name__
        return f"{response.status_code} {response.text}"


@pytest.mark.parametrize(
    ("error", "observer", "logs", "flavour"),
    thinned(named(ERRORS), named(OBSERVERS), [False, True], ["sync", "asyncio", "trio"]),
    indirect=["logs", "flavour"],
)
@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.usefixtures("logs")
async def test_errors_of_strangers_come_out_as_they_are(
    flavour: Flavour,
    error: Callable[[], Exception],
    observer: Callable[[Path], Any],
    retried: bool,
    tmp_path: Path,
) -> None:
    def stack() -> Any:
        failing = Failing(error())
        return flavour.RetryTransport(failing, AT_ONCE) if retried else failing

    with observer(tmp_path) as watching:
        watched = flavour.DebuggingTransport(stack(), watching, bodies=99)
        seen = await outcome(flavour, watched, "http://h/")
    assert seen == await outcome(flavour, stack(), "http://h/")


STEPS = {
    "answer": lambda: (answer(200, {"Content-Type": "text/plain"}, b"fine"),),
    "reset": lambda: (reset_after_request,),
    "half": lambda: (half_a_chunk(200),),
}


@pytest.mark.parametrize(
    ("steps", "observer", "logs", "flavour"),
    thinned(named(STEPS), named(OBSERVERS), [False, True], ["sync", "asyncio", "trio"], start=1),
    indirect=["logs", "flavour"],
)
@pytest.mark.usefixtures("logs")
async def test_what_happens_on_the_wire_comes_out_as_it_is(
    flavour: Flavour,
    steps: Callable[[], Any],
    observer: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    with observer(tmp_path) as watching, faulty_origin(*steps(), *steps()) as origin:
        watched = flavour.DebuggingTransport(None, watching, bodies=99)
        seen = await outcome(flavour, watched, origin.url)
        assert seen == await outcome(flavour, flavour.default_transport(), origin.url)


async def test_a_head_that_cannot_be_looked_at_is_given_as_it_is(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    strange = httpx.Response(200)
    strange.headers = None  # type: ignore[assignment] # it is strange
    transport = flavour.DebuggingTransport(
        httpx.MockTransport(lambda request: strange), lambda exchange: None
    )
    assert await flavour.send(transport, httpx.Request("GET", "http://h/")) is strange
    assert "AttributeError" in caplog.text


@pytest.mark.parametrize("error", named(ERRORS))
async def test_an_error_of_an_attempt_is_shown_by_its_name_and_text(
    flavour: Flavour, error: Callable[[], Exception]
) -> None:
    made = error()
    seen: list[Exchange] = []
    made = made if isinstance(made, httpx.TransportError) else httpx.ReadError("tiger")
    inner = flavour.RetryTransport(Failing(made), AT_ONCE)
    transport = flavour.DebuggingTransport(inner, seen.append)
    assert await outcome(flavour, transport, "http://h/") == "200 fine"
    (exchange,) = seen
    first, _ = exchange.attempts
    assert type(first.outcome).__name__ == type(made).__name__
    assert exchange.unmasked.attempts[0].outcome is made


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"all"

    async def __aiter__(self) -> Any:
        yield b"all"

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.close()


@pytest.mark.parametrize("status", [101, 200])
@pytest.mark.parametrize("at_start", [True, False])
async def test_an_interrupt_in_an_observer_is_one_of_the_request(
    flavour: Flavour, status: int, at_start: bool
) -> None:
    class Interrupted:
        def __call__(self, exchange: Exchange) -> None:
            raise KeyboardInterrupt

    observer: Any = Interrupted()
    if at_start:
        observer.started = observer
    stream = Stream()
    answered = httpx.MockTransport(lambda request: httpx.Response(status, stream=stream))
    transport = flavour.DebuggingTransport(answered, observer)
    request = httpx.Request("GET", "http://h/")

    async def read() -> None:
        async for _ in flavour.chunks(await flavour.send(transport, request)):
            pass

    with pytest.raises(KeyboardInterrupt):
        await read()
    if status == 101 and not at_start:
        # Nobody else could close it.
        assert stream.closed == 1


async def test_a_transport_may_tell_nonsense_to_the_trace(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    class Strange(Failing):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions["trace"]("http11.send_request_headers.started", None)
            return httpx.Response(200, extensions={"reason_phrase": b"", "network_stream": 1})

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"]("http11.send_request_headers.started", None)
            response = httpx.Response(200)
            response.extensions = None  # type: ignore[assignment] # it is strange
            return response

    transport = flavour.DebuggingTransport(Strange(), lambda exchange: None)
    response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
    assert response.status_code == 200
    assert "AttributeError" in caplog.text


@pytest.mark.parametrize("length", ["9" * 5000, "\u0663", "-1", "x"])
async def test_a_length_may_be_no_number(flavour: Flavour, length: str) -> None:
    seen: list[Exchange] = []
    stream = Stream()
    request = httpx.Request("POST", "http://h/", stream=stream)
    request.headers["Content-Length"] = length.encode().decode("latin-1")
    await flavour.send(flavour.DebuggingTransport(Failing(), seen.append), request)
    assert seen[0].status == 200


async def test_chunks_that_are_no_bytes_are_for_others_to_refuse(flavour: Flavour) -> None:
    class Text(Stream):
        def __iter__(self) -> Iterator[bytes]:
            yield 7  # type: ignore[misc]

        async def __aiter__(self) -> Any:
            yield 7

    answered = httpx.MockTransport(lambda request: httpx.Response(200, stream=Text()))
    transport = flavour.DebuggingTransport(answered, lambda exchange: None, bodies=9)
    response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
    assert [chunk async for chunk in _raw(flavour, response)] == [7]


async def _raw(flavour: Flavour, response: httpx.Response) -> Any:
    stream: Any = response.stream
    if flavour.is_async:
        async for chunk in stream:
            yield chunk
    else:
        for chunk in stream:
            yield chunk


class TestTheThreadOfARecorder:
    @pytest.mark.parametrize("where", ["line_of", "append", "finish"])
    def test_may_die(
        self,
        where: str,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Requests go on, one error is logged, and what was recorded is kept."""
        owner: Any = har_module if where == "line_of" else HARFile
        original, died = getattr(owner, where), threading.Event()

        def die_once(*arguments: Any) -> Any:
            if not died.is_set() and (where == "finish" or "/h/2" in str(arguments)):
                died.set()
                raise SystemExit
            return original(*arguments)

        monkeypatch.setattr(owner, where, die_once)
        monkeypatch.setattr(backlog, "_MAX_EXCHANGES", 2)
        path = tmp_path / "x.har"
        inner = httpx.MockTransport(lambda request: httpx.Response(200, text="fine"))
        recorder = HARRecorder(path)
        watched = Flavour("sync").DebuggingTransport(inner, recorder, bodies=100)
        for number in range(5):
            watched.handle_request(httpx.Request("GET", f"http://h/{number}"))
        recorder.close()
        assert died.is_set()
        assert recorder._backlog.bytes == 0
        (message,) = caplog.messages
        assert message.endswith("has lost its thread: SystemExit")
        assert caplog.records[0].levelno == logging.ERROR
        entries = [entry["request"]["url"][-1] for entry in har.read(path)]
        assert entries == [*"01234"] if where == "finish" else entries == [*"0134"]

    def test_leaves_what_is_waiting_to_the_one_who_closes(
        self,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        line_of, all_wait = har_entry.line_of, threading.Event()

        def die(exchange: Exchange) -> bytes:
            if threading.current_thread() is not threading.main_thread():
                all_wait.wait(60)
                raise SystemExit
            return line_of(exchange)

        monkeypatch.setattr(har_module, "line_of", die)
        inner = httpx.MockTransport(lambda request: httpx.Response(200))
        with HARRecorder(tmp_path / "x.har") as recorder:
            watched = Flavour("sync").DebuggingTransport(inner, recorder)
            for number in range(3):
                watched.handle_request(httpx.Request("GET", f"http://h/{number}"))
            all_wait.set()
        entries = [entry["request"]["url"][-1] for entry in har.read(tmp_path / "x.har")]
        assert entries == [*"12"]
        assert len(caplog.messages) == 1

    def test_may_not_start(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def start(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        inner = httpx.MockTransport(lambda request: httpx.Response(200))
        with HARRecorder(tmp_path / "x.har") as recorder:
            watched = Flavour("sync").DebuggingTransport(inner, recorder)
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", start)
                response = watched.handle_request(httpx.Request("GET", "http://h/1"))
                assert response.status_code == 200
            watched.handle_request(httpx.Request("GET", "http://h/2"))
        assert "can't start new thread" in caplog.text
        assert [entry["request"]["url"] for entry in har.read(tmp_path / "x.har")] == ["http://h/2"]

    def test_imports_nothing(self, tmp_path: Path) -> None:
        code = """
import sys, threading
import support.library
from support.library import httpx
from support.transportkit import DebuggingTransport, HARRecorder
class Finder:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread().name == "HARRecorder":
            print("imported late:", name)
kinds = ["application/json", "text/html", "application/x-www-form-urlencoded"]
def answer(request):
    kind = kinds[len(request.url.path) % 3]
    return httpx.Response(200, headers={"Content-Type": kind, "Set-Cookie": "a=b"}, content=b"{}")
with HARRecorder(sys.argv[1]) as recorder:
    transport = DebuggingTransport(httpx.MockTransport(answer), recorder, bodies=99)
    sys.meta_path.insert(0, Finder())
    for path in ("", "a", "ab"):
        files = {"a": ("b", b"c"), "token": ("d", b"e")}
        for given in ({"json": {"token": 1}}, {"data": {"a": "b"}}, {"files": files}):
            request = httpx.Request("POST", "http://h/" + path, **given)
            transport.handle_request(request)
"""
        tests = Path(har.__file__).parents[1]
        command = [sys.executable, "-c", code, str(tmp_path / "x.har")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])}
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60, env=environment
        )
        assert done.stdout == ""
        assert len(har.read(tmp_path / "x.har")) == 9
