"""The I/O of a pool: waits for connections, and opens and closes them as the pool decides."""

import math
from collections.abc import Iterable
from contextlib import suppress
from threading import get_ident
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

from ..wire.io import AsyncEvent, Event, async_one_for_all, async_shield, one_for_all, shield
from ..wire.library import Request, library_of
from .connection import Connection, Origin, Waiter
from .core import NetworkCore
from .handshake import Handshake
from .pool import Pool
from .timetable import Timetable


class Closable(Protocol):
    """A transport or a stream for sync code."""

    def close(self) -> None: ...


class AsyncClosable(Protocol):
    """A transport or a stream for async code."""

    async def aclose(self) -> None: ...


T = TypeVar("T", bound=Closable)
AsyncT = TypeVar("AsyncT", bound=AsyncClosable)

_TOO_LATE = "no connection became free within {} s"


class Connections(Generic[T]):
    """The connections of a sync network transport.

    Arguments:
        core: its decisions.
    """

    def __init__(self, core: NetworkCore[T]) -> None:
        self.core: NetworkCore[T] = core
        self._pool = core.pool

    def wait(
        self, request: Request, origin: Origin, may_share: bool, started: float
    ) -> Connection[T]:
        """A connection for a request that has to wait for one, by the end of its pool timeout.

        Arguments:
            request: the one that waits.
            origin: the scheme, host and port that it goes to.
            may_share: true if it may join others.
            started: the time at which the pool timeout began.

        Raises:
            PoolTimeout: none became free in time.
        """
        timeout = request.extensions.get("timeout", {}).get("pool")
        event = Event()
        waiter = Waiter[T](origin, get_ident(), event.set)
        try:
            taken = self._pool.acquire(origin, waiter.holder, may_share, waiter)
            if taken is None:
                left = None if timeout is None else max(started + timeout - monotonic(), 0)
                event.wait(left)
        except BaseException:
            connection = self._pool.settle(waiter)
            if connection is not None:
                self.release(connection)
            raise
        connection = self._pool.settle(waiter) if taken is None else taken
        if connection is None:
            raise library_of(request).PoolTimeout(_TOO_LATE.format(timeout), request=request)
        return connection

    def renew(self, connection: Connection[T]) -> T:
        """The transport for a connection that is new, or dead and to be made again."""
        evicted, connection.evicted = connection.evicted, None
        if evicted is not None:
            self.drop(evicted.transport)
        if connection.transport is None:
            self._pool.keep_time(_timetable())
            connection.transport = self.core.make()
        else:
            connection.forget()
            self.drop(connection.transport)
        return connection.transport

    def drop(self, unneeded: Closable | None) -> None:
        """Close what is needed no more, and ignore its errors."""
        if unneeded is not None:
            with shield(), suppress(Exception):
                unneeded.close()

    def give_up(self, connection: Connection[T], handshake: Handshake | None) -> None:
        """End a request that failed, and a handshake whose stream no connection owns yet."""
        try:
            if handshake is not None:
                # Whoever keeps the error keeps the handshake, but no socket.
                stream, handshake.stream = handshake.stream, None
                self.drop(stream)
        finally:
            self.release(connection)

    def release(self, connection: Connection[T]) -> None:
        """End a request, and close what is to be closed."""
        if connection.is_lost():
            self._pool.retire(connection)
        now = monotonic()
        closing = self._pool.release(connection, now)
        if closing is not None:
            _close_each(self._pool, [closing])
        if now >= self._pool.timetable.due:
            self.sweep(now)

    def sweep(self, now: float) -> None:
        """Close what has been idle too long, here and in all pools with the same timetable."""
        while (pool := self._pool.timetable.take(now)) is not None:
            _close_each(pool, pool.expire(now))

    def retire(self) -> None:
        """Let no connection take another request."""
        _close_each(self._pool, self._pool.retire_all())

    def close_idle(self) -> None:
        """Close what has no request in flight."""
        _close_each(self._pool, self._pool.expire(math.inf))

    def close(self) -> None:
        """Close all connections, whatever is in flight."""
        _close_each(self._pool, self._pool.close())


class AsyncConnections(Generic[AsyncT]):
    """The connections of an async network transport.

    The same as `Connections`.
    """

    def __init__(self, core: NetworkCore[AsyncT]) -> None:
        self.core: NetworkCore[AsyncT] = core
        self._pool = core.pool

    async def wait(
        self, request: Request, origin: Origin, may_share: bool, started: float
    ) -> Connection[AsyncT]:
        """A connection for a request that has to wait for one, by the end of its pool timeout."""
        timeout = request.extensions.get("timeout", {}).get("pool")
        event = AsyncEvent()
        waiter = Waiter[AsyncT](origin, get_ident(), event.set)
        try:
            taken = self._pool.acquire(origin, waiter.holder, may_share, waiter)
            if taken is None:
                left = None if timeout is None else max(started + timeout - monotonic(), 0)
                await event.wait(left)
        except BaseException:
            connection = self._pool.settle(waiter)
            if connection is not None:
                await self.release(connection)
            raise
        connection = self._pool.settle(waiter) if taken is None else taken
        if connection is None:
            raise library_of(request).PoolTimeout(_TOO_LATE.format(timeout), request=request)
        return connection

    async def renew(self, connection: Connection[AsyncT]) -> AsyncT:
        """The transport for a connection that is new, or dead and to be made again."""
        evicted, connection.evicted = connection.evicted, None
        if evicted is not None:
            await self.drop(evicted.transport)
        if connection.transport is None:
            self._pool.keep_time(_async_timetable())
            connection.transport = self.core.make()
        else:
            connection.forget()
            await self.drop(connection.transport)
        return connection.transport

    async def drop(self, unneeded: AsyncClosable | None) -> None:
        """Close what is needed no more, and ignore its errors."""
        if unneeded is not None:
            with async_shield(), suppress(Exception):
                await unneeded.aclose()

    async def give_up(self, connection: Connection[AsyncT], handshake: Handshake | None) -> None:
        """End a request that failed, and a handshake whose stream no connection owns yet."""
        try:
            if handshake is not None:
                # Whoever keeps the error keeps the handshake, but no socket.
                stream, handshake.stream = handshake.stream, None
                await self.drop(stream)
        finally:
            await self.release(connection)

    async def release(self, connection: Connection[AsyncT]) -> None:
        """End a request, and close what is to be closed."""
        if connection.is_lost():
            self._pool.retire(connection)
        now = monotonic()
        closing = self._pool.release(connection, now)
        if closing is not None:
            await _async_close_each(self._pool, [closing])
        if now >= self._pool.timetable.due:
            await self.sweep(now)

    async def sweep(self, now: float) -> None:
        """Close what has been idle too long, here and in all pools with the same timetable."""
        while (pool := self._pool.timetable.take(now)) is not None:
            await _async_close_each(pool, pool.expire(now))

    async def retire(self) -> None:
        """Let no connection take another request."""
        await _async_close_each(self._pool, self._pool.retire_all())

    async def close_idle(self) -> None:
        """Close what has no request in flight."""
        await _async_close_each(self._pool, self._pool.expire(math.inf))

    async def aclose(self) -> None:
        """Close all connections, whatever is in flight."""
        await _async_close_each(self._pool, self._pool.close())


def _close_each(pool: Pool[T], connections: Iterable[Connection[T]]) -> None:
    """Close connections, and give back the place of each, whatever happens."""
    interrupt: BaseException | None = None
    for connection in connections:
        for each in (connection.evicted, connection):
            if each is not None and each.transport is not None:
                try:
                    with shield(), suppress(Exception):
                        each.transport.close()
                except BaseException as error:  # noqa: BLE001 - the others hold places too
                    interrupt = error
        pool.closed(connection)
    if interrupt is not None:
        raise interrupt


async def _async_close_each(pool: Pool[AsyncT], connections: Iterable[Connection[AsyncT]]) -> None:
    """Close connections, and give back the place of each, whatever happens."""
    interrupt: BaseException | None = None
    for connection in connections:
        for each in (connection.evicted, connection):
            if each is not None and each.transport is not None:
                try:
                    with async_shield(), suppress(Exception):
                        await each.transport.aclose()
                except BaseException as error:  # noqa: BLE001 - the others hold places too
                    interrupt = error
        pool.closed(connection)
    if interrupt is not None:
        raise interrupt


# One for the pools of both libraries, whatever the transports that they close are.
_timetable = one_for_all(Timetable[Pool[Any]])
_async_timetable = async_one_for_all(Timetable[Pool[Any]])
