"""`DebuggingTransport` on real sockets: every exchange is reported once, and nothing is changed."""

import functools
import gc
import gzip
import io
import logging
import queue
import socket
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from support import faulty, http2
from support.cancelling import cancelled_when
from support.faulty import answer, faulty_origin
from support.flavours import Flavour
from support.library import httpx
from support.raw import raw_server, read_head, respond, wait_for_end
from support.servers import Origin
from support.transportkit import Attempt, CurlLog, DebuggingTransport, Exchange, Redaction

from transportkit.debugging import capture

# httpcore drops a request body in the middle when a send fails, and trio tells of each
# generator of httpx's and httpcore's own that is left suspended then.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'http:ResourceWarning")

ASYNC = ["asyncio", "trio"]


def in_pieces(*pieces: bytes) -> Iterator[bytes]:
    yield from pieces


async def async_in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def pieces_for(flavour: Flavour, *pieces: bytes) -> Any:
    return async_in_pieces(*pieces) if flavour.is_async else in_pieces(*pieces)


class Own(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that does what a test wants."""

    def __init__(self, *pieces: bytes, failing: BaseException | None = None) -> None:
        self.pieces = pieces
        self.failing = failing
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    def close(self) -> None:
        self.closed += 1
        if self.failing is not None:
            raise self.failing

    async def aclose(self) -> None:
        self.close()


class Inner(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with one response, and keeps what it was given."""

    def __init__(self, response: httpx.Response | None = None) -> None:
        self.response = response
        self.streams: list[object] = []
        self.sent = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.streams.append(request.stream)
        self.sent = request.read()
        return self.response or httpx.Response(200)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.streams.append(request.stream)
        self.sent = await request.aread()
        return self.response or httpx.Response(200)


class TestASuccess:
    async def test_is_reported_when_its_body_has_ended(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(None, seen.append, bodies=4096)
        async with flavour.client(transport=transport) as client:
            async with client.stream("POST", origin.http, content=b"hello") as response:
                assert seen == []
                body = await flavour.read(response)
                assert len(seen) == 1
            assert len(seen) == 1
        (exchange,) = seen
        assert (exchange.method, exchange.url, exchange.status) == ("POST", origin.http, 200)
        assert (exchange.http_version, exchange.reason) == ("HTTP/1.1", "OK")
        assert ("Content-Length", "5") in exchange.request_headers
        assert ("content-type", "application/json") in exchange.response_headers
        assert exchange.request_body.content == b"hello"
        assert (exchange.response_body.content, exchange.response_body.is_whole) == (body, True)
        assert exchange.response_body.size == len(body)
        assert exchange.server_address == origin.http.removeprefix("http://")
        assert exchange.tls_version is None
        assert exchange.error is None
        assert exchange.is_finished

    async def test_of_http2_has_a_stream(self, flavour: Flavour, origin: Origin) -> None:
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(None, seen.append, http2=True)
        async with flavour.client(transport=transport) as client:
            await client.get(origin.https)
            await client.get(origin.https)
        assert [exchange.http_version for exchange in seen] == ["HTTP/2"] * 2
        assert [exchange.stream_id for exchange in seen] == [1, 3]
        assert [exchange.reason for exchange in seen] == ["OK", "OK"]
        assert seen[1].tls_version == "TLSv1.3"
        assert seen[1].timings.connect is None

    async def test_over_a_socket_of_its_own_has_its_path(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(None, seen.append, uds=origin.unix_socket)
        async with flavour.client(transport=transport) as client:
            await client.get("http://localhost/")
        assert seen[0].server_address == origin.unix_socket

    async def test_keeps_no_more_of_a_body_than_was_asked_for(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(answer(200, body=b"x" * 1_000_000)) as origin:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=10)
            async with flavour.client(transport=transport) as client:
                response = await client.post(origin.url, content=pieces_for(flavour, b"y" * 99_999))
        assert len(response.content) == 1_000_000
        exchange = seen[0]
        assert (exchange.request_body.size, exchange.request_body.content) == (99_999, b"y" * 10)
        assert (exchange.response_body.size, exchange.response_body.text) == (1_000_000, "x" * 10)
        assert len(exchange._record.received.content) == 10

    async def test_is_shown_decoded(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        data = gzip.compress("wörd".encode())
        step = answer(200, {"Content-Encoding": "gzip", "Content-Type": "text/plain"}, data)
        with faulty_origin(step) as origin:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=4096)
            async with flavour.client(transport=transport) as client:
                assert (await client.get(origin.url)).text == "wörd"
        body = seen[0].response_body
        assert (body.text, body.size, body.decoded_size) == ("wörd", len(data), 5)

    async def test_keeps_the_headers_that_were_sent(self, flavour: Flavour, origin: Origin) -> None:
        """Authentication adds to the headers of a request, and sends it again."""

        class Twice(httpx.Auth):
            def auth_flow(
                self, request: httpx.Request
            ) -> Generator[httpx.Request, httpx.Response, None]:
                yield request
                request.headers["Authorization"] = "Basic abc"
                yield request

        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(None, seen.append)
        async with flavour.client(transport=transport, auth=Twice()) as client:
            await client.get(origin.http)
        assert [dict(each.request_headers).get("Authorization") for each in seen] == [
            None,
            "Basic ****",
        ]


class TestAResponseThatIsClosedAlready:
    @pytest.mark.parametrize("bodies", [0, 4096])
    async def test_is_reported_at_once(self, flavour: Flavour, bodies: int) -> None:
        seen: list[Exchange] = []
        data = gzip.compress(b"hello")
        answered = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=data)
        transport = flavour.DebuggingTransport(Inner(answered), seen.append, bodies=bodies)
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert response is answered
        (exchange,) = seen
        body = exchange.response_body
        assert (exchange.http_version, exchange.server_address) == (None, None)
        assert body.size == len(data)
        if bodies:
            assert (body.content, body.is_whole, body.decoded_size) == (b"hello", True, 5)
        else:
            assert (body.content, body.is_whole) == (b"", False)

    async def test_may_never_have_been_read(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        answered = httpx.Response(200, stream=Own(b"hello"))
        await flavour.close(answered)
        transport = flavour.DebuggingTransport(Inner(answered), seen.append, bodies=9)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert seen[0].response_body.is_whole is False

    async def test_may_have_been_read_inside(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        data = gzip.compress(b"hello")
        headers = {"Content-Encoding": "gzip"}
        answered = httpx.Response(200, headers=headers, stream=Own(data[:9], data[9:]))
        await flavour.read(answered)
        transport = flavour.DebuggingTransport(Inner(answered), seen.append, bodies=9)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        body = seen[0].response_body
        assert (body.size, body.content, body.is_whole) == (len(data), b"hello", True)

    @pytest.mark.parametrize("bodies", [0, 9])
    async def test_may_have_been_read_by_pieces(self, flavour: Flavour, bodies: int) -> None:
        seen: list[Exchange] = []
        answered = httpx.Response(200, stream=Own(b"hel", b"lo"))
        assert [chunk async for chunk in flavour.chunks(answered)] == [b"hel", b"lo"]
        transport = flavour.DebuggingTransport(Inner(answered), seen.append, bodies=bodies)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        body = seen[0].response_body
        assert (body.size, body.content, body.is_whole) == (5, b"", False)


class TestAnError:
    async def test_before_a_response_is_reported(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(listening=False) as origin:
            transport = flavour.DebuggingTransport(None, seen.append)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.ConnectError):
                    await client.post(origin.url, content=b"hello")
        (exchange,) = seen
        assert exchange.status is None
        assert exchange.error is not None
        assert exchange.error.startswith("ConnectError: ")
        assert exchange.timings.connect is not None
        assert exchange.timings.send is None

    async def test_on_a_known_connection_tells_where(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(faulty.stall) as origin:
            transport = flavour.DebuggingTransport(None, seen.append)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.ReadTimeout):
                    await client.get(origin.url, timeout=httpx.Timeout(10, read=0.05))
        (exchange,) = seen
        assert exchange.server_address == origin.url.removeprefix("http://")
        assert exchange.timings.wait is not None
        assert exchange.timings.wait >= 0.05
        assert exchange.error is not None
        assert exchange.error.startswith("ReadTimeout")

    @pytest.mark.parametrize("fault", [faulty.half_a_chunk, faulty.reset_in_response_body])
    async def test_in_the_body_is_reported_with_the_head(
        self, fault: Any, flavour: Flavour
    ) -> None:
        seen: list[Exchange] = []
        with faulty_origin(fault(200)) as origin:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=99)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.TransportError):
                    await client.get(origin.url)
        (exchange,) = seen
        assert exchange.status == 200
        assert exchange.error is not None
        assert exchange.error.startswith(("ReadError", "RemoteProtocolError"))
        assert not exchange.response_body.is_whole

    @pytest.mark.parametrize("fault", [http2.reset_stream, http2.go_away])
    async def test_of_http2_is_reported(
        self, fault: http2.Answer, flavour: Flavour, certificates: Path
    ) -> None:
        seen: list[Exchange] = []
        with http2.h2_origin(certificates, fault) as (_, url):
            transport = flavour.DebuggingTransport(None, seen.append, http2=True)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.TransportError):
                    await client.get(url)
        (exchange,) = seen
        assert exchange.error is not None
        assert exchange.tls_version == "TLSv1.3"

    async def test_of_a_certificate_says_what_is_wrong(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        """On trio the text of the error itself is empty."""
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(None, seen.append)
        async with flavour.client(transport=transport) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(origin.https.replace("127.0.0.1", "127.0.0.2"))
        assert seen[0].error is not None
        assert len(seen[0].error) > len("ConnectError: ")

    async def test_without_any_text_is_its_name(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []

        def answer(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("")

        transport = flavour.DebuggingTransport(httpx.MockTransport(answer), seen.append)
        async with flavour.client(transport=transport) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get("http://h/")
        assert seen[0].error == "ReadTimeout"

    async def test_of_closing_is_reported_and_raised(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        answered = httpx.Response(200, stream=Own(b"x", failing=httpx.ReadError("broken")))
        transport = flavour.DebuggingTransport(Inner(answered), seen.append)
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        with pytest.raises(httpx.ReadError):
            await flavour.close(response)
        assert [exchange.error for exchange in seen] == ["ReadError: broken"]


class TestAResponseThatIsNotRead:
    async def test_is_reported_when_it_is_closed(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(answer(200, body=b"x" * 500_000)) as origin:
            transport = flavour.DebuggingTransport(None, seen.append)
            async with flavour.client(transport=transport) as client:
                async with client.stream("GET", origin.url):
                    assert seen == []
                assert len(seen) == 1
        assert (seen[0].error, seen[0].response_body.is_whole) == (None, False)

    async def test_to_its_end_is_reported_when_it_is_closed(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(answer(200, body=b"x" * 5_000_000)) as origin:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=5)
            async with flavour.client(transport=transport) as client:
                async with client.stream("GET", origin.url) as response:
                    chunks = flavour.chunks(response)
                    chunk = await anext(chunks)
                    await chunks.aclose()  # type: ignore[attr-defined]
                assert len(seen) == 1
            if flavour.is_async:
                # Trio ends httpx's own generators, which were left suspended, in a task.
                del chunks
                gc.collect()
                await anyio.wait_all_tasks_blocked()
        body = seen[0].response_body
        assert (body.content, body.is_whole) == (b"xxxxx", False)
        assert len(chunk) <= body.size < 5_000_000
        assert seen[0].error is None

    async def test_is_reported_when_the_transport_closes(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(answer(200, body=b"one"), answer(200, body=b"two")) as origin:
            transport = flavour.DebuggingTransport(None, seen.append)
            request = httpx.Request("GET", origin.url)
            responses = [await flavour.send(transport, request) for _ in range(2)]
            assert seen == []
            await flavour.close(transport)
            assert [exchange.status for exchange in seen] == [200, 200]
            for response in responses:
                await flavour.close(response)
            await flavour.close(transport)
        assert len(seen) == 2

    async def test_is_reported_with_the_next_request_when_nobody_holds_it(
        self, flavour: Flavour
    ) -> None:
        """Not by the garbage collector: it may run while an observer holds a lock."""
        seen: list[Exchange] = []
        answers = [
            httpx.Response(200, stream=Own(b"one")),
            httpx.Response(201),
            httpx.Response(202),
        ]
        transport = flavour.DebuggingTransport(
            httpx.MockTransport(lambda request: answers.pop(0)), seen.append
        )
        other = flavour.DebuggingTransport(
            httpx.MockTransport(lambda request: httpx.Response(204)), seen.append
        )
        request = httpx.Request("GET", "http://h/")
        response = await flavour.send(transport, request)
        del response
        gc.collect()
        assert seen == []
        await flavour.send(other, request)
        await flavour.send(transport, request)
        await flavour.send(transport, request)
        assert [exchange.status for exchange in seen] == [204, 200, 201, 202]
        # It was over when it was dropped, before the other began.
        between, dropped = seen[:2]
        assert dropped._record.ended <= between._record.started
        assert transport._reporter._open == {}

    async def test_is_reported_once_when_it_is_dropped_and_the_transport_closes(
        self, flavour: Flavour
    ) -> None:
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(
            Inner(httpx.Response(200, stream=Own(b"one"))), seen.append
        )
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        transport._transport.response = None
        gc.collect()
        await flavour.close(transport)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert len(seen) == 2

    async def test_is_wanted_while_its_body_is_iterated(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        inner = Inner(httpx.Response(200, stream=Own(b"one", b"two")))
        transport = flavour.DebuggingTransport(inner, seen.append)
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        chunks: Any = response.stream
        chunks = aiter(chunks) if flavour.is_async else iter(chunks)
        del response
        inner.response = None
        gc.collect()
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert len(seen) == 1
        if flavour.is_async:
            assert [chunk async for chunk in chunks] == [b"one", b"two"]
        else:
            assert list(chunks) == [b"one", b"two"]
        assert seen[1].response_body.size == 6

    async def test_is_reported_although_closing_the_transport_fails(self, flavour: Flavour) -> None:
        class Failing(Inner):
            def close(self) -> None:
                raise ZeroDivisionError

            async def aclose(self) -> None:
                raise ZeroDivisionError

        seen: list[Exchange] = []
        inner = Failing(httpx.Response(200, stream=Own(b"one")))
        transport = flavour.DebuggingTransport(inner, seen.append)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        with pytest.raises(ZeroDivisionError):
            await flavour.close(transport)
        assert len(seen) == 1


class TestCancellation:
    @pytest.fixture
    def flavour(self, request: pytest.FixtureRequest) -> Flavour:
        return Flavour(request.param)

    @pytest.mark.parametrize("flavour", ASYNC, indirect=True)
    async def test_while_waiting_is_reported(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(faulty.stall) as origin:
            transport = flavour.DebuggingTransport(None, seen.append)
            async with (
                flavour.client(transport=transport) as client,
                cancelled_when(lambda: origin.has_stalled) as scope,
            ):
                await client.get(origin.url)
        assert scope.cancelled_caught
        (exchange,) = seen
        assert exchange.error is not None
        assert "Cancelled" in exchange.error
        assert exchange.status is None

    @pytest.mark.parametrize("flavour", ASYNC, indirect=True)
    async def test_in_the_body_is_reported(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []

        def talk(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            wait_for_end(connection)

        with raw_server(talk) as url:
            transport = flavour.DebuggingTransport(None, seen.append)
            async with flavour.client(transport=transport) as client:
                with anyio.CancelScope() as scope:
                    async with client.stream("GET", url) as response:
                        async for _ in flavour.chunks(response):
                            scope.cancel()
        assert scope.cancelled_caught
        (exchange,) = seen
        assert (exchange.status, exchange.response_body.size) == (200, 4)
        assert exchange.error is not None
        assert "Cancelled" in exchange.error


def test_an_interrupt_is_reported_and_goes_on() -> None:
    seen: list[Exchange] = []

    def answer(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with (
        httpx.Client(
            transport=DebuggingTransport(httpx.MockTransport(answer), seen.append)
        ) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.get("http://h/")
    assert [exchange.error for exchange in seen] == ["KeyboardInterrupt"]


class TestStreaming:
    @pytest.mark.parametrize("bodies", [0, 4096])
    async def test_gives_the_first_event_before_the_last_was_sent(
        self, bodies: int, flavour: Flavour
    ) -> None:
        got_first = threading.Event()

        def talk(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\nB\r\ndata: one\r\n\r\n"
            )
            assert got_first.wait(10)
            connection.sendall(b"B\r\ndata: two\r\n\r\n0\r\n\r\n")
            wait_for_end(connection)

        seen: list[Exchange] = []
        events = []
        with raw_server(talk) as url:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=bodies)
            async with (
                flavour.client(transport=transport) as client,
                client.stream("GET", url) as response,
            ):
                async for chunk in flavour.chunks(response):
                    events.append(chunk)
                    got_first.set()
        assert b"".join(events) == b"data: one\r\ndata: two\r\n"
        assert len(events) >= 2
        (exchange,) = seen
        assert exchange.response_body.text == ("data: one\r\ndata: two\r\n" if bodies else None)

    async def test_sends_the_first_piece_before_there_is_a_last(self, flavour: Flavour) -> None:
        arrived: queue.Queue[bytes] = queue.Queue()

        def talk(connection: socket.socket) -> None:
            read_head(connection)
            body = b""
            while not body.endswith(b"0\r\n\r\n"):
                received = connection.recv(65536)
                arrived.put(received)
                body += received
            respond(connection, "200 OK")
            wait_for_end(connection)

        def content() -> Iterator[bytes]:
            yield b"one"
            assert b"one" in arrived.get(timeout=10)
            yield b"two"

        async def async_content() -> AsyncIterator[bytes]:
            for piece in content():
                yield piece

        seen: list[Exchange] = []
        with raw_server(talk) as url:
            transport = flavour.DebuggingTransport(None, seen.append, bodies=4096)
            async with flavour.client(transport=transport) as client:
                await client.post(url, content=async_content() if flavour.is_async else content())
        body = seen[0].request_body
        assert (body.content, body.size, body.is_whole) == (b"onetwo", 6, True)


async def test_an_upgrade_passes_untouched(flavour: Flavour) -> None:
    def talk(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        )
        connection.sendall(connection.recv(4))
        wait_for_end(connection)

    seen: list[Exchange] = []
    with raw_server(talk) as url:
        inner = flavour.HTTPTransport()
        transport = flavour.DebuggingTransport(inner, seen.append, bodies=4096)
        headers = {"Connection": "upgrade", "Upgrade": "echo"}
        response = await flavour.send(transport, httpx.Request("GET", url, headers=headers))
        assert [exchange.status for exchange in seen] == [101]
        assert not response.is_closed
        stream = response.extensions["network_stream"]
        await flavour.call(stream.write, b"ping")
        assert await flavour.call(stream.read, 4) == b"ping"
        await flavour.close(response)
        await flavour.close(transport)
    assert len(seen) == 1


class TestTheRequest:
    async def test_is_left_as_it_was_found(self, flavour: Flavour, origin: Origin) -> None:
        events: list[str] = []

        def trace(event: str, info: object) -> None:
            events.append(event)

        async def async_trace(event: str, info: object) -> None:
            events.append(event)

        transport = flavour.DebuggingTransport(None, lambda exchange: None, bodies=99)
        async with flavour.client(transport=transport) as client:
            extensions = {"trace": async_trace if flavour.is_async else trace}
            request = client.build_request(
                "POST", origin.http, content=pieces_for(flavour, b"a"), extensions=extensions
            )
            found, stream = request.extensions, request.stream
            before = dict(found)
            await client.send(request)
            assert request.extensions is found
            assert found == before
            assert request.stream is stream
        assert events[0] == "connection.connect_tcp.started"
        assert events[-1] == "http11.response_closed.complete"

    async def test_is_left_as_it_was_found_after_an_error(self, flavour: Flavour) -> None:
        with faulty_origin(listening=False) as origin:
            transport = flavour.DebuggingTransport(None, lambda exchange: None, bodies=99)
            request = httpx.Request("PUT", origin.url, content=pieces_for(flavour, b"a"))
            found, stream = request.extensions, request.stream
            with pytest.raises(httpx.ConnectError):
                await flavour.send(transport, request)
            await flavour.close(transport)
        assert request.extensions is found
        assert found == {}
        assert request.stream is stream

    @pytest.mark.parametrize("bodies", [0, 99])
    async def test_keeps_its_stream_where_nothing_has_to_be_counted(
        self, bodies: int, flavour: Flavour
    ) -> None:
        seen: list[Exchange] = []
        inner = Inner()
        transport = flavour.DebuggingTransport(inner, seen.append, bodies=bodies)
        files = {"file": ("name", io.BytesIO(b"content"))}
        requests = [
            httpx.Request("GET", "http://h/"),
            httpx.Request("POST", "http://h/", content=b"abc"),
            httpx.Request("POST", "http://h/", files=files),
            httpx.Request("POST", "http://h/", content=pieces_for(flavour, b"ab", b"c")),
        ]
        streams = [request.stream for request in requests]
        kept: list[bool] = []
        lengths: list[int] = []
        for request in requests:
            await flavour.send(transport, request)
            kept.append(inner.streams[-1] is streams[len(kept)])
            lengths.append(len(inner.sent))
        assert kept == [True, True, not bodies, False]
        assert [exchange.request_body.size for exchange in seen] == lengths
        assert [exchange.request_body.content for exchange in seen][1::2] == [
            b"abc"[:bodies],
            b"abc"[:bodies],
        ]
        assert (b'filename="name"' in seen[2].request_body.content) == bool(bodies)

    async def test_may_have_a_body_that_was_used_up(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        transport = flavour.DebuggingTransport(Inner(), seen.append)
        request = httpx.Request("POST", "http://h/", content=pieces_for(flavour, b"a"))
        stream = request.stream
        await flavour.send(transport, request)
        request.stream = stream
        with pytest.raises(httpx.StreamConsumed):
            await flavour.send(transport, request)
        assert seen[1].error is not None
        assert seen[1].error.startswith("StreamConsumed: ")
        assert not seen[1].request_body.is_whole

    @pytest.mark.parametrize("around", ["DebuggingTransport", "RetryTransport", "ProxyRoundRobin"])
    async def test_can_be_read_by_the_inner_transport_for_all_that_follow(
        self, flavour: Flavour, around: str
    ) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            # MockTransport has read the body; the redirect needs it again.
            to_b = httpx.Response(307, headers={"Location": "/b"})
            return (
                to_b if request.url.path == "/a" else httpx.Response(200, content=request.content)
            )

        mock = httpx.MockTransport(answer)
        transport = {
            "DebuggingTransport": lambda: flavour.DebuggingTransport(mock, lambda exchange: None),
            "RetryTransport": lambda: flavour.RetryTransport(mock),
            "ProxyRoundRobin": lambda: flavour.ProxyRoundRobin([mock]),
        }[around]()
        async with flavour.client(transport=transport, follow_redirects=True) as client:
            response = await client.post("http://h/a", content=pieces_for(flavour, b"a", b"b"))
        assert (response.status_code, response.content) == (200, b"ab")

    async def test_has_a_stream_that_can_be_closed(self, flavour: Flavour) -> None:
        own = Own(b"a")

        class Closing(Inner):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                request.stream.close()  # type: ignore[union-attr]
                return httpx.Response(200)

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await request.stream.aclose()  # type: ignore[union-attr]
                return httpx.Response(200)

        transport = flavour.DebuggingTransport(Closing(), lambda exchange: None)
        await flavour.send(transport, httpx.Request("POST", "http://h/", stream=own))
        assert own.closed == 1


class TestARetryTransportInside:
    async def test_shows_its_attempts(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        with faulty_origin(answer(503, {"Retry-After": "0"}, b"busy")) as origin:
            transport = flavour.DebuggingTransport(flavour.RetryTransport(), seen.append)
            async with flavour.client(transport=transport) as client:
                await client.get(origin.url)
        (exchange,) = seen
        assert exchange.status == 200
        assert [attempt.outcome for attempt in exchange.attempts] == [503, 200]
        assert all(isinstance(attempt, Attempt) for attempt in exchange.attempts)

    @pytest.mark.parametrize("bodies", [0, 99])
    async def test_can_still_send_a_multipart_body_again(
        self, bodies: int, flavour: Flavour
    ) -> None:
        """One that is larger than what a retry transport would record."""
        seen: list[Exchange] = []
        content = b"x" * 1_100_000
        with faulty_origin(answer(503, {"Retry-After": "0"})) as origin:
            transport = flavour.DebuggingTransport(
                flavour.RetryTransport(), seen.append, bodies=bodies
            )
            async with flavour.client(transport=transport) as client:
                files = {"file": ("name", io.BytesIO(content))}
                response = await client.put(origin.url, files=files)
        assert response.status_code == 200
        assert [content in request.body for request in origin.requests] == [True, True]
        assert seen[0].request_body.size == len(origin.requests[0].body)


class TestAnObserver:
    async def test_is_called_in_order_with_the_same_exchange(self, flavour: Flavour) -> None:
        calls: list[tuple[str, Exchange]] = []

        class Observer:
            def started(self, exchange: Exchange) -> None:
                assert not exchange.is_finished
                assert (exchange.url, exchange.status) == ("http://****@h/", None)
                assert exchange.request_headers[0] == ("Host", "h")
                calls.append(("started", exchange))

            def __call__(self, exchange: Exchange) -> None:
                calls.append(("finished", exchange))

        transport = flavour.DebuggingTransport(
            Inner(), Observer(), lambda exchange: calls.append(("other", exchange))
        )
        await flavour.send(transport, httpx.Request("GET", "http://scott:tiger@h/"))
        assert [name for name, _ in calls] == ["started", "finished", "other"]
        assert calls[1][1] is calls[2][1]
        # What the first was given does not change behind its back.
        assert repr(calls[0][1]) == "<Exchange GET http://****@h/ ...>"

    async def test_that_fails_is_logged_and_breaks_nothing(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen: list[Exchange] = []

        class Failing:
            def started(self, exchange: Exchange) -> None:
                raise ValueError("no https://scott:tiger@h/")

            def __call__(self, exchange: Exchange) -> None:
                raise ZeroDivisionError("token=abc")

        transport = flavour.DebuggingTransport(Inner(), Failing(), seen.append)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert len(seen) == 1
        first, second = (record.getMessage() for record in caplog.records)
        assert "ValueError" in first
        assert "ZeroDivisionError" in second
        assert "tiger" not in first
        assert "abc" not in second
        assert [record.name for record in caplog.records] == ["transportkit.debugging"] * 2

    async def test_that_fails_at_the_end_of_a_body_is_logged_with_its_own_error_only(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(exchange: Exchange) -> None:
            raise ZeroDivisionError

        inner = Inner(httpx.Response(200, stream=Own(b"one", b"two")))
        transport = flavour.DebuggingTransport(inner, fail)
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert await flavour.read(response) == b"onetwo"
        (message,) = (record.getMessage() for record in caplog.records)
        assert message.count("Traceback") == 1
        assert "Stop" not in message
        assert message.endswith("ZeroDivisionError\n")

    async def test_that_always_fails_is_logged_at_length_once(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(exchange: Exchange) -> None:
            raise BrokenPipeError

        transport = flavour.DebuggingTransport(Inner(), fail)
        for level in (logging.INFO, logging.INFO, logging.DEBUG):
            caplog.set_level(level, "transportkit.debugging")
            await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert [record.levelname for record in caplog.records] == ["ERROR", "DEBUG"]

    async def test_may_fail_as_the_redaction_fails(
        self, flavour: Flavour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*args: object) -> str:
            raise ZeroDivisionError

        monkeypatch.setattr(Redaction, "text", fail)
        transport = flavour.DebuggingTransport(Inner(), fail)
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert response.status_code == 200
        assert caplog.records == []

    async def test_is_a_console_log_when_none_is_given(
        self, flavour: Flavour, capsys: pytest.CaptureFixture[str]
    ) -> None:
        transport = flavour.DebuggingTransport(Inner())
        await flavour.send(transport, httpx.Request("GET", "http://scott:tiger@h/"))
        request, response = capsys.readouterr().out.splitlines()
        assert request == ">>> GET http://****@h/"
        assert response.startswith("<<< 200 OK 0 B in ")

    async def test_is_given_what_the_redaction_says(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        redaction = Redaction(mask=["tenant"])
        transport = flavour.DebuggingTransport(Inner(), seen.append, redaction=redaction)
        await flavour.send(transport, httpx.Request("GET", "http://h/?tenant=7"))
        assert seen[0].url == "http://h/?tenant=****"


def test_threads_report_each_exchange_once(origin: Origin) -> None:
    seen: list[Exchange] = []
    with httpx.Client(transport=DebuggingTransport(None, seen.append)) as client:

        def get() -> None:
            for _ in range(10):
                client.get(origin.http)

        threads = [threading.Thread(target=get) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({id(exchange._record) for exchange in seen}) == len(seen) == 80


class TestStrangeTransports:
    async def test_may_tell_nonsense(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []
        extensions = {
            "http_version": "HTTP/1.1",
            "stream_id": "1",
            "attempts": 3,
            "network_stream": object(),
        }
        inner = Inner(httpx.Response(299, extensions=extensions))
        await flavour.send(
            flavour.DebuggingTransport(inner, seen.append), httpx.Request("GET", "http://h/")
        )
        exchange = seen[0]
        assert (exchange.http_version, exchange.stream_id, exchange.attempts) == (None, None, ())
        assert (exchange.server_address, exchange.reason) == (None, "")

    @pytest.mark.parametrize(
        ("address", "text"),
        [
            (("127.0.0.1", 80), "127.0.0.1:80"),
            (("::1", 80, 0, 0), "[::1]:80"),
            ("/run/socket", "/run/socket"),
            (b"\0abstract", "\0abstract"),
            ("", None),
            (None, None),
        ],
    )
    def test_have_addresses_of_any_kind(self, address: object, text: str | None) -> None:
        assert capture.address_text(address) == text

    async def test_may_send_a_connect_of_their_own(self, flavour: Flavour) -> None:
        seen: list[Exchange] = []

        def talk(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            wait_for_end(connection)

        with raw_server(talk) as url:
            transport = flavour.DebuggingTransport(flavour.HTTPTransport(), seen.append)
            response = await flavour.send(transport, httpx.Request("CONNECT", url))
            await flavour.close(response)
            await flavour.close(transport)
        assert seen[0].timings.send is not None
        assert seen[0].timings.wait is not None


class TestArguments:
    def test_a_transport_and_arguments_are_too_much(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match="http2 would be ignored"):
            flavour.DebuggingTransport(flavour.HTTPTransport(), http2=True)

    def test_observers_have_no_keyword(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match=r"write DebuggingTransport\(None, observer\)$"):
            flavour.DebuggingTransport(Inner(), observers=[print])

    def test_the_transport_comes_before_the_observers(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match=r"write DebuggingTransport\(None, observer\)$"):
            flavour.DebuggingTransport(print)

    def test_a_transport_is_no_class(self, flavour: Flavour) -> None:
        name = flavour.HTTPTransport.__name__
        with pytest.raises(TypeError, match=rf"^{name} is a class: write {name}\(\.\.\.\)$"):
            flavour.DebuggingTransport(flavour.HTTPTransport)

    def test_an_observer_is_no_class(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match=r"^CurlLog is a class: write CurlLog\(\.\.\.\)$"):
            flavour.DebuggingTransport(None, print, CurlLog)

    @pytest.mark.parametrize("started", [True, "now", 0.0])
    def test_a_started_can_be_called(self, flavour: Flavour, started: object) -> None:
        observer = functools.partial(print)
        observer.started = started  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match=r"^the started of an observer must be a function of"):
            flavour.DebuggingTransport(None, observer)

    async def test_a_started_may_be_none(self, flavour: Flavour) -> None:
        seen: list[object] = []
        observer = functools.partial(seen.append)
        observer.started = None  # type: ignore[attr-defined]
        transport = flavour.DebuggingTransport(Inner(), observer)
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert len(seen) == 1

    @pytest.mark.parametrize("observer", [None, "print"])
    def test_an_observer_can_be_called(self, flavour: Flavour, observer: object) -> None:
        with pytest.raises(TypeError, match=r"^an observer must be a function of one Exchange"):
            flavour.DebuggingTransport(None, observer)

    def test_an_observer_is_a_plain_function(self, flavour: Flavour) -> None:
        async def observer(exchange: Exchange) -> None:
            """Would never be awaited."""

        class Called:
            async def __call__(self, exchange: Exchange) -> None:
                """Neither would this."""

        class Started:
            async def started(self, exchange: Exchange) -> None:
                """Nor this."""

            def __call__(self, exchange: Exchange) -> None:
                """This would."""

        for wrong in (observer, Called(), Started()):
            with pytest.raises(TypeError, match=r"not a coroutine function"):
                flavour.DebuggingTransport(None, wrong)

    @pytest.mark.parametrize("bodies", [None, "1", 1.5, True])
    def test_bodies_are_bytes(self, flavour: Flavour, bodies: object) -> None:
        with pytest.raises(TypeError, match=r"^bodies must be a number of bytes, not "):
            flavour.DebuggingTransport(None, bodies=bodies)

    def test_bodies_are_not_negative(self, flavour: Flavour) -> None:
        with pytest.raises(ValueError, match=r"^bodies must be .* from 0 up, not -1$"):
            flavour.DebuggingTransport(None, bodies=-1)

    def test_a_redaction_is_a_redaction(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match=r"^redaction must be a Redaction, not None"):
            flavour.DebuggingTransport(None, redaction=None)
