# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Hold one inner transport: open it, close it, reach it.

Without a transport of the caller's, the inner one is what a stock client would send
through, the environment's proxies included: wrapping never drops `HTTP_PROXY`.
"""

from typing import Unpack

import httpx2

from ..network.options import check_inner
from .mounts import async_default_transport, default_transport
from .options import HTTPTransportOptions
from .owner import AsyncTransportOwner, TransportOwner


class Wrapper(TransportOwner):
    """The base of a transport around one other.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: both were given, an argument that nobody takes, or a transport that is not
            for sync clients.
    """

    def __init__(
        self, transport: httpx2.BaseTransport | None = None, **kwargs: Unpack[HTTPTransportOptions]
    ) -> None:
        check_inner(transport, httpx2.BaseTransport, kwargs, type(self))
        self._transport = default_transport(**kwargs) if transport is None else transport
        super().__init__((self._transport,))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._send(self._transport, request)


class AsyncWrapper(AsyncTransportOwner):
    """The base of a transport around one other.

    Arguments:
        transport: the inner transport. Default: `async_default_transport(**kwargs)`.
        kwargs: arguments of `httpx2.AsyncHTTPTransport`, in place of a transport.

    Raises:
        TypeError: both were given, an argument that nobody takes, or a transport that is not
            for async clients.
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_inner(transport, httpx2.AsyncBaseTransport, kwargs, type(self))
        self._transport = async_default_transport(**kwargs) if transport is None else transport
        super().__init__((self._transport,))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._send(self._transport, request)
