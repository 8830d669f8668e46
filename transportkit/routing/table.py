"""The most specific pattern for a URL, in constant time.

Patterns are kept in dicts, by port, then by host, then by scheme and path. A look-up asks
for every pattern that *could* take the URL, from the most to the least specific, and
stops at the first one found:

1. with the port of the URL, then without a port;
2. within a port: the host, the networks around it from small to large, the names that it
   ends in from long to short, any host;
3. within a host: the path, shortened segment by segment, with the scheme and without one.

The number of questions depends on the URL and on the number of *kinds* of patterns
(lengths of networks, depths of paths), not on the number of patterns. Everything that the
origin alone decides (scheme, host, port) is remembered for the origins seen last. Where
patterns have nothing but names and schemes, two questions are all, and nothing is remembered.
"""

from collections.abc import Iterable
from typing import Generic, TypeVar

from ..wire.library import URL
from .hosts import Branch, Hosts
from .patterns import DEFAULT_PORTS, Pattern, address, canonical_host, canonical_path

T = TypeVar("T")

_MEMO_SIZE = 1024
# A host name has at most 253 characters (RFC 1035): a longer host is not remembered.
_MEMO_HOST_LENGTH = 255


class RoutingTable(Generic[T]):
    """Finds the value of the most specific pattern that takes a URL.

    Arguments:
        layers: patterns, each with its value. Those of a layer stand behind all of the
            earlier layers, and differ from one another.
        default: the value for what no pattern takes.
    """

    def __init__(self, layers: Iterable[Iterable[tuple[Pattern, T]]], default: T) -> None:
        given = [dict(layer) for layer in layers]
        self._default = default
        self._names: _Names[T] | None = None
        self._layers: list[tuple[dict[int | None, Hosts[T]], Hosts[T] | None]] = []
        if _are_names(given):
            self._names = _Names(given, default)
        else:
            self._layers = [_by_port(layer) for layer in given if layer]
        self._memo: dict[tuple[str, bytes, int | None], tuple[T, list[Branch[T]]]] = {}

    def find(self, url: URL) -> T | None:
        """The value for this URL, None if it has no scheme."""
        scheme, host = url.scheme, url.raw_host
        if not scheme:
            return None
        if (names := self._names) is not None:
            by_scheme = names.by_host.get(host.removesuffix(b"."), names.any_host)
            return by_scheme.get(scheme, by_scheme[""])
        origin = (scheme, host, url.port)
        if (found := self._memo.get(origin)) is None:
            found = self._resolve(*origin)
            if len(host) <= _MEMO_HOST_LENGTH:
                if len(self._memo) >= _MEMO_SIZE:
                    self._memo.clear()
                self._memo[origin] = found
        value, branches = found
        if branches:
            path = canonical_path(url.raw_path.decode("ascii"))
            for branch in branches:
                if (below := branch.find(path)) is not None:
                    return below
        return value

    def _resolve(self, scheme: str, raw_host: bytes, port: int | None) -> tuple[T, list[Branch[T]]]:
        """The value for this origin with any path, and the branches to ask for the path first."""
        branches: list[Branch[T]] = []
        host = canonical_host(raw_host.decode("ascii"))
        if port is None:
            port = DEFAULT_PORTS.get(scheme)
        for ports, every_port in self._layers:
            for hosts in (ports.get(port), every_port) if ports else (every_port,):
                if hosts is not None:
                    if (value := hosts.find(host, scheme, branches)) is not None:
                        return value, branches
        return self._default, branches


class _Names(Generic[T]):
    """The patterns of a table in which names and schemes are all there is.

    Attributes:
        by_host: for each name, the value for each scheme; that of the empty one is for the others.
        any_host: the same for every other host.
    """

    def __init__(self, layers: list[dict[Pattern, T]], default: T) -> None:
        self.any_host: dict[str, T] = {"": default}
        by_host: dict[str, dict[str, T]] = {}
        for layer in reversed(layers):
            own: dict[str, T] = {}
            for pattern, value in layer.items():
                by_scheme = by_host.setdefault(pattern.host, {}) if pattern.host else own
                by_scheme[pattern.scheme] = value
            self.any_host = _before(own, self.any_host)
        self.by_host = {
            host.encode("ascii"): _before(own, self.any_host) for host, own in by_host.items()
        }


def _before(own: dict[str, T], others: dict[str, T]) -> dict[str, T]:
    return own if "" in own else {**others, **own}


def _are_names(layers: list[dict[Pattern, T]]) -> bool:
    """True if two questions are enough: the host, then the scheme."""
    return not any(
        pattern.port
        or pattern.path
        or pattern.wildcard
        or pattern.network
        or address(pattern.host)
        # What has a name stands before what has none, and so it must not be of a later layer.
        or (pattern.host and layer is not layers[0])
        for layer in layers
        for pattern in layer
    )


def _by_port(layer: dict[Pattern, T]) -> tuple[dict[int | None, Hosts[T]], Hosts[T] | None]:
    """The patterns with a port, and those without."""
    ports: dict[int | None, Hosts[T]] = {}
    for pattern, value in layer.items():
        ports.setdefault(pattern.port, Hosts()).add(pattern, value)
    every_port = ports.pop(None, None)
    return ports, every_port
