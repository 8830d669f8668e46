"""Stock transports, and those for SOCKS proxies with a complete handshake."""

import ssl
from collections.abc import Mapping

import httpx

from ..network.factory import TransportFactory
from ..network.socks import BROKE, AsyncTracedHandshake, TracedHandshake
from ..wire.io import async_shield, shield


class SOCKSTransport(httpx.HTTPTransport):
    """An `httpx.HTTPTransport` with a SOCKS proxy.

    A stalled handshake raises `httpx.ReadTimeout`, as a stalled CONNECT does; a broken one
    raises `httpx.ProxyError`.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
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
                raise httpx.ProxyError(BROKE.format(type(error).__name__)) from error
            raise
        finally:
            request.extensions = extensions


class AsyncSOCKSTransport(httpx.AsyncHTTPTransport):
    """An `httpx.AsyncHTTPTransport` with a SOCKS proxy.

    The same as `SOCKSTransport`, for async clients.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
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
                raise httpx.ProxyError(BROKE.format(type(error).__name__)) from error
            raise
        finally:
            request.extensions = extensions


def transport_factory(options: Mapping[str, object]) -> TransportFactory[httpx.BaseTransport]:
    """A factory of stock transports with common arguments."""
    return TransportFactory(httpx.HTTPTransport, SOCKSTransport, _proxy_ssl_context, options)


def async_transport_factory(
    options: Mapping[str, object],
) -> TransportFactory[httpx.AsyncBaseTransport]:
    """A factory of stock transports with common arguments."""
    return TransportFactory(
        httpx.AsyncHTTPTransport, AsyncSOCKSTransport, _proxy_ssl_context, options
    )


def _proxy_ssl_context() -> ssl.SSLContext:
    import httpcore

    return httpcore.default_ssl_context()
