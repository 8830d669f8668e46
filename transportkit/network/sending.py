"""Requests on their way through a pool: each gets a connection, and its failure is healed."""

from threading import get_ident
from time import monotonic
from typing import Any, Protocol, TypeVar

from ..wire.library import Request
from .connection import Connection
from .connections import AsyncClosable, AsyncConnections, Closable, Connections
from .handshake import AsyncTracedHandshake, TracedHandshake


class Sender(Closable, Protocol):
    """A stock transport for sync code."""

    def handle_request(self, request: Any, /) -> Any: ...  # noqa: ANN401 - of the library


class AsyncSender(AsyncClosable, Protocol):
    """A stock transport for async code."""

    async def handle_async_request(self, request: Any, /) -> Any: ...  # noqa: ANN401 - of the library


T = TypeVar("T", bound=Sender)
AsyncT = TypeVar("AsyncT", bound=AsyncSender)


def send_through(connections: Connections[T], request: Request) -> tuple[Connection[T], Any]:
    """The response, when its head has come, and the connection that it comes by.

    Arguments:
        connections: those of the transport.
        request: the caller's.

    Raises:
        PoolTimeout: no connection became free in time.
        TransportError: the connection could not be made, or broke.
        UnsupportedProtocol: httpcore cannot send it.
    """
    pool = connections.core.pool
    origin, may_share = connections.core.route(request)
    started = monotonic()
    if started >= pool.timetable.due:
        connections.sweep(started)
    while True:
        connection = pool.acquire(origin, get_ident(), may_share)
        if connection is None:
            connection = connections.wait(request, origin, may_share, started)
        response = _send_on(connections, connection, request, may_share)
        if response is not None:
            return connection, response
        may_share = bool(connection.is_http2)


def _send_on(
    connections: Connections[T], connection: Connection[T], request: Request, may_share: bool
) -> Any:  # noqa: ANN401 - a response of the library
    """The response; None if the connection could not be shared after all."""
    joins = connection.requests > 1
    handshake = None
    try:
        transport = connection.transport
        if transport is None or connection.is_dead():
            transport = connections.renew(connection)
        if connection.is_http2 is None:
            handshake = TracedHandshake(request.extensions)
            if may_share and not joins:
                connections.core.pool.offer(connection)
        sent = connections.core.outgoing(request, handshake, joins=joins)
        response = transport.handle_request(sent)
        if handshake is not None:
            connections.core.learn(connection, response, handshake)
    except BaseException as error:
        is_refused = connections.core.fail(connection, error, joins=joins)
        if handshake is not None:
            connections.drop(handshake.stream)
        connections.release(connection)
        if is_refused:
            return None
        own = connections.core.translate(error, request, connection, handshake)
        if own is error:
            raise
        raise own from error
    return response


async def async_send_through(
    connections: AsyncConnections[AsyncT], request: Request
) -> tuple[Connection[AsyncT], Any]:
    """The response, when its head has come, and the connection that it comes by.

    Arguments:
        connections: those of the transport.
        request: the caller's.

    Raises:
        PoolTimeout: no connection became free in time.
        TransportError: the connection could not be made, or broke.
        UnsupportedProtocol: httpcore cannot send it.
    """
    pool = connections.core.pool
    origin, may_share = connections.core.route(request)
    started = monotonic()
    if started >= pool.timetable.due:
        await connections.sweep(started)
    while True:
        connection = pool.acquire(origin, get_ident(), may_share)
        if connection is None:
            connection = await connections.wait(request, origin, may_share, started)
        response = await _async_send_on(connections, connection, request, may_share)
        if response is not None:
            return connection, response
        may_share = bool(connection.is_http2)


async def _async_send_on(
    connections: AsyncConnections[AsyncT],
    connection: Connection[AsyncT],
    request: Request,
    may_share: bool,
) -> Any:  # noqa: ANN401 - a response of the library
    """The response; None if the connection could not be shared after all."""
    joins = connection.requests > 1
    handshake = None
    try:
        transport = connection.transport
        if transport is None or connection.is_dead():
            transport = await connections.renew(connection)
        if connection.is_http2 is None:
            handshake = AsyncTracedHandshake(request.extensions)
            if may_share and not joins:
                connections.core.pool.offer(connection)
        sent = connections.core.outgoing(request, handshake, joins=joins)
        response = await transport.handle_async_request(sent)
        if handshake is not None:
            connections.core.learn(connection, response, handshake)
    except BaseException as error:
        is_refused = connections.core.fail(connection, error, joins=joins)
        if handshake is not None:
            await connections.drop(handshake.stream)
        await connections.release(connection)
        if is_refused:
            return None
        own = connections.core.translate(error, request, connection, handshake)
        if own is error:
            raise
        raise own from error
    return response
