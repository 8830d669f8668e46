"""Network transports of either kind, their factories, and what stalls until it is told not to."""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

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
