"""Proxies that fail as they are told, one that does not, and a target that counts who comes.

Each failure is a `Talk` for `raw_server`. What a proxy does with a `CONNECT` it does with a
plain request too. A SOCKS proxy that stalls is not among them: httpcore 1.0.9 waits for it
past every time-out.
"""

import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.library import httpx

from .raw import Talk, raw_server, read_head, respond, wait_for_end

_TLS_HANDSHAKE = b"\x16"
_SOCKS_CONNECTED = b"\x05\x00\x00\x01" + bytes(6)
_SOCKS_REFUSED = b"\x05\x05\x00\x01" + bytes(6)


def reset(connection: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _hurry(connection: socket.socket) -> None:
    """Send small pieces at once, without waiting until the last has been acknowledged."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@dataclass
class Target:
    """Where the requests are to go: it answers 200, in the clear and over TLS, on one port.

    Attributes:
        url: the target, by its scheme.
        status: what it answers instead of 200.
        requests: method and body of every request that came whole.
        is_silent: whether it keeps its answers to itself.
        reached: whether a request came whole.
    """

    url: dict[str, str] = field(default_factory=dict)
    status: str = "200 OK"
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    is_silent: bool = False
    reached: threading.Event = field(default_factory=threading.Event)

    def talk(self, connection: socket.socket) -> None:
        while True:
            head = read_head(connection).decode("latin-1")
            length = int(head.lower().partition("content-length: ")[2].partition("\r")[0] or 0)
            body = b""
            while len(body) < length:
                body += connection.recv(length - len(body))
            self.requests.append((head.partition(" ")[0], body))
            self.reached.set()
            if self.is_silent:
                wait_for_end(connection)
                return
            respond(connection, self.status, body=b"fine")


@contextmanager
def target(certificates: Path) -> Iterator[Target]:
    """A target with the certificate of the session."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem")
    it = Target()

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            _hurry(connection)
            if connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
                with context.wrap_socket(connection, server_side=True) as tls:
                    it.talk(tls)
            else:
                it.talk(connection)

    with raw_server(talk) as url:
        it.url = {"http": url, "https": url.replace("http:", "https:")}
        yield it


def forwarding(until: threading.Event | None = None) -> Talk:
    """A proxy that does what it is asked to.

    Arguments:
        until: when it drops dead.
    """

    def talk(connection: socket.socket) -> None:
        head = read_head(connection)
        method, url, _ = head.decode("latin-1").split(" ", 2)
        asked = httpx.URL(f"connect://{url}" if method == "CONNECT" else url)
        try:
            upstream = socket.create_connection((asked.host, asked.port or 80), 10)
        except OSError:
            respond(connection, "502 Bad Gateway")
            wait_for_end(connection)
            return
        with upstream:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(head)
            _carry(connection, upstream, until)
        if until is not None and until.is_set():
            reset(connection)

    return talk


def _carry(one: socket.socket, other: socket.socket, until: threading.Event | None) -> None:
    """Pass on what comes from either side, until one of them closes."""
    for each in (one, other):
        _hurry(each)
    # An event cannot be waited for together with sockets.
    pause = None if until is None else 0.01
    while until is None or not until.is_set():
        for source in select.select([one, other], [], [], pause)[0]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)


def saying(status: str) -> Talk:
    """Answers, whatever it is asked."""

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        respond(connection, status, body=b"says the proxy")
        wait_for_end(connection)

    return talk


def hanging(connection: socket.socket) -> None:
    read_head(connection)
    wait_for_end(connection)


def closing(connection: socket.socket) -> None:
    read_head(connection)


def resetting(connection: socket.socket) -> None:
    read_head(connection)
    reset(connection)


def closing_at_once(connection: socket.socket) -> None:
    pass


def resetting_at_once(connection: socket.socket) -> None:
    reset(connection)


def mute(connection: socket.socket) -> None:
    """Asks for TLS or SOCKS by its URL, and never says a word of it."""
    wait_for_end(connection)


def not_tls(connection: socket.socket) -> None:
    connection.recv(1)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def tunnel_closed(connection: socket.socket) -> None:
    """A tunnel to nowhere."""
    read_head(connection)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.recv(1)


def tunnel_reset(connection: socket.socket) -> None:
    tunnel_closed(connection)
    reset(connection)


def tunnel_mute(connection: socket.socket) -> None:
    """A tunnel in which nobody answers."""
    tunnel_closed(connection)
    wait_for_end(connection)


def socks_refusing(connection: socket.socket) -> None:
    """Says that the target refused."""
    _greet(connection)
    connection.sendall(_SOCKS_REFUSED)


def socks_no_method(connection: socket.socket) -> None:
    """Takes none of the ways to log in."""
    connection.recv(262)
    connection.sendall(b"\x05\xff")


def socks_wrong_password(connection: socket.socket) -> None:
    connection.recv(262)
    connection.sendall(b"\x05\x02")
    connection.recv(513)
    connection.sendall(b"\x01\x01")


def socks_closing(connection: socket.socket) -> None:
    connection.recv(262)


def socks_resetting(connection: socket.socket) -> None:
    connection.recv(262)
    reset(connection)


def socks_closing_after_greeting(connection: socket.socket) -> None:
    _greet(connection)


def socks_hanging(connection: socket.socket) -> None:
    """Greets, and then takes for ever to reach the target."""
    _greet(connection)
    wait_for_end(connection)


def socks_not_socks(connection: socket.socket) -> None:
    connection.recv(262)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def socks_tunnel_closed(connection: socket.socket) -> None:
    """Says that the target has been reached, and leaves when it is spoken to."""
    _greet(connection)
    connection.sendall(_SOCKS_CONNECTED)
    connection.recv(1)


def socks_saying(status: str) -> Talk:
    """Answers itself what it is asked of the target."""

    def talk(connection: socket.socket) -> None:
        _greet(connection)
        connection.sendall(_SOCKS_CONNECTED)
        read_head(connection)
        respond(connection, status, body=b"fine")
        wait_for_end(connection)

    return talk


socks_accepting = socks_saying("200 OK")


def _greet(connection: socket.socket) -> None:
    """Let anybody in who has a password, and read where to."""
    connection.recv(262)
    connection.sendall(b"\x05\x02")
    connection.recv(513)
    connection.sendall(b"\x01\x00")
    connection.recv(262)


@dataclass
class RawProxy:
    """A proxy of a test.

    Attributes:
        url: with credentials.
        shown: the same without.
        connections: how many it accepted.
    """

    url: str
    shown: str
    connections: int = 0


CREDENTIALS = "scott:tiger"


@contextmanager
def raw_proxy(talk: Talk, scheme: str = "http") -> Iterator[RawProxy]:
    """A proxy on loopback that hands each connection to `talk`."""

    def count_and_talk(connection: socket.socket) -> None:
        it.connections += 1
        with suppress(OSError):
            talk(connection)

    with raw_server(count_and_talk) as url:
        it = _named(scheme, url.removeprefix("http://"))
        yield it


@contextmanager
def refusing_proxy(scheme: str = "http") -> Iterator[RawProxy]:
    """A port on loopback where nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield _named(scheme, f"127.0.0.1:{bound.getsockname()[1]}")


def unresolvable_proxy() -> RawProxy:
    """A name that cannot be resolved, by RFC 6761."""
    return _named("http", "proxy.invalid:8080")


def _named(scheme: str, address: str) -> RawProxy:
    return RawProxy(f"{scheme}://{CREDENTIALS}@{address}", f"{scheme}://****@{address}")
