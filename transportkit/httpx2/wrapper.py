# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`Wrapper` and `AsyncWrapper`: the base of a transport around one other.

Without a transport of the caller's, the inner one is what a stock client would send
through, the environment's proxies included: wrapping never drops `HTTP_PROXY`.
"""

from collections.abc import Sequence
from typing import Unpack

import httpx2

from ..network.options import check_inner
from ..wire.stack import warn_of_retries_around_resumes
from .options import HTTPTransportOptions
from .owner import AsyncTransportOwner, TransportOwner


class Wrapper(TransportOwner):
    """The base of a transport around one other, which it opens and closes, each once.

    A subclass defines `handle_request`, and sends through the inner transport with
    `super().handle_request(request)`, as often as it likes. Others may hold the request
    that it was given: to change something, send a request of your own.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: a transport and kwargs both, an unknown argument, or a transport that is
            not for sync clients.

    >>> class Signed(Wrapper):
    ...     def handle_request(self, request: httpx2.Request) -> httpx2.Response:
    ...         signed = httpx2.Request(
    ...             request.method,
    ...             request.url,
    ...             headers=[*request.headers.raw, (b"X-Team", b"blue")],
    ...             stream=request.stream,
    ...             extensions=request.extensions,
    ...         )
    ...         return super().handle_request(signed)
    >>> server = httpx2.MockTransport(lambda request: httpx2.Response(200, json=[*request.headers]))
    >>> with httpx2.Client(transport=Signed(server)) as client:
    ...     client.get("https://example.com/").json()[-1]
    'x-team'
    """

    def __init__(
        self, transport: httpx2.BaseTransport | None = None, **kwargs: Unpack[HTTPTransportOptions]
    ) -> None:
        check_inner(transport, httpx2.BaseTransport, kwargs, type(self))
        if transport is None:
            # Routing costs more to import than all that a given transport needs.
            from .mounts import default_transport

            transport = default_transport(**kwargs)
        warn_of_retries_around_resumes(self, transport)
        self._transport = transport
        super().__init__((transport,))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._send(self._transport, request)

    def _branches(self) -> Sequence[tuple[str, object]]:
        return [("", self._transport)]


class AsyncWrapper(AsyncTransportOwner):
    """The base of a transport around one other, which it opens and closes, each once.

    The same as `Wrapper`, for async clients.

    >>> class Signed(AsyncWrapper):
    ...     async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
    ...         signed = httpx2.Request(
    ...             request.method,
    ...             request.url,
    ...             headers=[*request.headers.raw, (b"X-Team", b"blue")],
    ...             stream=request.stream,
    ...             extensions=request.extensions,
    ...         )
    ...         return await super().handle_async_request(signed)
    >>> client = httpx2.AsyncClient(transport=Signed(http2=True))
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_inner(transport, httpx2.AsyncBaseTransport, kwargs, type(self))
        if transport is None:
            # Routing costs more to import than all that a given transport needs.
            from .mounts import async_default_transport

            transport = async_default_transport(**kwargs)
        warn_of_retries_around_resumes(self, transport)
        self._transport = transport
        super().__init__((transport,))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._send(self._transport, request)

    def _branches(self) -> Sequence[tuple[str, object]]:
        return [("", self._transport)]
