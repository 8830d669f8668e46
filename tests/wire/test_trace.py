"""What httpcore's events prove about a request: did the origin see it?"""

import inspect
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.raw import Talk, answering, raw_server, read_head, respond, wait_for_end
from support.servers import Origin, Proxy

from transportkit.wire.trace import AsyncSentWatch, SentWatch, Watch

# Any error will do to ask a watch that has heard events: they alone decide then.
ERROR = httpx.ReadError("")
ERRORS = sorted(
    {
        kind
        for kind in vars(httpx).values()
        if inspect.isclass(kind) and issubclass(kind, httpx.RequestError)
    },
    key=lambda kind: kind.__name__,
)
UNSENT = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError}


def watch_of(flavour: Flavour, trace: Any = None) -> Any:
    return AsyncSentWatch(trace) if flavour.is_async else SentWatch(trace)


def recorder(flavour: Flavour, events: list[tuple[str, Any]]) -> Callable[..., Any]:
    """A trace callback of the client's own kind."""

    def note(event: str, info: Mapping[str, Any]) -> None:
        events.append((event, dict(info)))

    async def async_note(event: str, info: Mapping[str, Any]) -> None:
        note(event, info)

    return async_note if flavour.is_async else note


async def exchange(
    flavour: Flavour,
    url: str,
    trace: Any,
    *,
    read: float | None = None,
    kind: str = "HTTPTransport",
    **options: Any,
) -> httpx.Response:
    """POST to `url` through a transport of its own, to the end of the body."""
    extensions = {"trace": trace, "timeout": {"read": read}}
    request = httpx.Request("POST", url, content=b"body", extensions=extensions)
    async with flavour.entered(flavour.pick(kind)(**options)) as transport:
        response = await flavour.send(transport, request)
        async for _ in flavour.chunks(response):
            pass
        await flavour.close(response)
        return response


def untrusting() -> ssl.SSLContext:
    """A client's context that trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_request(connection: socket.socket) -> None:
    """Head and body: a client that cannot write its body on leaves it to the collector."""
    head = read_head(connection).lower()
    left = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
    while left:
        left -= len(connection.recv(left))


def closing(connection: socket.socket) -> None:
    read_request(connection)


def hanging(connection: socket.socket) -> None:
    read_request(connection)
    wait_for_end(connection)


def resetting(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def closing_tunnel(connection: socket.socket) -> None:
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def closing_at_once(connection: socket.socket) -> None:
    reset(connection)


@contextmanager
def refused_port() -> Iterator[int]:
    """A port that nobody listens on, and nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class TestARequestThatArrived:
    @pytest.mark.parametrize(
        ("scheme", "http2", "version"),
        [("http", False, b"HTTP/1.1"), ("https", False, b"HTTP/1.1"), ("https", True, b"HTTP/2")],
    )
    async def test_is_never_proven_unsent(
        self, flavour: Flavour, origin: Origin, scheme: str, http2: bool, version: bytes
    ) -> None:
        watch = watch_of(flavour)
        response = await exchange(flavour, getattr(origin, scheme), watch, http2=http2)
        assert response.status_code == 200
        assert response.extensions["http_version"] == version
        assert not any(watch.proves_unsent(kind("")) for kind in ERRORS)

    @pytest.mark.parametrize(
        ("scheme", "http2", "flavour"),
        thinned([("http", False), ("https", False), ("http", True), ("https", True)], NAMES),
        indirect=["flavour"],
    )
    async def test_through_a_proxy_is_never_proven_unsent(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, scheme: str, http2: bool
    ) -> None:
        watch = watch_of(flavour)
        url = getattr(origin, scheme)
        response = await exchange(flavour, url, watch, proxy=proxy.url, http2=http2)
        assert response.status_code == 200
        assert not any(watch.proves_unsent(kind("")) for kind in ERRORS)

    @pytest.mark.parametrize("talk", [closing, resetting])
    async def test_and_then_lost_its_connection_is_not_proven_unsent(
        self, flavour: Flavour, talk: Talk
    ) -> None:
        watch = watch_of(flavour)
        with (
            raw_server(talk) as url,
            pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)) as caught,
        ):
            await exchange(flavour, url, watch)
        assert not watch.proves_unsent(caught.value)

    async def test_and_got_no_answer_is_not_proven_unsent(self, flavour: Flavour) -> None:
        watch = watch_of(flavour)
        with raw_server(hanging) as url, pytest.raises(httpx.ReadTimeout) as caught:
            await exchange(flavour, url, watch, read=0.005)
        assert not watch.proves_unsent(caught.value)

    async def test_at_a_proxy_for_a_plain_target_is_not_proven_unsent(
        self, flavour: Flavour
    ) -> None:
        # The proxy may have passed it on before it failed.
        watch = watch_of(flavour)
        with raw_server(closing) as url, pytest.raises(httpx.RemoteProtocolError) as caught:
            await exchange(flavour, "http://example.com/", watch, proxy=url)
        assert not watch.proves_unsent(caught.value)


class TestARequestThatNeverLeft:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_for_a_refused_port_is_proven_unsent(self, flavour: Flavour, scheme: str) -> None:
        watch = watch_of(flavour)
        with refused_port() as port, pytest.raises(httpx.ConnectError):
            await exchange(flavour, f"{scheme}://127.0.0.1:{port}/", watch)
        assert watch.proves_unsent(ERROR)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_for_a_refusing_proxy_is_proven_unsent(
        self, flavour: Flavour, scheme: str
    ) -> None:
        watch, url = watch_of(flavour), f"{scheme}://example.com/"
        with refused_port() as port, pytest.raises(httpx.ConnectError):
            await exchange(flavour, url, watch, proxy=f"http://127.0.0.1:{port}")
        assert watch.proves_unsent(ERROR)

    async def test_for_an_untrusted_certificate_is_proven_unsent(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        watch = watch_of(flavour)
        with pytest.raises(httpx.ConnectError):
            await exchange(flavour, origin.https, watch, verify=untrusting())
        assert watch.proves_unsent(ERROR)

    # Python leaves the socket of some failed handshakes to the collector.
    @pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
    async def test_for_a_server_that_resets_in_the_tls_handshake_is_proven_unsent(
        self, flavour: Flavour
    ) -> None:
        watch = watch_of(flavour)
        with raw_server(closing_at_once) as url, pytest.raises(httpx.TransportError):
            await exchange(flavour, url.replace("http:", "https:"), watch)
        assert watch.proves_unsent(ERROR)


class TestATunnel:
    @pytest.mark.parametrize(
        ("talk", "kinds"),
        [
            (closing, (httpx.RemoteProtocolError,)),
            (resetting, (httpx.ReadError,)),
            (closing_at_once, (httpx.NetworkError, httpx.RemoteProtocolError)),
            (answering("502 Bad Gateway"), (httpx.ProxyError,)),
            (answering("407 Proxy Authentication Required"), (httpx.ProxyError,)),
            (hanging, (httpx.ReadTimeout,)),
            (closing_tunnel, (httpx.ConnectError,)),
        ],
        ids=["closed", "reset", "reset at once", "502", "407", "hanging", "closed after 200"],
    )
    async def test_that_did_not_come_about_proves_the_request_unsent(
        self, flavour: Flavour, talk: Talk, kinds: tuple[type[Exception], ...]
    ) -> None:
        events: list[tuple[str, Any]] = []
        watch = watch_of(flavour, recorder(flavour, events))
        read = 0.005 if talk is hanging else None
        with raw_server(talk) as url, pytest.raises(kinds) as caught:
            await exchange(flavour, "https://example.com/", watch, proxy=url, read=read)
        assert watch.proves_unsent(caught.value)
        assert events

    async def test_to_an_untrusted_certificate_proves_the_request_unsent(
        self, flavour: Flavour, origin: Origin, proxy: Proxy
    ) -> None:
        events: list[tuple[str, Any]] = []
        watch = watch_of(flavour, recorder(flavour, events))
        with pytest.raises(httpx.ConnectError):
            await exchange(flavour, origin.https, watch, proxy=proxy.url, verify=untrusting())
        sent = [
            info["request"].method
            for event, info in events
            if event.endswith(".send_request_headers.started")
        ]
        assert sent == [b"CONNECT"]
        assert watch.proves_unsent(ERROR)

    async def test_that_broke_after_the_request_went_in_proves_nothing(
        self, flavour: Flavour, certificates: Any
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "server.pem")

        def talk(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with context.wrap_socket(connection, server_side=True) as tunnel:
                read_request(tunnel)

        watch = watch_of(flavour)
        with raw_server(talk) as url, pytest.raises(httpx.TransportError) as caught:
            await exchange(flavour, "https://localhost/", watch, proxy=url)
        assert not watch.proves_unsent(caught.value)


class TestWithoutEvents:
    @pytest.mark.parametrize(("kind", "flavour"), thinned(ERRORS, NAMES), indirect=["flavour"])
    async def test_only_errors_from_before_sending_prove_anything(
        self, flavour: Flavour, kind: type[httpx.RequestError]
    ) -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            raise kind("")

        watch = watch_of(flavour)
        request = httpx.Request("POST", "https://example.com/", extensions={"trace": watch})
        with pytest.raises(kind) as caught:
            await flavour.send(httpx.MockTransport(fail), request)
        assert watch.proves_unsent(caught.value) == (kind in UNSENT)

    @pytest.mark.parametrize("error", [OSError(), ValueError(), httpx.StreamConsumed()])
    def test_any_other_exception_proves_nothing(self, error: Exception) -> None:
        assert not Watch().proves_unsent(error)

    async def test_a_full_pool_proves_the_request_unsent(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        watch = watch_of(flavour)
        limits = httpx.Limits(max_connections=1)
        async with flavour.entered(flavour.HTTPTransport(limits=limits)) as transport:
            first = await flavour.send(transport, httpx.Request("GET", origin.http))
            request = httpx.Request(
                "POST", origin.http, extensions={"trace": watch, "timeout": {"pool": 0.001}}
            )
            with pytest.raises(httpx.PoolTimeout) as caught:
                await flavour.send(transport, request)
            await flavour.close(first)
        assert watch.proves_unsent(caught.value)


class TestAWatch:
    def test_takes_a_request_it_cannot_read_for_one_that_was_sent(self) -> None:
        watch = Watch()
        watch.hear("http11.send_request_headers.started", {})
        assert not watch.proves_unsent(httpx.ConnectError(""))

    def test_does_not_forget_a_request_over_a_later_connect(self) -> None:
        watch = Watch()
        for method in (b"POST", b"CONNECT"):
            request = type("Request", (), {"method": method})
            watch.hear("http11.send_request_headers.started", {"request": request})
        assert not watch.proves_unsent(ERROR)


class TestThePeer:
    @pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
    async def test_that_refuses_was_not_reached(self, flavour: Flavour, scheme: str) -> None:
        watch = watch_of(flavour)
        with refused_port() as port:
            url = f"{scheme}://127.0.0.1:{port}"
            with pytest.raises(httpx.ConnectError):
                await exchange(flavour, "https://example.com/", watch, proxy=url)
        assert not watch.reached

    @pytest.mark.parametrize("target", ["http://example.com/", "https://example.com/"])
    async def test_that_was_asked_was_reached(self, flavour: Flavour, target: str) -> None:
        watch = watch_of(flavour)
        with raw_server(closing) as url, pytest.raises(httpx.RemoteProtocolError):
            await exchange(flavour, target, watch, proxy=url)
        assert watch.reached

    async def test_that_broke_a_socks_handshake_was_reached(self, flavour: Flavour) -> None:
        def talk(connection: socket.socket) -> None:
            connection.recv(3)
            connection.sendall(b"\x05\xff")
            wait_for_end(connection)

        watch = watch_of(flavour)
        with raw_server(talk) as url:
            socks = url.replace("http://", "socks5://")
            with pytest.raises(httpx.ProxyError) as caught:
                # The stock one would leave the socket open.
                await exchange(
                    flavour, "http://example.com/", watch, kind="NetworkTransport", proxy=socks
                )
        assert watch.reached
        assert watch.proves_unsent(caught.value)

    async def test_that_opened_a_tunnel_by_socks_was_reached(self, flavour: Flavour) -> None:
        def talk(connection: socket.socket) -> None:
            connection.recv(3)
            connection.sendall(b"\x05\x00")
            connection.recv(64)
            connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
            read_request(connection)
            respond(connection, "200 OK")
            wait_for_end(connection)

        watch = watch_of(flavour)
        with raw_server(talk) as url:
            socks = url.replace("http://", "socks5://")
            response = await exchange(flavour, "http://example.com/", watch, proxy=socks)
        assert response.status_code == 200
        assert watch.reached
        assert not any(watch.proves_unsent(kind("")) for kind in ERRORS)


class TestTheCallersTrace:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_hears_every_event_once_with_all_it_tells(
        self, flavour: Flavour, origin: Origin, scheme: str
    ) -> None:
        chained: list[tuple[str, Any]] = []
        alone: list[tuple[str, Any]] = []
        url = getattr(origin, scheme)
        await exchange(flavour, url, watch_of(flavour, recorder(flavour, chained)))
        await exchange(flavour, url, recorder(flavour, alone))
        assert [event for event, _ in chained] == [event for event, _ in alone]
        assert [sorted(info) for _, info in chained] == [sorted(info) for _, info in alone]
        assert "connection.connect_tcp.started" in dict(chained)
        assert "http11.response_closed.complete" in dict(chained)

    async def test_raises_its_own_errors(self, flavour: Flavour) -> None:
        heard: list[str] = []

        def refuse(event: str, info: Mapping[str, Any]) -> None:
            heard.append(event)
            raise LookupError(event)

        async def async_refuse(event: str, info: Mapping[str, Any]) -> None:
            refuse(event, info)

        trace = async_refuse if flavour.is_async else refuse
        with raw_server(closing) as url, pytest.raises(LookupError, match=r"connect_tcp\.started"):
            await exchange(flavour, url, watch_of(flavour, trace))
        assert heard[0] == "connection.connect_tcp.started"

    async def test_hears_the_events_of_the_body_too(self, flavour: Flavour) -> None:
        def talk(connection: socket.socket) -> None:
            read_request(connection)
            respond(connection, "200 OK", body=b"abc")
            wait_for_end(connection)

        events: list[tuple[str, Any]] = []
        with raw_server(talk) as url:
            await exchange(flavour, url, watch_of(flavour, recorder(flavour, events)))
        names = [event for event, _ in events]
        assert names.count("http11.receive_response_body.complete") == 1
