"""A routing dict compiled into routes, and the route that takes a URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..network.factory import TransportFactory
from ..network.proxy_url import parse_proxy
from ..redaction.redaction import REDACTION
from ..wire.library import URL, Request, library_of
from ..wire.logs import Log
from ..wire.stack import warn_of_what_a_route_loses
from .environment import Variable, environment_routes
from .keys import parse_pattern
from .patterns import InvalidRoute, Pattern
from .reach import reached
from .schemes import check_scheme
from .table import RoutingTable
from .targets import Resolved, Targets

_logger = Log("transportkit.routing")

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, repr=False)
class Route(Generic[T]):
    """One pattern and the transport it leads to.

    >>> from transportkit import Mounts, RefusingTransport
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
    """A routing dict, compiled: the common core of `Mounts` and `AsyncMounts`.

    Arguments:
        routes: the dict, from patterns to targets.
        default: the target for what no pattern takes; None for that of a stock client.
        kind: `BaseTransport` or `AsyncBaseTransport` of a library.
        network: makes stock transports.
        rotation: makes one of a list of proxies and the arguments of its transports.
        refusing: makes a transport that refuses every request, for a reason.

    Attributes:
        default: the route of what no pattern takes.
        routes: those that were given, from the most to the least specific.
        environment: those of the environment's proxies, which stand behind all others.

    Raises:
        InvalidRoute: a key or a target that cannot work; the text says what to write.
        TypeError: `routes` is not a mapping.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that differs between the two shells
        self,
        routes: Mapping[str, object],
        default: object,
        kind: type[T],
        network: TransportFactory[T],
        rotation: Callable[..., T],
        refusing: Callable[[str], T],
    ) -> None:
        if not isinstance(routes, Mapping):
            raise TypeError(
                "routes must be a dict of patterns and targets such as "
                f"{{'all://*.internal.example': None}}, not {type(routes).__name__}"
            )
        self._targets = Targets(kind, network, rotation)
        self._options = network.options
        self._refusing = refusing
        # Why, by the identity of the route.
        self._refused: dict[int, str] = {}
        environment = _environment(network.options) if default is None else {}
        resolved = self._resolve_default(default, kind)
        self.default: Route[T] = Route(None, resolved.transport, resolved.description)
        given = None if default is None else resolved
        compiled = {
            pattern: self._compile(pattern, pattern.key, target, given)
            for pattern, target in _parse_all(routes).items()
        }
        self.environment: dict[Pattern, Route[T]] = {
            pattern: self._compile(pattern, None, target, None)
            for pattern, target in _parse_all(environment).items()
        }
        in_order = sorted(compiled, key=lambda pattern: pattern.priority)
        self.routes: tuple[Route[T], ...] = tuple(compiled[pattern] for pattern in in_order)
        self._table = RoutingTable([compiled.items(), self.environment.items()], self.default)
        self._patterns = [*compiled, *self.environment]
        for route in filter(_is_given, self.routes):
            warn_of_what_a_route_loses(route.pattern or "", route.transport, self._options)
        if self._refused:
            for identity in self._reached():
                if reason := self._refused.get(identity):
                    _logger.warning("%s (what needs it is refused)", reason)

    def transports(self) -> list[T]:
        """Every transport that a request can be sent through."""
        routes = (*self.routes, *self.environment.values(), self.default)
        return [route.transport for route in routes]

    def route_for(self, url: URL, request: Request | None = None) -> Route[T]:
        """The route that takes a URL.

        Raises:
            UnsupportedProtocol: of the URL's library, with the request, when there is no scheme.
        """
        if (route := self._table.find(url)) is None:
            raise library_of(url).UnsupportedProtocol(self._advice(url), request=request)
        return route

    def rows(self) -> list[tuple[str, object]]:
        """The routes as they are shown: each with its transport, or what that is in words."""
        can_be_reached = self._reached()
        rows = [(route.pattern or "", route) for route in self.routes]
        rows += [
            (f"(environment) {pattern.key}", self.environment[pattern])
            for pattern in sorted(self.environment, key=lambda pattern: pattern.priority)
        ]
        rows.append(("(anything else)", self.default))
        shown = [(name, _shown(route, id(route) in can_be_reached)) for name, route in rows]
        if self._options:
            shown.append(("(arguments)", self._targets.describe(self._options)))
        return shown

    def _reached(self) -> dict[int, None]:
        """The identities of the routes that a URL can lead to."""
        return dict.fromkeys(map(id, reached(self._patterns, self._table.find)))

    def _resolve_default(self, default: object, kind: type[T]) -> Resolved[T]:
        name, target = "default", default
        if default is None and (proxy := self._options.get("proxy")) is not None:
            # A client with proxy=... sends everything through it that no mount takes.
            name, target = "proxy", proxy
        try:
            if name == "proxy":
                parse_proxy(target, kind)
            return self._targets.resolve(target)
        except (TypeError, ValueError, OSError) as error:
            # Left out, it is made from the arguments for all, and they are what is wrong.
            text = str(error) if target is None else f"{name}: {error}"
            raise InvalidRoute(text) from error

    def _compile(
        self, pattern: Pattern, key: str | None, target: object, default: Resolved[T] | None
    ) -> Route[T]:
        try:
            resolved = self._targets.resolve(target, default)
        except (TypeError, ValueError, OSError, ImportError) as error:
            if isinstance(target, Variable):
                return self._refuse(key, target, error)
            if isinstance(error, ImportError):
                raise
            raise InvalidRoute(f"{pattern.key!r}: {error}") from error
        if resolved.is_network:
            check_scheme(pattern)
        return Route(key, resolved.transport, resolved.description)

    def _refuse(self, key: str | None, variable: Variable, error: Exception) -> Route[T]:
        """A route for what only a variable that cannot work would serve."""
        reason = f"{variable.name} in the environment: {error}"
        route = Route(key, self._refusing(reason), f"refused: {error}")
        self._refused[id(route)] = reason
        return route

    def _advice(self, url: URL) -> str:
        shown = REDACTION.url(url)
        base_url = "give the client a base_url, or the request a whole URL"
        path = REDACTION.text(url.raw_path.decode("ascii").partition("?")[0])
        file_url = (
            f"httpx strips 'file://' from URLs without a host: give the client "
            f"base_url='file:///', or send httpx.Request('GET', 'file://{path}')"
        )
        if any((route.pattern or "").lower().startswith("file:") for route in self.routes):
            return f"{shown!r} is a relative URL. If it was a file URL: {file_url}. If not: {base_url}."
        return f"{shown!r} is a relative URL: {base_url}. (If it was a file URL: {file_url}.)"


def _shown(route: Route[T], can_be_reached: bool) -> object:
    if not can_be_reached:
        return f"{route.target} (never reached)"
    return route.transport if _is_given(route) else route.target


def _is_given(route: Route[T]) -> bool:
    """True for a transport that was given ready: its name is all that there is to describe it."""
    return route.target == type(route.transport).__name__


def _parse_all(routes: Mapping[str, V]) -> dict[Pattern, V]:
    parsed: dict[Pattern, V] = {}
    for key, target in routes.items():
        pattern = parse_pattern(key)
        if pattern in parsed:
            other = next(known.key for known in parsed if known == pattern)
            raise InvalidRoute(f"{key!r} means the same as {other!r}: keep one of them")
        parsed[pattern] = target
    return parsed


def _environment(options: Mapping[str, object]) -> dict[str, str | None]:
    """The environment's routes where a stock client would use them, if they name a proxy."""
    if not options.get("trust_env", True) or options.get("proxy") or options.get("uds"):
        return {}
    routes = environment_routes()
    return routes if any(routes.values()) else {}
