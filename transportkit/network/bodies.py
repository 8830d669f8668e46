"""The body of a response of a network transport, whose end is that of its request.

It is no generator: one that a caller leaves suspended would end at some later time, and trio warns
of it.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Generic

from ..wire.library import AsyncBody, Body, Request
from .connection import Connection
from .connections import AsyncConnections, AsyncT, Connections, T
from .errors import is_of_one_stream


class PooledBody(Generic[T]):
    """A body that releases its connection when it is closed.

    Arguments:
        stream: the body.
        request: the caller's.
        connection: the one that both are sent on.
        connections: those of the transport.
    """

    def __init__(
        self,
        stream: Body,
        request: Request,
        connection: Connection[T],
        connections: Connections[T],
    ) -> None:
        self._stream = stream
        self._request = request
        self._connection = connection
        self._connections = connections
        self._is_closed = False

    def retire(self) -> bool:
        """Let the connection end with this body; False if others are in flight on it."""
        if not self._is_closed:
            self._connections.core.pool.retire(self._connection)
        return self._connection.requests == 1

    def __iter__(self) -> Iterator[bytes]:
        self._chunks = iter(self._stream)
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except BaseException as error:
            if not is_of_one_stream(error):
                self.retire()
            self.close()
            own = self._connections.core.translate(
                error, self._request, self._connection, in_body=True
            )
            if own is error:
                raise
            raise own from error

    def close(self) -> None:
        if self._is_closed:
            return
        # At once: another may close it meanwhile, and a request ends once.
        self._is_closed = True
        try:
            self._stream.close()
        except BaseException as error:
            self._connections.core.pool.retire(self._connection)
            own = self._connections.core.translate(
                error, self._request, self._connection, in_body=True
            )
            if own is error:
                raise
            raise own from error
        finally:
            self._connections.release(self._connection)


class AsyncPooledBody(Generic[AsyncT]):
    """A body that releases its connection when it is closed.

    The same as `PooledBody`, for async clients.
    """

    def __init__(
        self,
        stream: AsyncBody,
        request: Request,
        connection: Connection[AsyncT],
        connections: AsyncConnections[AsyncT],
    ) -> None:
        self._stream = stream
        self._request = request
        self._connection = connection
        self._connections = connections
        self._is_closed = False

    def retire(self) -> bool:
        """Let the connection end with this body; False if others are in flight on it."""
        if not self._is_closed:
            self._connections.core.pool.retire(self._connection)
        return self._connection.requests == 1

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._chunks = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            if not is_of_one_stream(error):
                self.retire()
            await self.aclose()
            own = self._connections.core.translate(
                error, self._request, self._connection, in_body=True
            )
            if own is error:
                raise
            raise own from error

    async def aclose(self) -> None:
        if self._is_closed:
            return
        # At once: another may close it meanwhile, and a request ends once.
        self._is_closed = True
        try:
            await self._stream.aclose()
        except BaseException as error:
            self._connections.core.pool.retire(self._connection)
            own = self._connections.core.translate(
                error, self._request, self._connection, in_body=True
            )
            if own is error:
                raise
            raise own from error
        finally:
            await self._connections.release(self._connection)
