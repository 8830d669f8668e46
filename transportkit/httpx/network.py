"""Network transports: one small `httpx.HTTPTransport` for each connection, behind a pool of ours.

All requests go through `handle_request` of a stock transport, so that libraries which patch that
class, or httpcore, see and mock them as they always did.
"""

import ssl
from collections.abc import Mapping
from typing import Unpack

import httpx

from ..network.bodies import AsyncPooledBody, PooledBody
from ..network.connections import AsyncConnections, Connections
from ..network.core import NetworkCore
from ..network.factory import TransportFactory
from ..network.proxy_url import Named
from ..network.sending import async_send_through, send_through
from ..wire.pickling import Unpicklable
from ..wire.stack import Stacked
from .options import HTTPTransportOptions


class PooledStream(PooledBody[httpx.HTTPTransport], httpx.SyncByteStream):
    """The body of a response, whose end is that of its request."""


class AsyncPooledStream(AsyncPooledBody[httpx.AsyncHTTPTransport], httpx.AsyncByteStream):
    """The body of a response, whose end is that of its request."""


class NetworkTransport(Unpicklable, Stacked, httpx.BaseTransport):
    """An `httpx.HTTPTransport` whose connections neither leak nor slow each other down.

    Arguments:
        named: has the name by which its proxy is shown. Default: the URL without credentials.
        options: those of `httpx.HTTPTransport`, with the same defaults.

    Each response has these `extensions`, as far as they apply:

    - `retire`: a function, for sync and async code; its connection takes no more requests, and ends
      with this one. Once the response is closed it does nothing;
    - `proxy`: the proxy that took the request, its credentials masked;
    - `proxy_headers`: those of its answer to a CONNECT, a list of pairs of bytes;
    - `verify`: False if certificates are not verified.

    Errors have the latter three in an attribute `extensions`.

    A connection that has been idle for `keepalive_expiry` is closed when a request begins or ends,
    through any transport of the process, or of the event loop. While nothing is sent it stays
    open: a thread or a task that closed it would outlive the loop, the test or the fork that it
    belongs to. `close_idle` closes it at any time.
    """

    def __init__(self, named: Named | None = None, **options: Unpack[HTTPTransportOptions]) -> None:
        self._core = NetworkCore(httpx.HTTPTransport, options, named)
        self._connections = Connections(self._core)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._core!r}>"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response
        connection, response = send_through(self._connections, request)
        response.extensions.update(connection.facts)
        if response.is_closed:
            # A mock has answered: nobody will close it.
            self._connections.release(connection)
        else:
            assert isinstance(response.stream, httpx.SyncByteStream)
            body = PooledStream(response.stream, request, connection, self._connections)
            response.stream, response.extensions["retire"] = body, body.retire
        return response

    def retire(self) -> None:
        """Let no connection that there is take another request."""
        self._connections.retire()

    def close_idle(self) -> None:
        """Close the connections that have no request in flight."""
        self._connections.close_idle()

    def close(self) -> None:
        self._connections.close()

    def _settings(self) -> str:
        return self._core.settings()


class AsyncNetworkTransport(Unpicklable, Stacked, httpx.AsyncBaseTransport):
    """An `httpx.AsyncHTTPTransport` whose connections neither leak nor slow each other down.

    The same as `NetworkTransport`, for async clients.
    """

    def __init__(self, named: Named | None = None, **options: Unpack[HTTPTransportOptions]) -> None:
        self._core = NetworkCore(httpx.AsyncHTTPTransport, options, named)
        self._connections = AsyncConnections(self._core)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._core!r}>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response
        connection, response = await async_send_through(self._connections, request)
        response.extensions.update(connection.facts)
        if response.is_closed:
            # A mock has answered: nobody will close it.
            await self._connections.release(connection)
        else:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            body = AsyncPooledStream(response.stream, request, connection, self._connections)
            response.stream, response.extensions["retire"] = body, body.retire
        return response

    async def retire(self) -> None:
        """Let no connection that there is take another request."""
        await self._connections.retire()

    async def close_idle(self) -> None:
        """Close the connections that have no request in flight."""
        await self._connections.close_idle()

    async def aclose(self) -> None:
        await self._connections.aclose()

    def _settings(self) -> str:
        return self._core.settings()


def transport_factory(options: Mapping[str, object]) -> TransportFactory[httpx.BaseTransport]:
    """A factory of network transports with common arguments."""
    return TransportFactory(NetworkTransport, _proxy_ssl_context, options)


def async_transport_factory(
    options: Mapping[str, object],
) -> TransportFactory[httpx.AsyncBaseTransport]:
    """A factory of network transports with common arguments."""
    return TransportFactory(AsyncNetworkTransport, _proxy_ssl_context, options)


def _proxy_ssl_context() -> ssl.SSLContext:
    import httpcore

    return httpcore.default_ssl_context()
