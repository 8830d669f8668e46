"""The idle and the shared connections of a pool, found by their origin in constant time."""

from collections import OrderedDict
from typing import Generic, TypeVar

from .connection import Connection, Origin

T = TypeVar("T")


class IdleConnections(OrderedDict[Connection[T], None]):
    """Connections without a request, in the order in which they became idle."""

    def __init__(self) -> None:
        super().__init__()
        self._by_origin: dict[Origin, list[Connection[T]]] = {}

    def add(self, connection: Connection[T]) -> None:
        """Keep one that has just become idle."""
        self[connection] = None
        if connections := self._by_origin.get(connection.origin):
            connections.append(connection)
        else:
            self._by_origin[connection.origin] = [connection]

    def oldest(self) -> Connection[T]:
        """The one that has been idle the longest."""
        return next(iter(self))

    def pop_oldest(self) -> Connection[T]:
        """Remove the one that has been idle the longest, and return it."""
        # A plain dict would walk past all that were removed before it.
        connection, _ = self.popitem(last=False)
        # The one that has been idle longest of all has been so among those of its origin.
        connections = self._by_origin[connection.origin]
        connections.pop(0)
        if not connections:
            del self._by_origin[connection.origin]
        return connection

    def pop_newest(self, origin: Origin) -> Connection[T] | None:
        """Remove the one of an origin that was used last, and return it; None without any."""
        connections = self._by_origin.get(origin)
        if connections is None:
            return None
        connection = connections.pop()
        if not connections:
            del self._by_origin[origin]
        del self[connection]
        return connection


class SharedConnections(Generic[T]):
    """Connections that more requests of their holder may join."""

    def __init__(self) -> None:
        self._by_origin: dict[Origin, list[Connection[T]]] = {}

    def find(self, origin: Origin, holder: int) -> Connection[T] | None:
        """One that leads to an origin and has this holder; None without any."""
        for connection in self._by_origin.get(origin, ()):
            if connection.holder == holder:
                return connection
        return None

    def add(self, connection: Connection[T]) -> None:
        """Let others join."""
        if not connection.is_shared:
            connection.is_shared = True
            self._by_origin.setdefault(connection.origin, []).append(connection)

    def discard(self, connection: Connection[T]) -> None:
        """Let no others join, if they may."""
        if connection.is_shared:
            connection.is_shared = False
            # It may be that of a parent process, whose connections are not here.
            sharing = self._by_origin.get(connection.origin, [])
            if connection in sharing:
                sharing.remove(connection)
            if not sharing:
                self._by_origin.pop(connection.origin, None)
