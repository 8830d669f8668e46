# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`Mounts` and `AsyncMounts`: a routing dict compiled into one transport."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, Unpack

import httpx2

from ..network.factory import TransportFactory
from ..network.options import check_names
from ..redaction.redaction import REDACTION
from ..routing.environment import environment_routes
from ..routing.patterns import InvalidRoute, Pattern, parse
from ..routing.table import RoutingTable
from ..routing.targets import Targets
from .network import async_transport_factory, transport_factory
from .options import HTTPTransportOptions, Target
from .owner import AsyncTransportOwner, TransportOwner
from .rotation import AsyncProxyRoundRobin, ProxyRoundRobin

T = TypeVar("T", bound=httpx2.BaseTransport | httpx2.AsyncBaseTransport)
V = TypeVar("V")


@dataclass(frozen=True, repr=False)
class Route(Generic[T]):
    """One pattern and the transport it leads to.

    >>> from transportkit.httpx2 import Mounts, RefusingTransport
    >>> mounts = Mounts({"http://": RefusingTransport("https only")})
    >>> mounts.routes
    (<Route http:// to RefusingTransport>,)

    Attributes:
        pattern: the key as it was written, None for the default.
        transport: what takes the requests.
        target: what that is, in words, without credentials.
    """

    pattern: str | None
    transport: T
    target: str = ""

    def __repr__(self) -> str:
        target = self.target or type(self.transport).__name__
        return f"<Route {self.pattern or 'default'} to {target}>"


class Routing(Generic[T]):
    """A routing dict, compiled: what `Mounts` and `AsyncMounts` have in common."""

    def __init__(
        self,
        routes: Mapping[str, T | Target],
        default: T | Target,
        kind: type[T],
        network: TransportFactory[T],
        rotation: Callable[..., T],
    ) -> None:
        if not isinstance(routes, Mapping):
            raise TypeError(
                f"routes must be a dict of patterns and targets, not {type(routes).__name__}"
            )
        targets = Targets(kind, network, rotation)
        environment = _environment(network.options) if default is None else {}
        # A client with proxy=... sends everything through it that no mount takes.
        fallback = network.options.get("proxy") if default is None else default
        try:
            transport, target = targets.resolve(fallback)
        except (TypeError, ValueError, OSError) as error:
            name = "default" if fallback is default else "proxy"
            raise InvalidRoute(f"{name}: {error}") from error
        self.default: Route[T] = Route(None, transport, target)
        given = None if default is None else transport
        compiled = {
            pattern: _compile(pattern.key, pattern.key, target, targets, given)
            for pattern, target in _parse_all(routes).items()
        }
        self.environment: dict[Pattern, Route[T]] = {
            pattern: _compile(None, _variable(pattern.key), target, targets, None)
            for pattern, target in _parse_all(environment).items()
        }
        in_order = sorted(compiled, key=lambda pattern: pattern.priority)
        self.routes: tuple[Route[T], ...] = tuple(compiled[pattern] for pattern in in_order)
        self._table = RoutingTable([compiled.items(), self.environment.items()], self.default)

    def transports(self) -> list[T]:
        """Every transport that a request can be sent through."""
        routes = (*self.routes, *self.environment.values(), self.default)
        return [route.transport for route in routes]

    def route_for(self, url: httpx2.URL, request: httpx2.Request | None = None) -> Route[T]:
        if (route := self._table.find(url)) is None:
            raise httpx2.UnsupportedProtocol(self._advice(url), request=request)
        return route

    def __str__(self) -> str:
        rows = [(route.pattern or "", route.target) for route in self.routes]
        rows += [
            (f"(environment) {pattern.key}", self.environment[pattern].target)
            for pattern in sorted(self.environment, key=lambda pattern: pattern.priority)
        ]
        rows.append(("(anything else)", self.default.target))
        width = max(len(pattern) for pattern, _ in rows)
        return "\n".join(f"{pattern:<{width}}  {target}" for pattern, target in rows)

    def _advice(self, url: httpx2.URL) -> str:
        shown = REDACTION.url(url)
        base_url = "give the client a base_url, or the request a whole URL"
        path = REDACTION.text(url.raw_path.decode("ascii").partition("?")[0])
        file_url = (
            f"httpx2 strips 'file://' from URLs without a host: give the client "
            f"base_url='file:///', or send httpx2.Request('GET', 'file://{path}')"
        )
        if any((route.pattern or "").lower().startswith("file:") for route in self.routes):
            return f"{shown!r} is a relative URL. If it was a file URL: {file_url}. If not: {base_url}."
        return f"{shown!r} is a relative URL: {base_url}. (If it was a file URL: {file_url}.)"


def _parse_all(routes: Mapping[str, V]) -> dict[Pattern, V]:
    parsed: dict[Pattern, V] = {}
    for key, target in routes.items():
        pattern = parse(key)
        if pattern in parsed:
            other = next(known.key for known in parsed if known == pattern)
            raise InvalidRoute(f"{key!r} means the same as {other!r}: keep one of them")
        parsed[pattern] = target
    return parsed


def _compile(
    key: str | None, name: str, target: object, targets: Targets[T], default: T | None
) -> Route[T]:
    try:
        return Route(key, *targets.resolve(target, default))
    except (TypeError, ValueError, OSError) as error:
        raise InvalidRoute(f"{name!r}: {error}") from error


def _environment(options: Mapping[str, object]) -> dict[str, str | None]:
    """The environment's routes where a stock client would use them, if they name a proxy."""
    if not options.get("trust_env", True) or options.get("proxy") or options.get("uds"):
        return {}
    routes = environment_routes()
    return routes if any(routes.values()) else {}


def _variable(key: str) -> str:
    """The environment variable that a proxy came from."""
    return f"{key.partition(':')[0].upper()}_PROXY in the environment"


class Mounts(TransportOwner):
    """Routes each request to the transport of the most specific pattern that takes its URL.

    All patterns of https://www.python-httpx.org/advanced/transports/#routing work, and
    networks and path prefixes beside them: `all://10.0.0.0/8`, `https://example.com/api`.
    What takes a URL is decided by the port first (given or not), then the host (exact, then
    networks from small to large, then wildcards from long to short, then any), then the
    length of the path, then the scheme. A look-up takes the same time for any number of routes.
    Only the URL counts, not the address that a name leads to.

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
        TypeError: `routes` is no mapping, or an unknown argument.
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
    (anything else)           direct
    >>> client = httpx2.Client(transport=mounts)
    >>> client.close()
    """

    def __init__(
        self,
        routes: Mapping[str, httpx2.BaseTransport | Target],
        *,
        default: httpx2.BaseTransport | Target = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_names(kwargs, type(self))
        network = transport_factory(kwargs)
        self._routing = Routing(routes, default, httpx2.BaseTransport, network, ProxyRoundRobin)
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
        route = self._routing.route_for(request.url, request)
        return self._send(route.transport, request)

    def __str__(self) -> str:
        return str(self._routing)

    def __repr__(self) -> str:
        return f"<Mounts, {len(self.routes)} routes>"


class AsyncMounts(AsyncTransportOwner):
    """Routes each request to the transport of the most specific pattern that takes its URL.

    The same as `Mounts`, for `httpx2.AsyncClient`.

    >>> mounts = AsyncMounts({"https://api.example.com": {"http2": True}}, default="direct")
    >>> mounts.route_for("https://api.example.com/users")
    <Route https://api.example.com to HTTPTransport(http2=True)>
    """

    def __init__(
        self,
        routes: Mapping[str, httpx2.AsyncBaseTransport | Target],
        *,
        default: httpx2.AsyncBaseTransport | Target = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_names(kwargs, type(self))
        network = async_transport_factory(kwargs)
        self._routing = Routing(
            routes, default, httpx2.AsyncBaseTransport, network, AsyncProxyRoundRobin
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
        route = self._routing.route_for(request.url, request)
        return await self._send(route.transport, request)

    def __str__(self) -> str:
        return str(self._routing)

    def __repr__(self) -> str:
        return f"<AsyncMounts, {len(self.routes)} routes>"


def default_transport(**kwargs: Unpack[HTTPTransportOptions]) -> httpx2.BaseTransport:
    """The transport that a stock `httpx2.Client(**kwargs)` would send through.

    The environment's proxies are used unless `trust_env=False`, `proxy=` or `uds=` is given.

    Arguments:
        kwargs: arguments of `httpx2.HTTPTransport`.

    Raises:
        InvalidRoute: the environment names a proxy that is none.
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
