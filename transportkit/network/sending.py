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
    core = connections.core
    origin, may_share = core.route(request)
    started = monotonic()
    if started >= core.pool.timetable.due:
        connections.sweep(started)
    while True:
        connection = core.pool.acquire(origin, get_ident(), may_share) or (
            connections.wait(request, origin, may_share, started)
        )
        joins = connection.requests > 1
        handshake = None
        try:
            transport = connection.transport
            if transport is None or connection.is_dead():
                transport = connections.renew(connection)
            if connection.is_http2 is None:
                handshake = TracedHandshake(request.extensions)
                if may_share and not joins:
                    core.pool.offer(connection)
            sent = core.outgoing(request, connection, handshake, joins=joins)
            response = transport.handle_request(sent)
            if handshake is not None:
                core.learn(connection, response, handshake)
        except BaseException as error:
            could_not_join = core.fail(connection, error, joins=joins)
            connections.give_up(connection, handshake)
            if not could_not_join:
                own = core.translate(error, request, connection, handshake)
                if own is error:
                    raise
                raise own from error
            may_share = bool(connection.is_http2)
            continue
        return connection, response


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
    core = connections.core
    origin, may_share = core.route(request)
    started = monotonic()
    if started >= core.pool.timetable.due:
        await connections.sweep(started)
    while True:
        connection = core.pool.acquire(origin, get_ident(), may_share) or (
            await connections.wait(request, origin, may_share, started)
        )
        joins = connection.requests > 1
        handshake = None
        try:
            transport = connection.transport
            if transport is None or connection.is_dead():
                transport = await connections.renew(connection)
            if connection.is_http2 is None:
                handshake = AsyncTracedHandshake(request.extensions)
                if may_share and not joins:
                    core.pool.offer(connection)
            sent = core.outgoing(request, connection, handshake, joins=joins)
            response = await transport.handle_async_request(sent)
            if handshake is not None:
                core.learn(connection, response, handshake)
        except BaseException as error:
            could_not_join = core.fail(connection, error, joins=joins)
            await connections.give_up(connection, handshake)
            if not could_not_join:
                own = core.translate(error, request, connection, handshake)
                if own is error:
                    raise
                raise own from error
            may_share = bool(connection.is_http2)
            continue
        return connection, response
