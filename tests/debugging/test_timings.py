"""Where the time goes: the phases as decisions over events, and as a server delays each."""

import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import perf_counter

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flavours import Flavour
from support.library import httpx
from support.raw import raw_server, read_head, wait_for_end
from support.servers import Origin
from support.transportkit import Exchange, Timings

from transportkit.debugging import har_entry
from transportkit.debugging.timings import _PHASE_AFTER, TUNNEL, timings

CONNECT = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
TLS = ["connection.start_tls.started", "connection.start_tls.complete"]
SEND = [
    "http11.send_request_headers.started",
    "http11.send_request_headers.complete",
    "http11.send_request_body.started",
    "http11.send_request_body.complete",
]
RECEIVE = ["http11.receive_response_headers.started", "http11.receive_response_headers.complete"]
BODY = ["http11.receive_response_body.started", "http11.receive_response_body.complete"]
CLOSED = ["http11.response_closed.started", "http11.response_closed.complete"]


def each_second(*events: str) -> list[tuple[str, float]]:
    """The first event comes after a second, and so on."""
    return [(event, 1.0 + number) for number, event in enumerate(events)]


def after(*events: str) -> Timings:
    """The phases of events that come each second, the end a second after the last."""
    return timings(0.0, each_second(*events), None, len(events) + 1.0)


class TestThePhases:
    def test_of_a_new_connection(self) -> None:
        found = after(*CONNECT, *TLS, *SEND, *RECEIVE, *BODY)
        assert found == Timings(1.0, 2.0, 2.0, 3.0, 2.0, 3.0, 13.0)

    def test_of_a_reused_connection(self) -> None:
        found = after(*SEND, *RECEIVE, *BODY)
        assert found == Timings(1.0, None, None, 3.0, 2.0, 3.0, 9.0)

    def test_of_http2(self) -> None:
        init = ["http2.send_connection_init.started", "http2.send_connection_init.complete"]
        settings = ["http2.receive_remote_settings.started"]
        found = after(
            *init, *(event.replace("11", "2") for event in [*SEND, *RECEIVE[:1], *settings])
        )
        assert found == Timings(2.0, None, None, 4.0, 3.0, None, 9.0)

    def test_of_a_tunnel(self) -> None:
        """What the proxy does is connecting, and so is a handshake with it no origin's."""
        connect = [TUNNEL + SEND[0], *SEND[1:], *RECEIVE]
        tls = ["proxy.start_tls.started", "proxy.start_tls.complete"]
        found = after(*CONNECT, *TLS, *connect, *tls, *SEND, *RECEIVE, *BODY)
        assert found == Timings(1.0, 8.0, 4.0, 3.0, 2.0, 3.0, 21.0)

    def test_of_a_tunnel_that_fails(self) -> None:
        failing = [TUNNEL + SEND[0], *SEND[1:], RECEIVE[0], *CLOSED]
        found = after(*CONNECT, *failing)
        assert found.blocked is not None
        assert found.connect is not None
        assert found.blocked + found.connect == found.total
        assert (found.send, found.wait, found.receive) == (None, None, None)
        assert after(*CONNECT, *failing, *SEND).send is not None

    def test_of_socks(self) -> None:
        socks = [
            "socks.connect_tcp.started",
            "socks.connect_tcp.complete",
            "socks.setup_socks5_connection.started",
            "socks.setup_socks5_connection.complete",
        ]
        assert after(*socks, *SEND[:1]) == Timings(1.0, 4.0, None, 1.0, total=6.0)

    def test_of_a_connection_that_was_tried_again(self) -> None:
        failed = ["connection.connect_tcp.started", "connection.connect_tcp.failed"]
        retry = ["connection.retry.started", "connection.retry.complete"]
        assert after(*failed, *retry, *CONNECT) == Timings(3.0, 4.0, total=7.0)

    def test_of_a_request_that_was_tried_again(self) -> None:
        found = after(*SEND, *RECEIVE, *BODY, *CLOSED, *SEND, *RECEIVE)
        # A wait before the second attempt is no part of the first.
        assert found == Timings(2.0, None, None, 6.0, 4.0, 5.0, 17.0)

    @pytest.mark.parametrize(
        ("events", "phase"),
        [
            (CONNECT[:1], "connect"),
            ([*CONNECT, *TLS[:1]], "tls"),
            (SEND[:1], "send"),
            (SEND, "wait"),
            ([*SEND, *RECEIVE], "receive"),
        ],
    )
    def test_of_a_failure_end_with_the_one_it_was_in(self, events: list[str], phase: str) -> None:
        whole = timings(0.0, each_second(*events), None, 100.0)
        assert getattr(whole, phase) == 100.0 - len(events)

    def test_without_events(self) -> None:
        assert timings(1.0, [], 3.0, 7.0) == Timings(wait=2.0, receive=4.0, total=6.0)
        assert timings(1.0, [], None, 7.0) == Timings(wait=6.0, total=6.0)

    def test_of_a_pool_that_stayed_full(self) -> None:
        def found(events: list[tuple[str, float]], head: float | None) -> Timings:
            return timings(1.0, events, head, 7.0, found_pool_full=True)

        assert found([], None) == Timings(blocked=6.0, total=6.0)
        # Something else went on before.
        assert found([], 3.0) == Timings(wait=2.0, receive=4.0, total=6.0)
        assert found([(SEND[0], 2.0)], None) == Timings(blocked=1.0, send=5.0, total=6.0)

    @given(
        events=st.lists(
            st.tuples(
                st.builds(
                    lambda mark, step: f"{mark}http11.{step}",
                    st.sampled_from(["", TUNNEL]),
                    st.sampled_from([*_PHASE_AFTER, "close.started", ""]),
                ),
                st.floats(0, 10),
            )
        ),
        rest=st.floats(0, 10),
    )
    def test_add_up(self, events: list[tuple[str, float]], rest: float) -> None:
        now, at = 100.0, []
        for event, passed in events:
            now += passed
            at.append((event, now))
        *phases, total = timings(100.0, at, None, now + rest)
        told = [phase for phase in phases if phase is not None]
        assert sum(told) == pytest.approx(total)
        assert all(phase >= 0 for phase in told)


class Moments:
    """Moments at which the client is known to be in one phase or another.

    Their clock is the client's, and what a phase begins or ends with is seen to come before or
    after. So nothing here depends on how fast the machine is.
    """

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.events: list[str] = []
        self._has_come = threading.Condition()

    def trace(self, event: str, info: object) -> None:
        with self._has_come:
            self.events.append(event)
            self._has_come.notify_all()

    async def async_trace(self, event: str, info: object) -> None:
        self.trace(event, info)

    def wait_for(self, event: str, times: int = 1) -> None:
        with self._has_come:
            assert self._has_come.wait_for(lambda: self.events.count(event) >= times, 10)

    def is_in(self, phase: str) -> None:
        self.at[phase] = perf_counter()

    def assert_are_in_their_phases(self, exchange: Exchange) -> None:
        """Each lies within its phase, so that no phase holds any of another's."""
        *phases, total = exchange.timings
        ended = exchange._record.started
        for phase, seconds in zip(Timings._fields, phases, strict=False):
            started, ended = ended, ended + (seconds or 0)
            if phase in self.at:
                assert started - 1e-6 <= self.at[phase] <= ended + 1e-6, phase
        assert sum(seconds or 0 for seconds in phases) == pytest.approx(total)


async def test_each_phase_holds_its_own_moment(flavour: Flavour, certificates: Path) -> None:
    moments = Moments()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem")

    def talk(connection: socket.socket) -> None:
        """A proxy that is the origin as well."""
        read_head(connection)
        moments.wait_for("http11.send_request_headers.started")
        moments.is_in("connect")
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        moments.wait_for("proxy.start_tls.started")
        moments.is_in("tls")
        with context.wrap_socket(connection, server_side=True) as tls:
            read_head(tls)
            body = b""
            while not body.endswith(b"\r\n0\r\n\r\n"):
                body += tls.recv(65536)
            moments.wait_for("http11.receive_response_headers.started", times=2)
            moments.is_in("wait")
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha")
            moments.wait_for("http11.receive_response_body.started")
            moments.is_in("receive")
            tls.sendall(b"lf")
            wait_for_end(tls)

    def content() -> Iterator[bytes]:
        yield b"one"
        moments.is_in("send")
        yield b"two"

    async def async_content() -> AsyncIterator[bytes]:
        for chunk in content():
            yield chunk

    seen: list[Exchange] = []
    with raw_server(talk) as url:
        transport = flavour.DebuggingTransport(None, seen.append, proxy=url)
        async with flavour.client(transport=transport) as client:
            response = await client.post(
                "https://localhost/",
                content=async_content() if flavour.is_async else content(),
                extensions={"trace": moments.async_trace if flavour.is_async else moments.trace},
            )
    assert response.text == "half"
    (exchange,) = seen
    assert moments.at.keys() == {"connect", "tls", "send", "wait", "receive"}
    assert None not in exchange.timings
    moments.assert_are_in_their_phases(exchange)
    assert exchange.tls_version == "TLSv1.3"
    assert exchange.server_address == url.removeprefix("http://")


async def test_a_reused_connection_was_not_connected(flavour: Flavour, origin: Origin) -> None:
    seen: list[Exchange] = []
    transport = flavour.DebuggingTransport(None, seen.append)
    async with flavour.client(transport=transport) as client:
        await client.get(origin.https)
        await client.get(origin.https)
    first, second = (exchange.timings for exchange in seen)
    assert first.connect is not None
    assert first.tls is not None
    assert second._replace(connect=None, tls=None) == second
    assert None not in (second.blocked, second.send, second.wait, second.receive)
    assert [exchange.tls_version for exchange in seen] == ["TLSv1.3", "TLSv1.3"]
    address = origin.https.removeprefix("https://")
    assert [exchange.server_address for exchange in seen] == [address, address]


async def test_a_pool_that_stays_full_blocks_to_the_end(flavour: Flavour, origin: Origin) -> None:
    seen: list[Exchange] = []
    inner = flavour.HTTPTransport(limits=httpx.Limits(max_connections=1))
    transport = flavour.DebuggingTransport(inner, seen.append)
    async with (
        flavour.client(transport=transport) as client,
        client.stream("GET", origin.http),
    ):
        with pytest.raises(httpx.PoolTimeout):
            await client.get(origin.http, timeout=httpx.Timeout(10, pool=0.01))
    failed = seen[0]
    assert failed.error is not None
    assert failed.error.startswith("PoolTimeout")
    assert failed.timings == Timings(blocked=failed.timings.total, total=failed.timings.total)
    shown = har_entry.timings_of(failed.timings)
    assert shown["blocked"] > 0
    assert shown["wait"] == 0


class Watching:
    """An observer that says how many requests have begun."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []
        self._starts = threading.Semaphore(0)

    def started(self, exchange: Exchange) -> None:
        self._starts.release()

    def __call__(self, exchange: Exchange) -> None:
        self.seen.append(exchange)

    def wait_for_start(self, requests: int) -> None:
        for _ in range(requests):
            assert self._starts.acquire(timeout=10)


class TestAPoolThatIsFull:
    """The second request waits until the first has let go of the only connection."""

    limits = httpx.Limits(max_connections=1)

    def test_blocks_a_thread(self, origin: Origin) -> None:
        moments, watching = Moments(), Watching()
        inner = httpx.HTTPTransport(limits=self.limits)
        transport = Flavour("sync").DebuggingTransport(inner, watching)
        with httpx.Client(transport=transport) as client:
            with client.stream("GET", origin.http):
                thread = threading.Thread(target=client.get, args=(origin.http,))
                thread.start()
                watching.wait_for_start(2)
                moments.is_in("blocked")
            thread.join()
        moments.assert_are_in_their_phases(watching.seen[1])

    @pytest.mark.parametrize("name", ["asyncio", "trio"])
    def test_blocks_a_task(self, name: str, origin: Origin) -> None:
        moments, watching = Moments(), Watching()

        async def test() -> None:
            inner = httpx.AsyncHTTPTransport(limits=self.limits)
            transport = Flavour(name).DebuggingTransport(inner, watching)
            async with (
                httpx.AsyncClient(transport=transport) as client,
                anyio.create_task_group() as tasks,
                client.stream("GET", origin.http),
            ):
                tasks.start_soon(client.get, origin.http)
                # Then the other task waits for a connection.
                await anyio.wait_all_tasks_blocked()
                watching.wait_for_start(2)
                moments.is_in("blocked")

        Flavour(name).run(test)
        moments.assert_are_in_their_phases(watching.seen[1])
