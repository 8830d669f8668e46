"""The choice of a connection for a request: limits, the queue, keep-alive and retirement.

A pool decides, under one short lock and without I/O, and returns what is to be done afterwards.

| state    | in flight | taken by                                  | leaves it by                    |
| -------- | --------- | ----------------------------------------- | ------------------------------- |
| new      | 1         | nobody else, or who may share if offered  | its first response, a failure   |
| busy     | 1         | nobody else                               | `release`                       |
| shared   | 1 or more | requests of the same holder               | the last `release`              |
| idle     | 0         | the next of its origin, last in first out | being taken, evicted or expired |
| retired  | 1 or more | nobody                                    | the last `release`              |
| closing  | 0         | nobody; it still counts                   | `closed`                        |

Never more than `max_connections` are in one of these states. A request takes a shared connection
of its origin, else an idle one, else a free place, else the place of the idle connection that was
used least recently, which is to be closed first (`evicted`); else it waits. While a request waits
nothing is idle and no place is free: what becomes free is handed to the first in the queue at
once, so no request overtakes another, and none waits beside a free place.

All requests that share a connection have one holder, the thread they run in: httpcore's sync
HTTP/2 connections are safe in one thread at a time, its async ones in one event loop.
"""

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from ..wire.forking import renew_in_child
from .connection import Connection, Origin, Waiter
from .indexes import IdleConnections, SharedConnections

if TYPE_CHECKING:
    from .timetable import Timetable

T = TypeVar("T")


class Pool(Generic[T]):
    """The connections of one transport.

    Arguments:
        max_connections: the most there may be, closing ones included; None for any number.
        max_idle: the most idle ones that are kept; None for any number.
        expiry: the seconds for which one is kept; None for ever.
        timetable: is told when one will have been idle for too long.
    """

    def __init__(
        self,
        max_connections: int | None,
        max_idle: int | None,
        expiry: float | None,
        timetable: "Timetable[Pool[T]]",
    ) -> None:
        self._places = math.inf if max_connections is None else max_connections
        self._max_idle = math.inf if max_idle is None else max_idle
        self._expiry = math.inf if expiry is None else expiry
        self.timetable: Timetable[Pool[T]] = timetable
        self._inherited: list[object] = []
        self._connections: set[Connection[T]] = set()
        self.renew()
        renew_in_child(self.renew)

    def renew(self) -> None:
        """Start afresh, as in a child process."""
        if self._connections:
            self._inherited.append(self._connections)  # The parent could notice a close.
        self._lock = threading.Lock()
        self._taken = 0
        self._is_timed = False
        self._connections = set()
        self._idle = IdleConnections[T]()
        self._shared = SharedConnections[T]()
        self._waiters: OrderedDict[Waiter[T], None] = OrderedDict()

    def __repr__(self) -> str:
        idle = sum(connection.is_idle() for connection in self.connections)
        return f"<Pool: {self._taken} connections, {idle} idle, {len(self._waiters)} waiting>"

    @property
    def connections(self) -> list[Connection[T]]:
        """All that there are but for those that are closing."""
        with self._lock:
            return list(self._connections)

    def acquire(
        self, origin: Origin, holder: int, may_share: bool, waiter: Waiter[T] | None = None
    ) -> Connection[T] | None:
        """The connection that takes a request now, None if it has to wait for one.

        Arguments:
            origin: the scheme, host and port that the request goes to.
            holder: the thread that sends it.
            may_share: true if it may join others, on what is or may become HTTP/2.
            waiter: queues up if there is none now; to be ended by `settle`.
        """
        with self._lock:
            if may_share and (shared := self._shared.find(origin, holder)):
                shared.requests += 1
                return shared
            if not self._waiters:
                if idle := self._idle.pop_newest(origin):
                    idle.holder, idle.requests = holder, 1
                    if idle.is_http2:
                        self._share(idle)
                    return idle
                if self._taken < self._places:
                    self._taken += 1
                    return self._open(origin, holder, None)
                if self._idle:
                    return self._open(origin, holder, self._pop_oldest())
            if waiter is not None:
                self._waiters[waiter] = None
            return None

    def settle(self, waiter: Waiter[T]) -> Connection[T] | None:
        """Leave the queue; the connection that the waiter was given, None without one."""
        with self._lock:
            self._waiters.pop(waiter, None)
            return waiter.connection

    def offer(self, connection: Connection[T]) -> None:
        """Let others join a connection that is about to be made, and may become HTTP/2."""
        with self._lock:
            self._share(connection)

    def answered(self, connection: Connection[T], is_http2: bool) -> None:
        """Note what a connection speaks, by its first response."""
        connection.is_http2 = is_http2
        if is_http2 or connection.is_shared:
            with self._lock:
                (self._share if is_http2 else self._shared.discard)(connection)

    def refuse(self, connection: Connection[T]) -> None:
        """Let no more requests join: it is HTTP/1.1, or not known yet, or has gone away."""
        with self._lock:
            if connection.is_http2:
                connection.is_retired = True
            self._shared.discard(connection)

    def keep_time(self, timetable: "Timetable[Pool[T]]") -> None:
        """Use another timetable, that of the event loop which makes connections now."""
        with self._lock:
            if timetable is not self.timetable:
                self.timetable = timetable
                self._is_timed = False

    def retire(self, connection: Connection[T]) -> None:
        """Let a connection take no more requests."""
        with self._lock:
            connection.is_retired = True
            self._shared.discard(connection)

    def release(self, connection: Connection[T], now: float) -> Connection[T] | None:
        """End a request. Returns what is to be closed, this connection or another."""
        with self._lock:
            connection.requests -= 1
            if connection.requests:
                return None
            if connection not in self._connections:
                # Its pool was closed and it may have gone on; or it is another process's.
                return connection if connection.is_retired else None
            if connection.is_shared:
                self._shared.discard(connection)
            if connection.is_retired:
                self._connections.discard(connection)
                return connection
            if self._waiters:
                self._hand_over(connection)
                return None
            self._idle.add(connection)
            connection.expires = now + self._expiry
            if not self._is_timed and connection.expires < math.inf:
                self._is_timed = True
                self.timetable.add(connection.expires, self)
            return self._pop_oldest() if len(self._idle) > self._max_idle else None

    def closed(self, connection: Connection[T]) -> None:
        """Free the place of a connection that was to be closed, and is."""
        with self._lock:
            was_counted, connection.is_counted = connection.is_counted, False
            if was_counted and self._waiters:
                waiter, _ = self._waiters.popitem(last=False)
                waiter.serve(self._open(waiter.origin, waiter.holder, None))
            else:
                self._taken -= was_counted

    def expire(self, now: float) -> list[Connection[T]]:
        """Remove the connections that have been idle too long; they are to be closed."""
        expired = []
        with self._lock:
            while self._idle and self._idle.oldest().expires <= now:
                expired.append(self._pop_oldest())
            self._is_timed = bool(self._idle)
            if self._idle:
                self.timetable.add(self._idle.oldest().expires, self)
        return expired

    def retire_all(self) -> list[Connection[T]]:
        """Let no connection take another request. Returns the idle ones, to be closed."""
        with self._lock:
            closing = [self._pop_oldest() for _ in range(len(self._idle))]
            for connection in self._connections:
                connection.is_retired = True
                self._shared.discard(connection)
            return closing

    def close(self) -> list[Connection[T]]:
        """Remove all connections, which are to be closed, whatever is in flight."""
        with self._lock:
            closing = list(self._connections)
            for connection in closing:
                connection.is_retired = True
                self._shared.discard(connection)
            self._connections.clear()
            self._idle = IdleConnections()
            return closing

    def _open(self, origin: Origin, holder: int, evicted: Connection[T] | None) -> Connection[T]:
        connection = Connection(origin, holder, evicted)
        self._connections.add(connection)
        return connection

    def _hand_over(self, connection: Connection[T]) -> None:
        waiter, _ = self._waiters.popitem(last=False)
        if waiter.origin == connection.origin:
            connection.holder, connection.requests = waiter.holder, 1
            waiter.serve(connection)
            if connection.is_http2:
                self._share(connection)
        else:
            self._connections.discard(connection)
            waiter.serve(self._open(waiter.origin, waiter.holder, connection))

    def _share(self, connection: Connection[T]) -> None:
        if connection.is_retired or connection not in self._connections:
            return
        self._shared.add(connection)
        if not connection.is_http2:
            return  # Those that wait join only what is known to take more than one.
        place = (connection.origin, connection.holder)
        for waiter in [each for each in self._waiters if (each.origin, each.holder) == place]:
            del self._waiters[waiter]
            connection.requests += 1
            waiter.serve(connection)

    def _pop_oldest(self) -> Connection[T]:
        connection = self._idle.pop_oldest()
        self._connections.discard(connection)
        return connection
