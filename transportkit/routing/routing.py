"""A routing dict compiled into routes, and the route that takes a URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..network.factory import TransportFactory
from ..redaction.redaction import REDACTION
from ..wire.library import URL, Request, library_of
from .environment import environment_routes
from .keys import parse_pattern
from .patterns import InvalidRoute, Pattern
from .table import RoutingTable
from .targets import Targets

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

    Attributes:
        default: the route of what no pattern takes.
        routes: those that were given, from the most to the least specific.
        environment: those of the environment's proxies, which stand behind all others.

    Raises:
        InvalidRoute: a key or a target that cannot work; the text says what to write.
        TypeError: `routes` is not a mapping.
    """

    def __init__(
        self,
        routes: Mapping[str, object],
        default: object,
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

    def route_for(self, url: URL, request: Request | None = None) -> Route[T]:
        """The route that takes a URL.

        Raises:
            UnsupportedProtocol: of the URL's library, with the request, when there is no scheme.
        """
        if (route := self._table.find(url)) is None:
            raise library_of(url).UnsupportedProtocol(self._advice(url), request=request)
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


def _parse_all(routes: Mapping[str, V]) -> dict[Pattern, V]:
    parsed: dict[Pattern, V] = {}
    for key, target in routes.items():
        pattern = parse_pattern(key)
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
