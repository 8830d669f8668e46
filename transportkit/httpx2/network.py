# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Stock transports, and those for SOCKS proxies with a complete handshake."""

import ssl
from collections.abc import Mapping

import httpx2

from ..network.factory import TransportFactory
from ..network.socks import BROKE, AsyncTracedHandshake, TracedHandshake
from ..wire.io import async_shield, shield


class SOCKSTransport(httpx2.HTTPTransport):
    """An `httpx2.HTTPTransport` with a SOCKS proxy.

    A stalled handshake raises `httpx2.ReadTimeout`, as a stalled CONNECT does; a broken one
    raises `httpx2.ProxyError`.
    """

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        extensions = request.extensions
        handshake = TracedHandshake(extensions.get("timeout", {}), extensions.get("trace"))
        request.extensions = {**extensions, "trace": handshake}
        try:
            return super().handle_request(request)
        except BaseException as error:
            if handshake.stream is not None:
                with shield():
                    handshake.stream.close()
            if handshake.is_unmapped(error):
                raise httpx2.ProxyError(BROKE.format(type(error).__name__)) from error
            raise
        finally:
            request.extensions = extensions


class AsyncSOCKSTransport(httpx2.AsyncHTTPTransport):
    """An `httpx2.AsyncHTTPTransport` with a SOCKS proxy.

    The same as `SOCKSTransport`, for async clients.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        extensions = request.extensions
        handshake = AsyncTracedHandshake(extensions.get("timeout", {}), extensions.get("trace"))
        request.extensions = {**extensions, "trace": handshake}
        try:
            return await super().handle_async_request(request)
        except BaseException as error:
            if handshake.stream is not None:
                with async_shield():
                    await handshake.stream.aclose()
            if handshake.is_unmapped(error):
                raise httpx2.ProxyError(BROKE.format(type(error).__name__)) from error
            raise
        finally:
            request.extensions = extensions


def transport_factory(options: Mapping[str, object]) -> TransportFactory[httpx2.BaseTransport]:
    """A factory of stock transports with common arguments."""
    return TransportFactory(httpx2.HTTPTransport, SOCKSTransport, _proxy_ssl_context, options)


def async_transport_factory(
    options: Mapping[str, object],
) -> TransportFactory[httpx2.AsyncBaseTransport]:
    """A factory of stock transports with common arguments."""
    return TransportFactory(
        httpx2.AsyncHTTPTransport, AsyncSOCKSTransport, _proxy_ssl_context, options
    )


def _proxy_ssl_context() -> ssl.SSLContext:
    import httpcore2

    return httpcore2.default_ssl_context()
