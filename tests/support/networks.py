"""Network transports of either kind, their factories, and what stalls until it is told not to."""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from . import proxies
from .flavours import Flavour
from .library import httpx, shell
from .raw import Talk, wait_for_end


def factory(**options: object) -> Any:
    """A factory of sync transports with these common arguments."""
    return shell("network").transport_factory(options)


def stock_pool(transport: Any) -> Any:
    """httpcore's pool of a stock transport as it is made for each connection."""
    return transport._core.make()._pool


def context_of(transport: Any) -> ssl.SSLContext:
    context = stock_pool(transport)._ssl_context
    assert isinstance(context, ssl.SSLContext)
    return context


def network(flavour: Flavour, **options: Any) -> Any:
    return flavour.NetworkTransport(**options)


def limits(
    most: int | None = 100, idle: int | None = 20, expiry: float | None = 60
) -> httpx.Limits:
    return httpx.Limits(
        max_connections=most, max_keepalive_connections=idle, keepalive_expiry=expiry
    )


def taken(transport: Any) -> str:
    """How many connections there are, by what the transport says of itself."""
    return repr(transport).rpartition("<Pool: ")[2].rstrip(">")


def socks_forwarding(connection: socket.socket) -> None:
    """A SOCKS5 proxy without a password, to an address of IPv4 or a name."""
    connection.recv(262)
    connection.sendall(b"\x05\x00")
    asked = connection.recv(262)
    host = socket.inet_ntoa(asked[4:8]) if asked[3] == 1 else asked[5 : 5 + asked[4]].decode()
    port = int.from_bytes(asked[-2:])
    with socket.create_connection((host, port), 10) as upstream:
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        proxies._carry(connection, upstream, None)


def clients_of(url: str) -> int:
    """How many sockets are connected to a server, or connecting, where the system says so."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return 0
    server = f"0100007F:{httpx.URL(url).port:04X}"
    # Beside others: the peer's address, the state and the inode, which is 0 once it is closed.
    rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    return sum(row[2] == server and row[9] != "0" for row in rows)


def is_connected(connection: socket.socket) -> bool:
    """True if the other end has not been closed, for all that the system knows."""
    poll = select.poll()
    poll.register(connection, getattr(select, "POLLRDHUP", 0))
    return not poll.poll(0)


class Queued(float):
    """A pool timeout of 30 s, which is looked at once its request is in the queue.

    Arguments:
        note: is called then.
    """

    def __new__(cls, note: Callable[[], object]) -> Self:
        it = super().__new__(cls, 30)
        it._note = note
        return it

    _note: Callable[[], object]

    def __radd__(self, started: float) -> float:
        self._note()
        return started + float(self)


class Stalling:
    """Stalls at one place until it is healed, and then does what it should.

    Attributes:
        arrived: how many have come to the place.
    """

    def __init__(self, stall: Talk, healthy: Talk) -> None:
        self._stall = stall
        self._healthy = healthy
        self.is_healed = False
        self.arrived = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        if self.is_healed:
            self._healthy(connection)
        else:
            self._stall(_Noting(connection, self._note))  # type: ignore[arg-type] # as far as it is used

    def _note(self) -> None:
        with self._lock:
            self.arrived += 1


class _Noting:
    """A socket that notes when all has been said, and the next word is the client's last."""

    def __init__(self, connection: socket.socket, note: Callable[[], None]) -> None:
        self._connection = connection
        self._note = note
        self._is_noted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def recv(self, size: int, *flags: int) -> bytes:
        if size == 65536 and not self._is_noted:
            self._is_noted = True
            self._note()
        return self._connection.recv(size, *flags)


def tls_mute(connection: socket.socket) -> None:
    """Reads what comes, and says nothing."""
    connection.recv(1)
    wait_for_end(connection)
