"""Hold one inner transport: open it, close it, reach it.

Without a transport of the caller's, the inner one is what a stock client would send
through, the environment's proxies included: wrapping never drops `HTTP_PROXY`.
"""

import inspect
from collections.abc import Collection, Mapping
from typing import Unpack

import httpx

from ..wire.arguments import transport_advice
from ..wire.lifecycle import AsyncTransportOwner, TransportOwner
from ..network.options import HTTPTransportOptions, check_names
from .mounts import async_default_transport, default_transport


class Wrapper(TransportOwner):
    """The base of a transport around one other.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        kwargs: arguments of `httpx.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: both were given, an argument that nobody takes, or a transport that is not
            for sync clients.
    """

    def __init__(
        self, transport: httpx.BaseTransport | None = None, **kwargs: Unpack[HTTPTransportOptions]
    ) -> None:
        check_inner(transport, httpx.BaseTransport, kwargs, type(self))
        self._transport = default_transport(**kwargs) if transport is None else transport
        super().__init__((self._transport,))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._send(self._transport, request)


class AsyncWrapper(AsyncTransportOwner):
    """The base of a transport around one other.

    Arguments:
        transport: the inner transport. Default: `async_default_transport(**kwargs)`.
        kwargs: arguments of `httpx.AsyncHTTPTransport`, in place of a transport.

    Raises:
        TypeError: both were given, an argument that nobody takes, or a transport that is not
            for async clients.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_inner(transport, httpx.AsyncBaseTransport, kwargs, type(self))
        self._transport = async_default_transport(**kwargs) if transport is None else transport
        super().__init__((self._transport,))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._send(self._transport, request)


def check_inner(transport: object, kind: type, names: Collection[str], taker: type) -> None:
    """Refuse an inner transport that could not be sent through, or would be in doubt.

    Arguments:
        transport: what was given for one.
        kind: `httpx.BaseTransport` or `httpx.AsyncBaseTransport`, whichever is needed.
        names: of the arguments in place of a transport.
        taker: the class that all this was given to.

    Raises:
        TypeError: the text says what to write.
    """
    check_names(names, taker)
    if transport is None:
        return
    if not isinstance(transport, kind):
        if advice := transport_advice(transport, kind, taker.__name__.removeprefix("Async")):
            raise TypeError(f"transport: {advice}")
        written = _meant(transport, kind, taker)
        advice = f": write {written}" if written else ""
        raise TypeError(
            f"transport must be an httpx.{kind.__name__}, not {type(transport).__name__}{advice}"
        )
    if names:
        raise TypeError(
            f"give either a transport or arguments to build one, not both: {', '.join(names)} "
            "would be ignored. Pass them where that transport is made"
        )


def _meant(given: object, kind: type, taker: type) -> str:
    """What to write for something that is no transport; nothing if nobody knows."""
    prefix = "Async" if kind is httpx.AsyncBaseTransport else ""
    if isinstance(given, (str, httpx.URL, httpx.Proxy)):
        return "proxy=..."
    if isinstance(given, (list, tuple)):
        return f"{prefix}ProxyRoundRobin([...])"
    if isinstance(given, Mapping):
        return f"{prefix}Mounts({{...}})"
    for name, parameter in inspect.signature(taker).parameters.items():
        if type(parameter.default) is type(given):
            return f"{name}=..."
    return ""
