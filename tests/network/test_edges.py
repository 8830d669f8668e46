"""What goes wrong seldom: HTTP/2 connections that go away, closings that fail, bodies left early."""

import os
import select
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import h2.connection
import h2.errors
import pytest
from hyperframe.frame import HeadersFrame
from support.flavours import Flavour
from support.http2 import H2Request, h2_origin
from support.library import httpx
from support.networks import Queued, clients_of, limits, network, taken
from support.raw import raw_server, read_head, respond

from transportkit.network.connection import Connection
from transportkit.network.connections import _async_timetable, _timetable
from transportkit.network.core import _AtOnce
from transportkit.network.errors import as_transport_error
from transportkit.retrying.deadline import LiveTimeouts

FAR = 1e9


def answering(connection: Any) -> None:
    with suppress(OSError):
        while True:
            read_head(connection)
            respond(connection, "200 OK", body=b"fine" * 50_000)


@pytest.mark.parametrize("is_live", [False, True])
async def test_a_connection_that_has_gone_away_takes_no_more_but_ends_what_it_has(
    is_live: bool, flavour: Flavour, certificates: Path
) -> None:
    def leave(http: h2.connection.H2Connection, request: H2Request) -> bool:
        http.send_headers(request.stream, [(":status", "200")])
        http.send_data(request.stream, b"some")
        if request.headers[":path"] == "/leave":
            http.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=request.stream)
        else:
            http.end_stream(request.stream)
        return True

    timeouts = {"pool": 30.0, "read": 30.0}
    extensions: dict[str, Any] = {
        "timeout": LiveTimeouts(FAR, timeouts) if is_live else timeouts,
    }
    with h2_origin(certificates, leave) as (origin, url):
        transport = network(flavour, http2=True)

        def request(path: str) -> httpx.Request:
            return httpx.Request("GET", url + path, extensions=extensions)

        first = await flavour.send(transport, request("/leave"))
        # It may be in use, and gone away or not: that is for httpcore to say.
        second = await flavour.send(transport, request("/other"))
        assert await flavour.read(second) == b"some"
        assert origin.connections == 2
        assert taken(transport) == "2 connections, 1 idle, 0 waiting"
        await (first.aclose() if flavour.is_async else flavour.call(first.close))
        assert taken(transport) == "1 connections, 1 idle, 0 waiting"
        await flavour.close(transport)


async def test_a_body_against_its_promise_is_a_remote_protocol_error(
    flavour: Flavour, certificates: Path
) -> None:
    def end_early(http: h2.connection.H2Connection, request: H2Request) -> bool:
        http.send_headers(request.stream, [(":status", "200"), ("content-length", "60000")])
        for _ in range(5):
            http.send_data(request.stream, b"a" * 10_000)
        http.end_stream(request.stream)
        return True

    with h2_origin(certificates, end_early) as (_, url):
        transport = network(flavour, http2=True)
        request = httpx.Request("GET", url)
        response = await flavour.send(transport, request)
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await flavour.read(response)
        assert caught.value.request is request
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"
        await (response.aclose() if flavour.is_async else flavour.call(response.close))
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_an_error_of_h2_ends_the_connection_even_if_it_names_a_stream(
    flavour: Flavour, certificates: Path
) -> None:
    def go_on_after_the_end(http: h2.connection.H2Connection, request: H2Request) -> bool:
        http.send_headers(request.stream, [(":status", "200")], end_stream=True)
        if request.headers[":path"] == "/wrong":
            more = HeadersFrame(request.stream, b"\x88", flags=["END_HEADERS", "END_STREAM"])
            request.prefix = http.data_to_send() + more.serialize()
        return True

    with h2_origin(certificates, go_on_after_the_end) as (_, url):
        transport = network(flavour, http2=True)
        async with flavour.client(transport=transport, timeout=30) as client:
            with pytest.raises((httpx.RemoteProtocolError, httpx.LocalProtocolError)):
                await client.get(f"{url}/wrong")
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            assert (await client.get(url)).status_code == 200


@pytest.mark.parametrize("status", ["", "fine"])
async def test_a_status_that_is_no_number_is_a_remote_protocol_error(
    status: str, flavour: Flavour, certificates: Path
) -> None:
    def answer(http: h2.connection.H2Connection, request: H2Request) -> bool:
        http.send_headers(request.stream, [(":status", status)], end_stream=True)
        return True

    with h2_origin(certificates, answer) as (_, url):
        transport = network(flavour, http2=True)
        request = httpx.Request("GET", url)
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await flavour.send(transport, request)
        assert caught.value.request is request
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_a_stream_that_ends_in_its_body_leaves_the_connection_to_the_others(
    flavour: Flavour, certificates: Path
) -> None:
    def reset_in_body(http: h2.connection.H2Connection, request: H2Request) -> bool:
        http.send_headers(request.stream, [(":status", "200")])
        http.send_data(request.stream, b"some")
        http.reset_stream(request.stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        return True

    with h2_origin(certificates, reset_in_body) as (origin, url):
        transport = network(flavour, http2=True)
        for _ in range(2):
            response = await flavour.send(transport, httpx.Request("GET", url))
            with pytest.raises(httpx.RemoteProtocolError):
                await flavour.read(response)
            assert taken(transport) == "1 connections, 1 idle, 0 waiting"
        assert origin.connections == 1
        await flavour.close(transport)


async def test_who_is_interrupted_when_served_gives_the_place_back(flavour: Flavour) -> None:
    with raw_server(answering) as url:
        transport = network(flavour, limits=limits(1))
        pool = transport._core.pool

        def hand_over_and_interrupt() -> None:
            assert taken(transport) == "1 connections, 0 idle, 1 waiting"
            for closing in pool.close():
                pool.closed(closing)
            assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            raise KeyboardInterrupt

        first = await flavour.send(transport, httpx.Request("GET", url))
        timeouts = {"pool": Queued(hand_over_and_interrupt)}
        second = httpx.Request("GET", url, extensions={"timeout": timeouts})
        with pytest.raises(KeyboardInterrupt):
            await flavour.send(transport, second)
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"
        await flavour.close(first)


def test_who_is_interrupted_when_served_closes_what_was_to_make_room() -> None:
    with raw_server(answering) as one, raw_server(answering) as other:
        transport: Any = network(Flavour("sync"), limits=limits(1))

        def hand_over_and_interrupt() -> None:
            first.close()
            assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            raise KeyboardInterrupt

        first = transport.handle_request(httpx.Request("GET", one))
        assert b"".join(first.stream)  # It is read, and not closed.
        timeouts = {"pool": Queued(hand_over_and_interrupt)}
        with pytest.raises(KeyboardInterrupt):
            transport.handle_request(httpx.Request("GET", other, extensions={"timeout": timeouts}))
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"
        assert clients_of(one) == 0


async def test_a_body_left_early_gives_its_place_back(flavour: Flavour) -> None:
    if flavour.name == "trio":
        pytest.skip("trio warns of the generators that httpx and httpcore leave suspended")
    with raw_server(answering) as url:
        transport = network(flavour, limits=limits(1))
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(3):
                async with client.stream("GET", url) as response:
                    body = flavour.chunks(response)
                    assert await anext(body)
                    await body.aclose()  # type: ignore[attr-defined] # a generator
            assert len((await client.get(url)).content) == 200_000


def answer_with(monkeypatch: pytest.MonkeyPatch, stream: Any) -> None:
    """Have the stock transports answer with this body."""

    def handle_request(self: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=stream)

    async def handle_async_request(self: Any, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=stream)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async_request)


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError("worn out"), httpx.ReadError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
async def test_a_body_that_cannot_be_closed_gives_its_place_back(
    error: BaseException,
    raised: type[BaseException],
    flavour: Flavour,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stuck(httpx.SyncByteStream, httpx.AsyncByteStream):
        def close(self) -> None:
            raise error

        async def aclose(self) -> None:
            raise error

    answer_with(monkeypatch, Stuck())
    transport = network(flavour, limits=limits(1))
    response = await flavour.send(transport, httpx.Request("GET", "http://h.example/"))
    with pytest.raises(raised):
        await (response.aclose() if flavour.is_async else flavour.call(response.close))
    assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_a_body_that_two_close_at_once_ends_its_request_once(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hurried(httpx.SyncByteStream, httpx.AsyncByteStream):
        def close(self) -> None:
            response.stream.close()

        async def aclose(self) -> None:
            await response.stream.aclose()

    answer_with(monkeypatch, Hurried())
    transport = network(flavour)
    response: Any = await flavour.send(transport, httpx.Request("GET", "http://h.example/"))
    await (response.aclose() if flavour.is_async else flavour.call(response.close))
    assert taken(transport) == "1 connections, 1 idle, 0 waiting"
    await flavour.close(transport)


async def test_an_interrupt_while_closing_closes_the_others(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = httpx.AsyncHTTPTransport if flavour.is_async else httpx.HTTPTransport
    method = "aclose" if flavour.is_async else "close"
    original = getattr(kind, method)
    closed: list[object] = []

    def close(self: Any) -> Any:
        closed.append(self)
        result = original(self)
        if len(closed) == 1:
            raise KeyboardInterrupt
        return result

    async def aclose(self: Any) -> None:
        closed.append(self)
        await original(self)
        if len(closed) == 1:
            raise KeyboardInterrupt

    with raw_server(answering) as url:
        transport = network(flavour)
        async with flavour.client(transport=transport, timeout=30) as client:
            async with client.stream("GET", url) as one, client.stream("GET", url) as two:
                await flavour.read(one)
                await flavour.read(two)
            monkeypatch.setattr(kind, method, aclose if flavour.is_async else close)
            with pytest.raises(KeyboardInterrupt):
                await flavour.close(transport)
        assert len(closed) == 2
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_an_interrupt_while_closing_what_is_due_leaves_the_rest_due(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = httpx.AsyncHTTPTransport if flavour.is_async else httpx.HTTPTransport
    interrupts: list[BaseException] = [KeyboardInterrupt()]

    def close(self: Any) -> None:
        if interrupts:
            raise interrupts.pop()

    async def aclose(self: Any) -> None:
        close(self)

    with raw_server(answering) as url:
        idle = [network(flavour, limits=limits(expiry=1e-9)) for _ in range(2)]
        with monkeypatch.context() as patch:
            name, stuck = ("aclose", aclose) if flavour.is_async else ("close", close)
            patch.setattr(kind, name, stuck)
            for transport in idle:
                pool = transport._core.pool
                pool.keep_time((_async_timetable if flavour.is_async else _timetable)())
                held = pool.acquire(("http", b"h.example", None), 1, False)
                held.transport = transport._core.make()
                pool.release(held, 0)
            request = httpx.Request("GET", url)
            with pytest.raises(KeyboardInterrupt):
                await flavour.send(idle[0], request)
            response = await flavour.send(idle[0], request)
            assert taken(idle[1]) == "0 connections, 0 idle, 0 waiting"
        await flavour.read(response)
        await flavour.close(idle[0])


async def test_what_is_due_is_closed_before_the_next_connection_is_chosen(
    flavour: Flavour,
) -> None:
    with raw_server(answering) as url:
        transport = network(flavour, limits=limits(1, expiry=0))
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(3):
                await client.get(url)
                assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_what_became_due_since_the_last_request_is_not_used(flavour: Flavour) -> None:
    with raw_server(answering) as url:
        transport = network(flavour, limits=limits(expiry=1e-9))
        async with flavour.client(transport=transport, timeout=30) as client:
            peers = set()
            for _ in range(3):
                response = await client.get(url)
                assert taken(transport) == "1 connections, 1 idle, 0 waiting"
                peers.add(response.extensions["network_stream"])
            assert len(peers) == 3


async def test_what_becomes_free_before_one_waits_is_taken(flavour: Flavour) -> None:
    with raw_server(answering) as url:
        transport = network(flavour, limits=limits(1))
        pool = transport._core.pool
        held = pool.acquire(("http", b"h.example", None), 1, False)
        pool.retire(held)

        class Freeing(dict[str, float]):
            def get(self, name: str, default: Any = None) -> Any:
                if name == "pool" and held.requests:
                    pool.closed(pool.release(held, 0))
                return super().get(name, default)

        async with flavour.client(transport=transport) as client:
            response = await client.get(url, extensions={"timeout": Freeing(read=30)})
            assert response.status_code == 200
        assert not held.requests


def test_where_there_is_no_poll_a_closed_connection_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(select, "poll")
    connection = Connection[str](("http", b"h.example", None), 1, None)
    peer, other = socket.socketpair()
    with peer, other:
        connection.watch(peer)
        assert not connection.is_dead()
        other.close()
        assert connection.is_dead()


def test_a_connection_whose_socket_was_closed_with_its_first_answer_is_lost() -> None:
    connection = Connection[str](("http", b"h.example", None), 1, None)
    connection.transport = "one"
    peer, other = socket.socketpair()
    peer.close()
    other.close()
    connection.watch(peer)
    assert connection.is_lost()


def test_a_connection_whose_own_socket_was_closed_is_dead() -> None:
    connection = Connection[str](("http", b"h.example", None), 1, None)
    (peer, other), (quiet, far) = socket.socketpair(), socket.socketpair()
    with peer, other, quiet, far:
        connection.watch(peer)
        number = peer.fileno()
        peer.close()
        assert connection.is_dead()
        # Also when its number is by now that of another one, which has nothing to read.
        os.dup2(quiet.fileno(), number)
        try:
            assert connection.is_dead()
        finally:
            os.close(number)


@pytest.mark.parametrize(
    ("error", "in_body", "kind"),
    [
        (ssl.SSLError("bad record mac"), False, httpx.ReadError),
        (ConnectionResetError("reset"), False, httpx.ReadError),
        (FileNotFoundError("mine"), False, FileNotFoundError),
        (OSError("no route"), True, httpx.ReadError),
        (KeyError("mine"), True, KeyError),
    ],
)
def test_errors_are_httpxs_where_they_are_the_networks(
    error: Exception, in_body: bool, kind: type[Exception]
) -> None:
    request = httpx.Request("GET", "http://h.example/")
    made = as_transport_error(error, request, in_body=in_body)
    assert type(made) is kind
    if isinstance(made, httpx.RequestError):
        assert made.request is request
    else:
        assert made is error


def test_timeouts_of_a_pool_that_takes_at_once_are_a_mapping() -> None:
    at_once = _AtOnce({"read": 5.0})
    assert dict(at_once) == {"read": 5.0, "pool": 0.0}
    assert len(at_once) == 2
