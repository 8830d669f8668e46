"""Letting go of responses that nobody will read, on real connections."""

import gc
import itertools
import os
import socket
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.raw import raw_server, read_head, respond, wait_for_end

from transportkit.wire import draining
from transportkit.wire.draining import DRAIN_BYTES, DRAIN_SECONDS

FOR_EVER = {"connect": None, "read": None, "write": None, "pool": None}
ERRORS = [httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError]
in_async = pytest.mark.parametrize("flavour", [Flavour(name) for name in NAMES[1:]], ids=NAMES[1:])


# A bound in time that no machine is slow enough to reach: it is not what ends a drain.
NO_HURRY = 60
# One so short that a test can wait for it.
A_MOMENT = 0.005
# By a monotonic clock.
NEVER = 1e9


class Server:
    """What each kind of answer is made of, and what became of its connections.

    Arguments:
        head: status line and headers of the first answer; all others are empty.
        pieces: its body, piece by piece.
        pause: seconds after each piece.
    """

    def __init__(self, head: str, pieces: Any = (), pause: float = 0) -> None:
        self.connections = 0
        self.left_alone = 0
        self.sent = 0
        self._head = head
        self._pieces = pieces
        self._pause = pause

    def talk(self, connection: socket.socket) -> None:
        self.connections += 1
        read_head(connection)
        if self.connections == 1:
            with suppress(OSError):  # The client may go whenever it likes.
                connection.sendall(f"HTTP/1.1 {self._head}\r\n\r\n".encode())
                for piece in self._pieces:
                    connection.sendall(piece)
                    self.sent += 1
                    time.sleep(self._pause)
        else:
            respond(connection, "200 OK")
        try:
            while True:
                read_head(connection)
                respond(connection, "200 OK")
        except OSError as error:
            # A client that keeps the connection runs into the server's own time limit.
            self.left_alone += isinstance(error, TimeoutError)


async def get(flavour: Flavour, transport: Any, url: str, method: str = "GET") -> Any:
    request = httpx.Request(method, url, extensions={"timeout": dict(FOR_EVER)})
    return await flavour.send(transport, request)


async def drain(flavour: Flavour, response: httpx.Response, seconds: float = NO_HURRY) -> None:
    await flavour.call(
        draining.async_drain if flavour.is_async else draining.drain, response, seconds
    )


async def connections_after_a_drain(
    flavour: Flavour, server: Server, method: str = "GET", seconds: float = NO_HURRY
) -> int:
    """How many connections there were when a next request was answered."""
    limits = httpx.Limits(max_connections=1)
    with raw_server(server.talk) as url:
        async with flavour.entered(flavour.HTTPTransport(limits=limits)) as transport:
            await drain(flavour, await get(flavour, transport, url, method), seconds)
            await drain(flavour, await get(flavour, transport, url))
    assert server.left_alone == 0
    return server.connections


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that fails, and keeps what was done with it.

    Arguments:
        error: what it raises after all pieces.
        at_close: what closing it raises.
        pieces: what it gives.
    """

    def __init__(
        self,
        error: BaseException | None = None,
        at_close: Exception | None = None,
        pieces: Iterable[bytes] = (b"abc",),
    ) -> None:
        self.calls: list[str] = []
        self._error = error
        self._at_close = at_close
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.calls.append("read")
            yield piece
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.calls.append("close")
        if self._at_close is not None:
            raise self._at_close

    async def aclose(self) -> None:
        self.close()


class TestDraining:
    @pytest.mark.parametrize(
        ("head", "pieces"),
        [
            ("503 No\r\nContent-Length: 0", []),
            ("503 No\r\nContent-Length: 3", [b"abc"]),
            (f"503 No\r\nContent-Length: {DRAIN_BYTES}", [b"x" * DRAIN_BYTES]),
            ("503 No\r\nTransfer-Encoding: chunked", [chunked(b"abc"), b"0\r\n\r\n"]),
            (
                "503 No\r\nTransfer-Encoding: chunked",
                [chunked(b"x" * DRAIN_BYTES), b"0\r\n\r\n"],
            ),
        ],
        ids=["empty", "small", "as long as allowed", "chunked", "chunked, as long as allowed"],
    )
    async def test_a_short_body_keeps_its_connection(
        self, flavour: Flavour, head: str, pieces: list[bytes]
    ) -> None:
        assert await connections_after_a_drain(flavour, Server(head, pieces)) == 1

    async def test_a_body_that_says_it_is_longer_and_does_not_come_ends_in_time(
        self, flavour: Flavour
    ) -> None:
        server = Server(f"503 No\r\nContent-Length: {DRAIN_BYTES + 1}")
        assert await connections_after_a_drain(flavour, server, seconds=A_MOMENT) == 2

    async def test_a_body_without_end_stops_at_its_bound(self, flavour: Flavour) -> None:
        for_ever = iter(lambda: chunked(b"x" * 1000), None)
        server = Server("503 No\r\nTransfer-Encoding: chunked", for_ever)
        # Trio says what was left suspended for the garbage collector.
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always")
            assert await connections_after_a_drain(flavour, server) == 2
            gc.collect()
        assert left == []
        assert server.sent > DRAIN_BYTES / 1000

    async def test_no_more_is_read_of_a_body_than_its_bound(self, flavour: Flavour) -> None:
        body = Body(pieces=[b"x" * 1000] * 1000)
        await drain(flavour, httpx.Response(503, stream=body))
        # In async, what lies in memory already may be used up.
        assert body.calls[-1] == "close"
        assert len(body.calls) <= 1 + (3 * 66 if flavour.is_async else 66)

    async def test_a_body_that_stalls_ends_in_time_though_its_timeout_is_none(
        self, flavour: Flavour
    ) -> None:
        server = Server("503 No\r\nContent-Length: 10", [b"abc"])
        assert await connections_after_a_drain(flavour, server, seconds=A_MOMENT) == 2

    async def test_a_body_that_drips_ends_in_time(self, flavour: Flavour) -> None:
        server = Server(f"503 No\r\nContent-Length: {DRAIN_BYTES}", [b"x"] * 5000, pause=0.001)
        assert await connections_after_a_drain(flavour, server, seconds=A_MOMENT) == 2
        assert server.sent < 5000

    async def test_a_body_that_drips_and_never_gives_a_chunk_ends_in_time(
        self, flavour: Flavour
    ) -> None:
        server = Server(
            "503 No\r\nTransfer-Encoding: chunked", [b"1;", *[b"x"] * 5000], pause=0.001
        )
        assert await connections_after_a_drain(flavour, server, seconds=A_MOMENT) == 2
        assert server.sent < 5000

    @pytest.mark.parametrize("rest", [b"", b"bcdef"], ids=["too short", "no chunk"])
    async def test_a_broken_body_raises_nothing(self, flavour: Flavour, rest: bytes) -> None:
        def talk(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na")
            if rest:
                connection.sendall(rest)
                wait_for_end(connection)

        with raw_server(talk) as url:
            async with flavour.entered(flavour.HTTPTransport()) as transport:
                response = await get(flavour, transport, url)
                await drain(flavour, response)
                assert response.is_closed
                assert transport._pool.connections == []

    async def test_the_answer_to_a_head_has_no_body_and_keeps_its_connection(
        self, flavour: Flavour
    ) -> None:
        server = Server(f"503 No\r\nContent-Length: {DRAIN_BYTES + 1}")
        assert await connections_after_a_drain(flavour, server, "HEAD") == 1


class TestAnyTransportsResponse:
    async def test_is_read_and_closed(self, flavour: Flavour) -> None:
        body = Body()
        await drain(flavour, httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    @pytest.mark.parametrize(("kind", "flavour"), thinned(ERRORS, NAMES), indirect=["flavour"])
    async def test_that_breaks_is_closed_and_raises_nothing(
        self, flavour: Flavour, kind: type[httpx.TransportError]
    ) -> None:
        body = Body(kind(""))
        await drain(flavour, httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    async def test_that_fails_in_another_way_is_closed_and_says_so(self, flavour: Flavour) -> None:
        body = Body(ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await drain(flavour, httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    @pytest.mark.parametrize(
        ("kind", "flavour"), thinned(ERRORS, NAMES, start=1), indirect=["flavour"]
    )
    async def test_that_breaks_while_closing_raises_nothing(
        self, flavour: Flavour, kind: type[httpx.TransportError]
    ) -> None:
        body = Body(at_close=kind(""))
        await drain(flavour, httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    @pytest.mark.parametrize("body", [{}, {"content": b"abc"}, {"json": 1}])
    async def test_that_is_closed_already_stays_as_it_is(
        self, flavour: Flavour, body: dict[str, Any]
    ) -> None:
        response = httpx.Response(503, **body)
        await drain(flavour, response)
        assert response.content == httpx.Response(503, **body).content

    async def test_of_the_other_kind_cannot_be_read_and_is_refused(self, flavour: Flavour) -> None:
        class Sync(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                raise AssertionError("read")

        class Async(httpx.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                raise AssertionError("read")
                yield b""

        stream = Sync() if flavour.is_async else Async()
        with pytest.raises(RuntimeError, match=r"^Attempted to call an? a?sync "):
            await drain(flavour, httpx.Response(503, stream=stream))

    @pytest.mark.parametrize(
        ("length", "flavour"),
        thinned(["-1", "abc", "1.5", "", "²"], NAMES),
        indirect=["flavour"],
    )
    async def test_with_a_length_that_makes_no_sense_is_read(
        self, flavour: Flavour, length: str
    ) -> None:
        body = Body()
        headers = [(b"Content-Length", length.encode())]
        await drain(flavour, httpx.Response(503, headers=headers, stream=body))
        assert body.calls == ["read", "close"]

    async def test_with_a_length_beyond_all_bounds_is_read_within_the_bound(
        self, flavour: Flavour
    ) -> None:
        body = Body()
        headers = {"Content-Length": "9" * 5000}
        await drain(flavour, httpx.Response(503, headers=headers, stream=body))
        assert body.calls == ["read", "close"]

    @in_async
    async def test_that_is_an_iterator_and_no_generator_is_read(self, flavour: Flavour) -> None:
        class Plain(Body):
            def __aiter__(self) -> AsyncIterator[bytes]:
                return self

            async def __anext__(self) -> bytes:
                self.calls.append("read")
                raise StopAsyncIteration

        body = Plain()
        await drain(flavour, httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    async def test_of_http2_is_read_whole_or_takes_its_connection_with_it(
        self, flavour: Flavour
    ) -> None:
        # What nobody reads of it gets no flow-control credit.
        retired: list[bool] = []
        extensions = {"http_version": b"HTTP/2", "retire": lambda: retired.append(True)}
        long, broken = Body(pieces=[b"x" * DRAIN_BYTES] * 4), Body(httpx.ReadError("broken"))
        await drain(flavour, httpx.Response(503, stream=long, extensions=extensions))
        assert long.calls == [*["read"] * 4, "close"]
        assert not retired
        await drain(flavour, httpx.Response(503, stream=broken, extensions=extensions))
        assert broken.calls == ["read", "close"]
        assert retired

    def test_is_read_no_longer_than_the_bound_however_quickly_each_piece_comes(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Async code is cancelled when the time is up; sync code has to look at the clock.
        clock = itertools.count(1000, DRAIN_SECONDS / 4)
        monkeypatch.setattr(draining, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        body = Body(pieces=[b"x"] * 100)
        draining.drain(httpx.Response(503, stream=body))
        assert 1 < len(body.calls) < 10
        assert body.calls[-1] == "close"


@in_async
async def test_cancelling_a_drain_closes_the_response(flavour: Flavour) -> None:
    server = Server("503 No\r\nContent-Length: 10", [b"abc"])
    with raw_server(server.talk) as url:
        async with flavour.entered(flavour.HTTPTransport()) as transport:
            response = await get(flavour, transport, url)
            with anyio.move_on_after(0.005) as scope:
                await drain(flavour, response)
            assert scope.cancelled_caught
            assert response.is_closed
            assert transport._pool.connections == []
    assert server.left_alone == 0


@in_async
async def test_a_drain_in_a_task_that_is_cancelled_already_closes_the_response(
    flavour: Flavour,
) -> None:
    server = Server("503 No\r\nContent-Length: 10", [b"abc"])
    with raw_server(server.talk) as url:
        async with flavour.entered(flavour.HTTPTransport()) as transport:
            response = await get(flavour, transport, url)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await drain(flavour, response)
            assert scope.cancelled_caught
            assert response.is_closed
            assert transport._pool.connections == []
    assert server.left_alone == 0


@in_async
async def test_a_cancelled_drain_waits_until_the_response_is_closed(flavour: Flavour) -> None:
    class Waiting(Body):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            self.calls.append("read")
            scope.cancel()
            await anyio.sleep_forever()
            yield b""

        async def aclose(self) -> None:
            self.calls.append("close")
            await anyio.lowlevel.checkpoint()
            self.calls.append("closed")

    body = Waiting()
    with anyio.CancelScope() as scope:
        await drain(flavour, httpx.Response(503, stream=body))
    assert scope.cancelled_caught
    assert body.calls == ["read", "close", "closed"]


def test_an_interrupted_drain_closes_the_response() -> None:
    body = Body(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        draining.drain(httpx.Response(503, stream=body))
    assert body.calls == ["read", "close"]


class TestTheWatchdog:
    """The thread that ends the drains whose time is over."""

    def test_leaves_alone_what_was_let_go(self) -> None:
        # The connection may be another request's by then.
        ours, peer = socket.socketpair()
        with ours, peer:
            stream = SimpleNamespace(get_extra_info=lambda name: ours)
            response, other = (
                httpx.Response(503, extensions={"network_stream": stream}) for _ in range(2)
            )
            watchdog = draining.Watchdog()
            watchdog.watch(response, NEVER)
            watchdog.watch(other, NEVER)
            watchdog.let_go(response)
            # It has woken for the other one, and looked at both.
            watchdog.watch(other, 0)
            peer.settimeout(10)
            assert peer.recv(1) == b""

    def test_starts_one_thread_for_all_and_ends_it_when_idle(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(draining, "DRAIN_SECONDS", A_MOMENT)
        watchdog = draining.Watchdog()
        watchdog.watch(httpx.Response(503), NEVER)
        thread = watchdog._thread
        assert thread is not None
        assert thread.daemon
        several = [httpx.Response(503) for _ in range(9)]
        for response in several:
            watchdog.watch(response, NEVER)
        assert watchdog._thread is thread
        for each in list(watchdog._drained):
            watchdog.let_go(each)
        watchdog.watch(several[0], 0)
        thread.join(10)
        assert not thread.is_alive()
        watchdog.watch(several[0], 0)
        assert watchdog._thread is not thread

    def test_that_is_renewed_leaves_its_thread_to_end(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(draining, "DRAIN_SECONDS", A_MOMENT)
        watchdog = draining.Watchdog()
        watchdog.watch(httpx.Response(503), 0)
        old = watchdog._thread
        assert old is not None
        watchdog.renew()
        watchdog.watch(httpx.Response(503), NEVER)
        new = watchdog._thread
        old.join(10)
        assert not old.is_alive()
        assert watchdog._thread is new is not old
        for response in list(watchdog._drained):
            watchdog.watch(response, 0)

    def test_works_on_in_a_child_process(self) -> None:
        watchdog = draining._watchdog
        response = httpx.Response(503)
        watchdog.watch(response, NEVER)
        try:
            with watchdog._changed:  # As another thread may hold it.
                child = os.fork()
                if child == 0:  # pragma: no cover - the coverage of a child is not measured
                    body = Body()
                    draining.drain(httpx.Response(503, stream=body))
                    os._exit(body.calls != ["read", "close"])
            assert os.waitpid(child, 0)[1] == 0
        finally:
            watchdog.let_go(response)

    def test_is_done_without_where_no_thread_can_be_started(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(thread: threading.Thread) -> None:
            raise RuntimeError("can't create new thread at interpreter shutdown")

        monkeypatch.setattr(draining, "_watchdog", draining.Watchdog())
        monkeypatch.setattr(threading.Thread, "start", fail)
        body = Body()
        draining.drain(httpx.Response(503, stream=body))
        assert body.calls == ["read", "close"]

    def test_is_not_needed_where_nothing_is_to_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        watched: list[object] = []
        monkeypatch.setattr(draining._watchdog, "watch", lambda it, deadline: watched.append(it))
        headers = {"Content-Length": "0"}
        draining.drain(httpx.Response(503, headers=headers, stream=Body(pieces=[])))
        assert not watched
        # The end of an HTTP/2 stream may come later, or never.
        extensions = {"http_version": b"HTTP/2"}
        body = Body(pieces=[])
        draining.drain(httpx.Response(503, headers=headers, stream=body, extensions=extensions))
        assert len(watched) == 1

    def test_does_not_hang_up_on_the_other_streams_of_http2(self) -> None:
        one, other = socket.socketpair()
        with one, other:
            extensions = {
                "http_version": b"HTTP/2",
                "retire": lambda: False,
                "network_stream": SimpleNamespace(get_extra_info=lambda info: one),
            }
            draining._hang_up(httpx.Response(503, extensions=extensions))
            one.sendall(b"on")
            assert other.recv(2) == b"on"

    def test_needs_something_to_hang_up(self) -> None:
        class Wire:
            def get_extra_info(self, info: str) -> None:
                assert info == "socket"

        draining._hang_up(httpx.Response(503))
        for version, calls in ((b"HTTP/1.1", 0), (b"HTTP/2", 1)):
            retired: list[int] = []
            extensions = {
                "http_version": version,
                "retire": lambda retired=retired: retired.append(1),
                "network_stream": Wire(),
            }
            draining._hang_up(httpx.Response(503, extensions=extensions))
            assert len(retired) == calls
        draining._hang_up(httpx.Response(503, extensions={"network_stream": Wire()}))
