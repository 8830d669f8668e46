"""Clients over the network transport, against real servers."""

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import h2.connection
import h2.errors
import h2.events
import pytest
from support import other, proxies, transportkit
from support.faulty import faulty_origin, half_a_chunk, reset_in_response_body
from support.flavours import Flavour
from support.http2 import H2Request, cut, h2_origin, reset_stream
from support.library import httpcore, httpx, shell
from support.networks import (
    Queued,
    clients_of,
    is_connected,
    limits,
    network,
    socks_forwarding,
    taken,
)
from support.proxies import raw_proxy, target
from support.raw import answering, raw_server, read_head, respond, wait_for_end
from support.servers import Origin, Proxy

from transportkit.network.errors import as_transport_error, unmasked, was_refused

NetworkTransport = shell("network").NetworkTransport
AsyncNetworkTransport = shell("network").AsyncNetworkTransport


async def test_a_request_of_the_other_library_is_told_what_to_import(flavour: Flavour) -> None:
    name = "async_default_transport" if flavour.is_async else "default_transport"
    transport = getattr(transportkit, name)(trust_env=False)
    with pytest.raises(TypeError, match=other.advice(name)):
        await flavour.send(transport, other.httpx.Request("GET", "http://example.com/"))
    assert taken(transport).startswith("0 connections, ")


async def test_a_body_of_the_other_kind_is_refused_as_in_httpx(flavour: Flavour) -> None:
    async def pieces() -> Any:
        yield b"body"

    content: Any = [b"body"] if flavour.is_async else pieces()
    request = httpx.Request("POST", "http://example.com/", content=content)
    transport = network(flavour)
    with pytest.raises(AssertionError):
        await flavour.send(transport, request)
    assert taken(transport).startswith("0 connections, ")


ASYNC_ONLY = pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)


class Counting:
    """A server that counts who is connected, and answers when it is told to.

    Attributes:
        url: of it.
        most: how many connections there were at once.
        total: how many there were.
        paths: of the requests, in order.
        came: set when a request has come.
        goes_on: set when answers may be given.
    """

    def __init__(self) -> None:
        self.url = ""
        self.most = self.total = 0
        self.paths: list[str] = []
        self._open: set[socket.socket] = set()
        self.came = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._lock = threading.Lock()

    def talk(self, connection: socket.socket) -> None:
        with self._lock:
            self.total += 1
            self._open.add(connection)
            self.most = max(self.most, sum(map(is_connected, self._open)))
        try:
            while True:
                head = read_head(connection)
                self.paths.append(head.split(b" ")[1].decode())
                self.came.set()
                self.goes_on.wait(10)
                respond(connection, "200 OK", body=b"fine")
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.remove(connection)


@contextmanager
def counting() -> Iterator[Counting]:
    it = Counting()
    with raw_server(it.talk) as url:
        it.url = url
        try:
            yield it
        finally:
            it.goes_on.set()


def waiting(queued: Any) -> dict[str, Any]:
    """The extensions of a request that sets an event when it is in the queue."""
    return {"timeout": {"pool": Queued(queued.set)}}


async def test_a_connection_is_kept_and_used_again(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour)
        async with flavour.client(transport=transport) as client:
            for _ in range(3):
                assert (await client.get(server.url)).text == "fine"
            assert taken(transport) == "1 connections, 1 idle, 0 waiting"
        assert (server.total, taken(transport)) == (1, "0 connections, 0 idle, 0 waiting")


async def test_a_closed_transport_opens_again(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour)
        for _ in range(2):
            request = httpx.Request("GET", server.url)
            response = await flavour.send(transport, request)
            assert await flavour.read(response) == b"fine"
            await flavour.close(transport)
            await flavour.close(transport)
        assert server.total == 2


@pytest.mark.parametrize(
    ("count", "most"), [(70, 4), pytest.param(400, 10, marks=pytest.mark.slow)]
)
@ASYNC_ONLY
async def test_there_are_never_more_than_there_may_be(
    count: int, most: int, flavour: Flavour
) -> None:
    with counting() as server, counting() as other:
        transport = network(flavour, limits=limits(most))
        async with flavour.client(transport=transport, timeout=60) as client:
            done: list[int] = []

            async def ask(number: int) -> None:
                with anyio.CancelScope() as scope:
                    if number % 7 == 0:
                        scope.deadline = anyio.current_time() + number % 5 / 1000
                    url = (server if number % 3 else other).url
                    async with client.stream("GET", url) as response:
                        if number % 5:
                            await response.aread()
                    done.append(number)
                if number % 50 == 0:
                    assert clients_of(server.url) + clients_of(other.url) <= most
                if not taken(transport).endswith(" 0 waiting"):
                    # Nobody waits while a place is free.
                    assert taken(transport).startswith(f"{most} connections, 0 idle")

            async with anyio.create_task_group() as group:
                for number in range(count):
                    group.start_soon(ask, number)
        assert len(done) >= count - count // 7 - 1
        assert max(server.most, other.most) <= most
        assert taken(transport) == "0 connections, 0 idle, 0 waiting"


def test_there_are_never_more_than_there_may_be_of_many_threads() -> None:
    with counting() as server:
        transport = NetworkTransport(limits=limits(4))
        with (
            httpx.Client(transport=transport, timeout=30) as client,
            ThreadPoolExecutor(16) as threads,
        ):
            answers = list(threads.map(client.get, [server.url] * 200))
        assert {each.text for each in answers} == {"fine"}
        assert server.most <= 4
        assert server.total <= 4


def test_who_waits_is_served_in_order() -> None:
    with counting() as server:
        server.goes_on.clear()
        transport = NetworkTransport(limits=limits(1))
        with httpx.Client(transport=transport, timeout=30) as client:
            threads = [threading.Thread(target=client.get, args=(f"{server.url}/0",))]
            threads[0].start()
            server.came.wait(30)
            for number in range(1, 5):
                queued = threading.Event()
                url = f"{server.url}/{number}"
                request = client.build_request("GET", url, extensions=waiting(queued))
                threads.append(threading.Thread(target=client.send, args=(request,)))
                threads[-1].start()
                queued.wait(30)
                assert f"{number} waiting" in taken(transport)
            server.goes_on.set()
            for thread in threads:
                thread.join()
        assert server.paths == [f"/{number}" for number in range(5)]
        assert server.total == 1


async def test_waiting_ends_by_the_pool_timeout(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour, limits=limits(1))
        timeout = httpx.Timeout(30, pool=0.02)
        async with flavour.client(transport=transport, timeout=timeout) as client:
            async with client.stream("GET", server.url):
                with pytest.raises(httpx.PoolTimeout) as caught:
                    await client.get(f"{server.url}/late")
                assert caught.value.request.url == f"{server.url}/late"
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert (await client.get(server.url)).text == "fine"


@ASYNC_ONLY
async def test_who_gives_up_waiting_leaves_the_queue(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour, limits=limits(1))
        async with flavour.client(transport=transport, timeout=30) as client:
            async with client.stream("GET", server.url):
                async with anyio.create_task_group() as group:
                    queued = anyio.Event()
                    group.start_soon(partial(client.get, server.url, extensions=waiting(queued)))
                    await queued.wait()
                    assert taken(transport) == "1 connections, 0 idle, 1 waiting"
                    group.cancel_scope.cancel()
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert (await client.get(server.url)).text == "fine"


@ASYNC_ONLY
async def test_who_gives_up_when_served_hands_on(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour, limits=limits(1))
        async with flavour.client(transport=transport, timeout=30) as client:
            answers: list[str] = []

            async def ask(scope: anyio.CancelScope, queued: anyio.Event) -> None:
                with scope:
                    response = await client.get(server.url, extensions=waiting(queued))
                    answers.append(response.text)

            for _ in range(2):
                first, second = anyio.CancelScope(), anyio.CancelScope()
                async with anyio.create_task_group() as group:
                    async with client.stream("GET", server.url):
                        for scope in (first, second):
                            queued = anyio.Event()
                            group.start_soon(ask, scope, queued)
                            await queued.wait()
                    # It has been handed over, and nobody has woken yet.
                    first.cancel()
            assert answers[-1] == "fine"
            assert taken(transport).startswith("1 connections, 1 idle")


async def test_room_is_made_by_an_idle_one_of_another_origin(flavour: Flavour) -> None:
    with counting() as one, counting() as other:
        transport = network(flavour, limits=limits(1))
        async with flavour.client(transport=transport, timeout=30) as client:
            for server in (one, other, one, other):
                assert (await client.get(server.url)).text == "fine"
            assert taken(transport) == "1 connections, 1 idle, 0 waiting"
        assert (one.total, other.total) == (2, 2)


async def test_a_connection_that_the_server_closed_is_not_used(flavour: Flavour) -> None:
    leave, left = threading.Event(), threading.Event()

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        respond(connection, "200 OK", body=b"fine")
        leave.wait(10)
        connection.close()
        left.set()

    with raw_server(talk) as url:
        transport = network(flavour, limits=limits(1))
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(3):
                leave.clear()
                left.clear()
                assert (await client.get(url)).text == "fine"
                assert taken(transport) == "1 connections, 1 idle, 0 waiting"
                leave.set()
                left.wait(10)


async def test_a_connection_that_ends_with_its_answer_is_let_go(flavour: Flavour) -> None:
    with raw_server(answering("204 No Content", "Connection: close")) as url:
        transport = network(flavour)
        async with flavour.client(transport=transport, timeout=30) as client:
            await client.get(url)
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            async with client.stream("GET", url):
                pass
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"


@pytest.mark.parametrize(("idle", "kept"), [(0, 0), (2, 2), (None, 3)])
async def test_idle_ones_are_kept_as_many_as_there_may_be(
    idle: int | None, kept: int, flavour: Flavour
) -> None:
    with counting() as server:
        transport = network(flavour, limits=limits(None, idle))
        async with flavour.client(transport=transport, timeout=30) as client:
            async with (
                client.stream("GET", server.url) as one,
                client.stream("GET", server.url) as two,
                client.stream("GET", server.url) as three,
            ):
                assert taken(transport) == "3 connections, 0 idle, 0 waiting"
                for response in (one, two, three):
                    await flavour.read(response)
            assert taken(transport) == f"{kept} connections, {kept} idle, 0 waiting"


async def test_an_idle_one_ends_in_time_by_a_request_through_any_other(flavour: Flavour) -> None:
    with counting() as one, counting() as other:
        short = network(flavour, limits=limits(expiry=0.02))
        async with (
            flavour.client(transport=short, timeout=30) as first,
            flavour.client(transport=network(flavour), timeout=30) as second,
        ):
            await first.get(one.url)
            assert taken(short).startswith("1 connections, 1 idle")
            for _ in range(1000):
                await second.get(other.url)
                if taken(short).startswith("0 connections"):
                    break
            assert taken(short) == "0 connections, 0 idle, 0 waiting"
            assert (await first.get(one.url)).text == "fine"


async def test_a_retired_connection_ends_with_its_body(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour)
        async with flavour.client(transport=transport, timeout=30) as client:
            async with client.stream("GET", server.url) as response:
                response.extensions["retire"]()
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            response = await client.get(server.url)
            response.extensions["retire"]()  # It has gone its way.
            await client.get(server.url)
            assert taken(transport) == "1 connections, 1 idle, 0 waiting"
            await flavour.call(transport.retire)
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"


async def test_idle_connections_can_be_closed_at_any_time(flavour: Flavour) -> None:
    with counting() as server:
        transport = network(flavour, limits=limits(expiry=None))
        async with flavour.client(transport=transport, timeout=30) as client:
            await client.get(server.url)
            async with client.stream("GET", server.url), client.stream("GET", server.url) as two:
                await flavour.read(two)
                assert taken(transport) == "2 connections, 1 idle, 0 waiting"
                await flavour.call(transport.close_idle)
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert (await client.get(server.url)).text == "fine"


class TestErrors:
    @pytest.mark.parametrize("step", [half_a_chunk(200), reset_in_response_body(200)])
    async def test_of_a_body_have_its_request(self, step: Any, flavour: Flavour) -> None:
        with faulty_origin(step) as origin:
            transport = network(flavour, limits=limits(1))
            request = httpx.Request("GET", origin.url)
            response = await flavour.send(transport, request)
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as caught:
                async for _ in flavour.chunks(response):
                    pass
            assert caught.value.request is request
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            await flavour.close(transport)

    async def test_of_a_damaged_record_are_read_errors(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem")

        def talk(connection: socket.socket) -> None:
            tls = context.wrap_socket(connection, server_side=True)
            read_head(tls)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            raw = socket.socket(fileno=tls.detach())
            with raw:
                raw.sendall(b"\x17\x03\x03\x00\x20" + b"not encrypted at all, and no MAC")
                wait_for_end(raw)

        with raw_server(talk) as url:
            request = httpx.Request("GET", url.replace("http:", "https:"))
            transport = network(flavour)
            response = await flavour.send(transport, request)
            with pytest.raises(httpx.ReadError) as caught:
                async for _ in flavour.chunks(response):
                    pass
            assert caught.value.request is request
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            await flavour.close(transport)

    async def test_of_the_callers_own_body_are_his(self, flavour: Flavour) -> None:
        async def failing_async() -> Any:
            yield b"a"
            raise FileNotFoundError("gone")

        def failing() -> Any:
            yield b"a"
            raise FileNotFoundError("gone")

        with counting() as server:
            transport = network(flavour)
            async with flavour.client(transport=transport, timeout=30) as client:
                body = failing_async() if flavour.is_async else failing()
                with pytest.raises(FileNotFoundError):
                    await client.post(server.url, content=body)
                assert taken(transport) == "0 connections, 0 idle, 0 waiting"

    async def test_of_a_stream_that_was_not_processed_can_be_told(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        def refuse(http: h2.connection.H2Connection, request: H2Request) -> bool:
            http.reset_stream(request.stream, h2.errors.ErrorCodes.REFUSED_STREAM)
            return True

        def leave(http: h2.connection.H2Connection, request: H2Request) -> bool:
            http.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=0)
            return False

        for how, told in ((refuse, True), (leave, True), (reset_stream, False), (cut, False)):
            with h2_origin(certificates, how) as (_, url):
                transport = network(flavour, http2=True)
                async with flavour.client(transport=transport) as client:
                    with pytest.raises(httpx.RemoteProtocolError) as caught:
                        await client.get(url)
                    assert was_refused(caught.value) == told
                    lives = how in (refuse, reset_stream)
                    assert taken(transport)[0] == str(int(lives))
                    assert caught.value.request.url == url

    async def test_of_an_http2_body_are_httpxs(self, flavour: Flavour, certificates: Path) -> None:
        def short(http: h2.connection.H2Connection, request: H2Request) -> bool:
            http.send_headers(request.stream, [(":status", "200"), ("content-length", "9")])
            http.send_data(request.stream, b"half", end_stream=False)
            return True

        def end(http: h2.connection.H2Connection, request: H2Request) -> bool:
            short(http, request)
            http.config.validate_outbound_headers = False
            http.end_stream(request.stream)
            return True

        with h2_origin(certificates, end) as (_, url):
            transport = network(flavour, http2=True)
            request = httpx.Request("GET", url)

            async def ask() -> None:
                response = await flavour.send(transport, request)
                async for _ in flavour.chunks(response):
                    pass

            with pytest.raises((httpx.RemoteProtocolError, httpx.LocalProtocolError)) as caught:
                await ask()
            assert caught.value.request is request
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            await flavour.close(transport)


class TestProxies:
    async def test_are_told_by_the_response(self, flavour: Flavour, certificates: Path) -> None:
        def talk(connection: socket.socket) -> None:
            head = read_head(connection)
            port = int(head.split(b" ")[1].rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port), 10) as upstream:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Exit: nl\r\n\r\n")
                proxies._carry(connection, upstream, None)

        with target(certificates) as it, raw_proxy(talk) as proxy:
            transport = network(flavour, proxy=proxy.url, verify=False)
            async with flavour.client(transport=transport, timeout=30) as client:
                for _ in range(2):
                    told = (await client.get(it.url["https"])).extensions
                    assert told["proxy"] == proxy.shown
                    assert told["proxy_headers"] == [(b"X-Exit", b"nl")]
                    assert told["verify"] is False
            assert "tiger" not in repr(transport)
            assert proxy.connections == 1

    async def test_that_there_are_not_are_not_told(self, flavour: Flavour) -> None:
        with counting() as server:
            async with flavour.client(transport=network(flavour)) as client:
                told = (await client.get(server.url)).extensions
                assert not told.keys() & {"proxy", "proxy_headers", "verify"}

    @pytest.mark.parametrize("port", ["", ":8443"])
    async def test_get_brackets_around_ipv6(self, port: str, flavour: Flavour) -> None:
        heads: list[bytes] = []

        def talk(connection: socket.socket) -> None:
            while True:
                heads.append(read_head(connection))
                respond(connection, "400 Bad Request")

        with raw_proxy(talk) as proxy:
            transport = network(flavour, proxy=proxy.url)
            async with flavour.client(transport=transport, timeout=30) as client:
                with pytest.raises(httpx.ProxyError):
                    await client.get(f"https://[2001:db8::1]{port}/a")
                for _ in range(2):
                    await client.get(f"http://[2001:db8::1]{port}/a?b=c")
        connect, plain, again = heads
        authority = f"[2001:db8::1]{port or ':443'}".encode()
        assert connect.startswith(b"CONNECT " + authority + b" HTTP/1.1\r\n")
        assert b"\r\nHost: " + authority + b"\r\n" in connect
        for head in (plain, again):
            assert head.startswith(f"GET http://[2001:db8::1]{port}/a?b=c HTTP/1.1\r\n".encode())
            assert f"\r\nHost: [2001:db8::1]{port}\r\n".encode() in head

    async def test_that_speak_socks_carry_wss_in_tls(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        first: list[bytes] = []

        def talk(connection: socket.socket) -> None:
            connection.recv(262)
            connection.sendall(b"\x05\x00")
            connection.recv(262)
            connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
            first.append(connection.recv(1))

        with raw_proxy(talk, "socks5") as proxy:
            url = proxy.url.replace("scott:tiger@", "")
            async with flavour.client(transport=network(flavour, proxy=url)) as client:
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get("wss://bank.example/", headers={"Authorization": "s3cret"})
                assert caught.value.request.url == "wss://bank.example/"
        assert first == [b"\x16"]

    async def test_that_speak_socks_carry_ws_in_clear(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        with target(certificates) as it, raw_proxy(socks_forwarding, "socks5") as proxy:
            url = proxy.url.replace("scott:tiger@", "")
            async with flavour.client(transport=network(flavour, proxy=url)) as client:
                answer = await client.get(it.url["http"].replace("http:", "ws:"))
                assert answer.text == "fine"

    async def test_refuse_ws_through_a_tunnel_before_anything_is_sent(
        self, flavour: Flavour
    ) -> None:
        with raw_proxy(proxies.hanging) as proxy:
            async with flavour.client(transport=network(flavour, proxy=proxy.url)) as client:
                with pytest.raises(httpx.UnsupportedProtocol, match=r"^ws:// cannot go through"):
                    await client.get("ws://chat.example/")
            assert proxy.connections == 0

    @pytest.mark.parametrize("talk", [proxies.mute, proxies.socks_hanging])
    async def test_that_stall_in_a_socks_handshake_are_waited_for_by_the_timeout(
        self, talk: Any, flavour: Flavour
    ) -> None:
        with raw_proxy(talk, "socks5") as proxy:
            timeout = httpx.Timeout(30, read=0.02)
            transport = network(flavour, proxy=proxy.url)
            async with flavour.client(transport=transport, timeout=timeout) as client:
                with pytest.raises(httpx.ReadTimeout):
                    await client.get("http://example.com/")

    async def test_keep_the_callers_trace(
        self, flavour: Flavour, origin: Origin, proxy: Proxy
    ) -> None:
        heard: list[str] = []

        def trace(event: str, info: Any) -> None:
            heard.append(event)

        async def async_trace(event: str, info: Any) -> None:
            heard.append(event)

        extensions = {"trace": async_trace if flavour.is_async else trace}
        async with flavour.client(transport=network(flavour, proxy=proxy.url)) as client:
            for _ in range(2):
                await client.get(origin.https, extensions=extensions)
        counted = Counter(heard)
        assert counted["connection.connect_tcp.complete"] == 1
        assert counted["proxy.start_tls.complete"] == 1
        assert counted["http11.send_request_headers.complete"] == 3
        assert counted["http11.receive_response_body.complete"] == 2


class TestHTTP2:
    async def test_is_shared(self, flavour: Flavour, origin: Origin) -> None:
        transport = network(flavour, http2=True)
        async with flavour.client(transport=transport, timeout=30) as client:
            async with (
                client.stream("GET", origin.https) as one,
                client.stream("GET", origin.https) as two,
            ):
                assert {one.http_version, two.http_version} == {"HTTP/2"}
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert taken(transport) == "1 connections, 1 idle, 0 waiting"

    async def test_is_shared_with_the_timeouts_of_each(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        def begin(http: h2.connection.H2Connection, request: H2Request) -> bool:
            if request.stream == 1:
                http.send_headers(request.stream, [(":status", "200")])
            return True

        with h2_origin(certificates, begin) as (origin, url):
            transport = network(flavour, http2=True)
            async with (
                flavour.client(transport=transport, timeout=30) as client,
                client.stream("GET", url),
            ):
                with pytest.raises(httpx.ReadTimeout):
                    await client.get(url, timeout=httpx.Timeout(30, read=0.02))
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert origin.connections == 1

    @pytest.mark.parametrize("through", ["", "http"])
    @ASYNC_ONLY
    async def test_is_shared_by_all_that_come_at_once(
        self, through: str, flavour: Flavour, origin: Origin, proxy: Proxy
    ) -> None:
        transport = network(flavour, http2=True, proxy=proxy.url if through else None)
        async with flavour.client(transport=transport, timeout=30) as client:
            answers: list[httpx.Response] = []

            async def ask(number: int) -> None:
                answers.append(await client.get(f"{origin.https}/{number}"))

            for _ in range(2):
                async with anyio.create_task_group() as group:
                    for number in range(10):
                        group.start_soon(ask, number)
            assert Counter(each.json()["path"] for each in answers) == {
                f"/{number}": 2 for number in range(10)
            }
            if not through:
                assert taken(transport) == "1 connections, 1 idle, 0 waiting"

    @ASYNC_ONLY
    async def test_that_the_server_does_not_speak_is_found_out_by_each(
        self, flavour: Flavour, certificates: Path
    ) -> None:
        with target(certificates) as it:
            transport = network(flavour, http2=True, limits=limits(3))
            async with flavour.client(transport=transport, timeout=30) as client:
                async with anyio.create_task_group() as group:
                    for _ in range(20):
                        group.start_soon(client.get, it.url["https"])
                assert taken(transport) == "3 connections, 3 idle, 0 waiting"
            assert len(it.requests) == 20

    async def test_that_has_gone_away_is_left(self, flavour: Flavour, certificates: Path) -> None:
        answers = 0

        def last_one(http: h2.connection.H2Connection, request: H2Request) -> bool:
            nonlocal answers
            answers += 1
            http.send_headers(request.stream, [(":status", "200")])
            http.send_data(request.stream, b"fine", end_stream=True)
            return False

        with h2_origin(certificates, last_one) as (_, url):
            transport = network(flavour, http2=True)
            async with flavour.client(transport=transport, timeout=30) as client:
                assert (await client.get(url)).text == "fine"
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get(url)
                assert taken(transport) == "0 connections, 0 idle, 0 waiting"
                assert (await client.get(url)).text == "fine"

    def test_of_many_threads_mixes_nothing_up(self, origin: Origin) -> None:
        transport = NetworkTransport(http2=True)
        with httpx.Client(transport=transport, timeout=30) as client:

            def ask(number: int) -> bool:
                mark = {f"X-Mark-{number % 50}": str(number), "X-Mark": str(number)}
                response = client.get(f"{origin.https}/{number}", headers=mark)
                assert response.http_version == "HTTP/2"
                seen = response.json()
                headers = {name: value for name, value in seen["headers"] if "x-mark" in name}
                return (seen["path"], headers) == (
                    f"/{number}",
                    {k.lower(): v for k, v in mark.items()},
                )

            with ThreadPoolExecutor(64) as threads:
                assert all(threads.map(ask, range(640)))


def test_arguments_are_refused_as_httpx_refuses_them() -> None:
    for kind in (NetworkTransport, AsyncNetworkTransport):
        with pytest.raises(ValueError, match=r"^Unknown scheme"):
            kind(proxy="gopher://proxy.example")
        with pytest.raises(TypeError):
            kind(certificate="x")


async def test_a_unix_socket_is_a_way_to_go(flavour: Flavour, origin: Origin) -> None:
    async with flavour.client(transport=network(flavour, uds=origin.unix_socket)) as client:
        assert (await client.get("http://h.example/a")).json()["path"] == "/a"


async def test_socket_options_may_be_read_once(flavour: Flavour, origin: Origin) -> None:
    options = iter([(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
    transport = network(flavour, socket_options=options, limits=limits(idle=0))
    async with flavour.client(transport=transport) as client:
        for _ in range(2):
            peer = (await client.get(origin.http)).extensions["network_stream"]
            assert peer is not None


def test_what_httpcore_lets_through_is_an_error_of_the_library() -> None:
    request = httpx.Request("GET", "https://shop.example/")
    errors = [
        (anyio.EndOfStream(), False, httpx.WriteError),
        (anyio.EndOfStream(), True, httpx.ReadError),
        (httpcore.ReadTimeout(), False, httpx.ReadTimeout),
        (httpcore.ConnectionNotAvailable(), False, httpx.RemoteProtocolError),
    ]
    for error, in_body, kind in errors:
        own: Any = as_transport_error(error, request, in_body=in_body)
        assert (type(own), own.request) == (kind, request)
    own = ValueError("of the caller's")
    assert as_transport_error(own, request) is own


def fail(error: Exception) -> None:
    raise error


def release_twice_after(error: Exception) -> None:
    """Hide an error, as httpcore does."""
    try:
        fail(error)
    finally:
        fail(ValueError("semaphore released too many times"))


def test_an_error_that_httpcore_hides_by_another_is_found() -> None:
    hidden = httpcore.ReadError()
    with pytest.raises(ValueError, match="semaphore") as caught:
        release_twice_after(hidden)
    assert unmasked(caught.value) is hidden
    assert unmasked(hidden) is hidden


def test_an_error_from_before_the_request_is_not_what_httpcore_hides() -> None:
    error = ValueError("semaphore released too many times")
    assert unmasked(error) is error
    with pytest.raises(KeyError) as earlier:
        fail(KeyError())
    error.__context__ = earlier.value
    assert unmasked(error) is error
    request = httpx.Request("GET", "https://shop.example/")
    assert isinstance(as_transport_error(error, request), httpx.RemoteProtocolError)
