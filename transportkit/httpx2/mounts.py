# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`Mounts` and `AsyncMounts`: a routing dict compiled into one transport."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import httpx2

from ..network.options import check_names
from ..routing.routing import Route, Routing
from ..wire.advising import advising
from ..wire.stack import table
from .network import async_transport_factory, transport_factory
from .options import AsyncRoutes, HTTPTransportOptions, Routes, Target
from .owner import AsyncTransportOwner, TransportOwner
from .redirect import RefusingTransport

if TYPE_CHECKING:
    from .members import AsyncProxies, Proxies


@advising()
class Mounts(TransportOwner):
    """Routes each request to the transport of the most specific pattern that takes its URL.

    All patterns of https://www.python-httpx.org/advanced/transports/#routing work, and
    networks and path prefixes beside them: `all://10.0.0.0/8`, `https://example.com/api`.
    The most specific pattern takes a URL: the port decides first (given or not), then the host
    (exact, then networks from small to large, then wildcards from long to short, then any), then
    the length of the path, then the scheme. A look-up takes the same time for any number of
    routes. Only the URL counts, not the address that a name leads to.

    A target is one of:

    - a transport, which is opened and closed with this one, once;
    - None: the default that was given, or, when none was, straight to the network, past
      the environment's proxies;
    - `"direct"`: straight to the network;
    - a proxy, as `str`, `httpx2.URL` or `httpx2.Proxy`; equal URLs share one transport;
    - a list of proxies, which take turns: a `ProxyRoundRobin`; equal lists share one;
    - a dict of arguments for `httpx2.HTTPTransport`.

    Arguments:
        routes: a dict from patterns to targets.
        default: the target for what no pattern takes. Default: what a stock
            `httpx2.Client(**kwargs)` would send through, the environment's proxies included.
        kwargs: arguments of `httpx2.HTTPTransport`, for every one that is made here. Those
            with the same `verify`, `cert`, `trust_env` and `http2` share an SSL context.
            httpx2 knows no `uds`, `local_address` and `retries` behind a proxy: there, they
            hold for the routes without one.

    Raises:
        InvalidRoute: a key or a target that cannot work; the text says what to write.
        TypeError: `routes` is not a mapping, or an unknown argument.
        ValueError: arguments that exclude each other.
        ImportError: HTTP/2 or SOCKS without the package it needs.
        httpx2.UnsupportedProtocol: when sending to a URL without a scheme.

    >>> mounts = Mounts({
    ...     "all://": "http://scott:tiger@proxy.example:8080",
    ...     "all://*.internal.example": None,
    ...     "https://api.example.com": {"http2": True},
    ... })
    >>> mounts.route_for("https://wiki.internal.example/").pattern
    'all://*.internal.example'
    >>> print(mounts)
    https://api.example.com   HTTPTransport(http2=True)
    all://*.internal.example  direct
    all://                    proxy http://****@proxy.example:8080
    (anything else)           direct (never reached)
    >>> client = httpx2.Client(transport=mounts)
    >>> client.close()
    """

    _instead = "send the routing dict and make another one in the other process"

    def __init__(
        self,
        routes: Routes,
        *,
        default: httpx2.BaseTransport | Target = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_names(kwargs, type(self))
        network = transport_factory(kwargs)
        self._routing = Routing(
            routes, default, httpx2.BaseTransport, network, _rotation, RefusingTransport
        )
        super().__init__(self._routing.transports())

    @property
    def routes(self) -> tuple[Route[httpx2.BaseTransport], ...]:
        """The routes that were given, from the most to the least specific."""
        return self._routing.routes

    def route_for(self, url: httpx2.URL | str) -> Route[httpx2.BaseTransport]:
        """The route that would take a request to this URL; nothing is sent.

        Its `pattern` is the key as it was written, None for the default.

        Raises:
            httpx2.UnsupportedProtocol: the URL has no scheme.
        """
        return self._routing.route_for(url if isinstance(url, httpx2.URL) else httpx2.URL(url))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        transport = self._routing.route_for(request.url, request).transport
        return transport.handle_request(request)

    def _branches(self) -> Sequence[tuple[str, object]]:
        return self._routing.rows()

    def __str__(self) -> str:
        return table(self._branches())

    def __repr__(self) -> str:
        return f"<Mounts, {len(self.routes)} routes>"


@advising()
class AsyncMounts(AsyncTransportOwner):
    """Routes each request to the transport of the most specific pattern that takes its URL.

    The same as `Mounts`, for `httpx2.AsyncClient`.

    >>> mounts = AsyncMounts({"https://api.example.com": {"http2": True}}, default="direct")
    >>> mounts.route_for("https://api.example.com/users")
    <Route https://api.example.com to HTTPTransport(http2=True)>
    """

    _instead = "send the routing dict and make another one in the other process"

    def __init__(
        self,
        routes: AsyncRoutes,
        *,
        default: httpx2.AsyncBaseTransport | Target = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_names(kwargs, type(self))
        network = async_transport_factory(kwargs)
        self._routing = Routing(
            routes, default, httpx2.AsyncBaseTransport, network, _async_rotation, RefusingTransport
        )
        super().__init__(self._routing.transports())

    @property
    def routes(self) -> tuple[Route[httpx2.AsyncBaseTransport], ...]:
        """The routes that were given, from the most to the least specific."""
        return self._routing.routes

    def route_for(self, url: httpx2.URL | str) -> Route[httpx2.AsyncBaseTransport]:
        """The route that would take a request to this URL; nothing is sent.

        Its `pattern` is the key as it was written, None for the default.

        Raises:
            httpx2.UnsupportedProtocol: the URL has no scheme.
        """
        return self._routing.route_for(url if isinstance(url, httpx2.URL) else httpx2.URL(url))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        transport = self._routing.route_for(request.url, request).transport
        return await transport.handle_async_request(request)

    def _branches(self) -> Sequence[tuple[str, object]]:
        return self._routing.rows()

    def __str__(self) -> str:
        return table(self._branches())

    def __repr__(self) -> str:
        return f"<AsyncMounts, {len(self.routes)} routes>"


def default_transport(**kwargs: Unpack[HTTPTransportOptions]) -> httpx2.BaseTransport:
    """The transport that a stock `httpx2.Client(**kwargs)` would send through.

    The environment's proxies are used unless `trust_env=False`, `proxy=` or `uds=` is given.

    Arguments:
        kwargs: arguments of `httpx2.HTTPTransport`.

    Raises:
        TypeError, ValueError: an argument that `httpx2.HTTPTransport` would not take, or ignore.

    >>> transport = default_transport(http2=True, trust_env=False)
    >>> client = httpx2.Client(transport=transport)
    >>> client.close()
    """
    check_names(kwargs)
    mounts = Mounts({}, **kwargs)
    return mounts if mounts._routing.environment else mounts._routing.default.transport


def async_default_transport(**kwargs: Unpack[HTTPTransportOptions]) -> httpx2.AsyncBaseTransport:
    """The transport that a stock `httpx2.AsyncClient(**kwargs)` would send through.

    The same as `default_transport`, for async clients.

    >>> transport = async_default_transport(trust_env=False)
    >>> client = httpx2.AsyncClient(transport=transport)
    """
    check_names(kwargs)
    mounts = AsyncMounts({}, **kwargs)
    return mounts if mounts._routing.environment else mounts._routing.default.transport


def _rotation(proxies: "Proxies", **kwargs: Unpack[HTTPTransportOptions]) -> httpx2.BaseTransport:
    # Few tables have lists of proxies, and a rotation is as much to load as all the rest.
    from .rotation import ProxyRoundRobin

    return ProxyRoundRobin(proxies, **kwargs)


def _async_rotation(
    proxies: "AsyncProxies", **kwargs: Unpack[HTTPTransportOptions]
) -> httpx2.AsyncBaseTransport:
    from .rotation import AsyncProxyRoundRobin

    return AsyncProxyRoundRobin(proxies, **kwargs)
