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
origin alone decides (scheme, host, port) is remembered for the origins seen last.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from ..wire.library import URL
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
        self._default = default
        self._layers: list[dict[int | None, _Hosts[T]]] = []
        for entries in layers:
            ports: dict[int | None, _Hosts[T]] = {}
            for pattern, value in entries:
                ports.setdefault(pattern.port, _Hosts()).add(pattern, value)
            self._layers.append(ports)
        self._memo: dict[tuple[str, bytes, int | None], tuple[T | None, list[_Branch[T]]]] = {}

    def find(self, url: URL) -> T | None:
        """The value for this URL, None if it has no scheme."""
        origin = (url.scheme, url.raw_host, url.port)
        try:
            value, branches = self._memo[origin]
        except KeyError:
            value, branches = self._resolve(*origin)
            if len(origin[1]) <= _MEMO_HOST_LENGTH:
                if len(self._memo) >= _MEMO_SIZE:
                    self._memo.clear()
                self._memo[origin] = (value, branches)
        if branches:
            path = canonical_path(url.raw_path.decode("ascii"))
            for branch in branches:
                if (found := branch.find(path)) is not None:
                    return found
        return value

    def _resolve(
        self, scheme: str, raw_host: bytes, port: int | None
    ) -> tuple[T | None, "list[_Branch[T]]"]:
        """The value for this origin with any path, and the branches to ask for the path first."""
        branches: list[_Branch[T]] = []
        if not scheme:
            return None, branches
        host = canonical_host(raw_host.decode("ascii"))
        port = DEFAULT_PORTS.get(scheme) if port is None else port
        for ports in self._layers:
            for given in (None,) if port is None else (port, None):
                if (hosts := ports.get(given)) is None:
                    continue
                for paths in hosts.taking(host):
                    branch = _Branch(paths, scheme)
                    if branch.depth:
                        branches.append(branch)
                    if branch.any_path is not None:
                        return branch.any_path, branches
        return self._default, branches


class _Paths(Generic[T]):
    """The patterns that share a port and a host: by scheme (empty for any), then by path."""

    def __init__(self) -> None:
        self.by_scheme: dict[str, dict[str, T]] = {}
        self.depth = 0

    def add(self, pattern: Pattern, value: T) -> None:
        self.by_scheme.setdefault(pattern.scheme, {})[pattern.path] = value
        self.depth = max(self.depth, pattern.path.count("/"))


class _Branch(Generic[T]):
    """The paths of one scheme, and behind them those of any scheme."""

    def __init__(self, paths: _Paths[T], scheme: str) -> None:
        self._own = paths.by_scheme.get(scheme, {})
        self._any = paths.by_scheme.get("", {})
        self.depth = paths.depth if self._own or self._any else 0
        self.any_path = self._own.get("", self._any.get(""))

    def find(self, path: str) -> T | None:
        # A path deeper than every pattern is cut before it is shortened step by step.
        path = "/".join(path.split("/", self.depth + 1)[: self.depth + 1])
        while path:
            if (found := self._own.get(path, self._any.get(path))) is not None:
                return found
            path = path[: path.rindex("/")]
        return self.any_path


class _Hosts(Generic[T]):
    """The patterns that share a port, by host."""

    def __init__(self) -> None:
        self._exact: dict[str, _Paths[T]] = {}
        self._networks: dict[tuple[int, int], dict[int, _Paths[T]]] = {}
        self._wildcards: dict[str, dict[str, _Paths[T]]] = {"*.": {}, "*": {}}
        self._longest_wildcard = 0
        self._any: _Paths[T] | None = None

    def add(self, pattern: Pattern, value: T) -> None:
        self._paths_for(pattern).add(pattern, value)

    def _paths_for(self, pattern: Pattern) -> _Paths[T]:
        if pattern.network is not None:
            network = pattern.network
            host_bits = network.max_prefixlen - network.prefixlen
            # Sorted here and not when looked up: from small to large.
            self._networks.setdefault((network.version, host_bits), {})
            self._networks = dict(sorted(self._networks.items()))
            addresses = self._networks[network.version, host_bits]
            return addresses.setdefault(int(network.network_address) >> host_bits, _Paths())
        if pattern.wildcard:
            self._longest_wildcard = max(self._longest_wildcard, len(pattern.host))
            return self._wildcards[pattern.wildcard].setdefault(pattern.host, _Paths())
        if pattern.host:
            return self._exact.setdefault(pattern.host, _Paths())
        if self._any is None:
            self._any = _Paths()
        return self._any

    def taking(self, host: str) -> Iterator[_Paths[T]]:
        """The patterns that take a canonical host, from the most to the least specific."""
        if (paths := self._exact.get(host)) is not None:
            yield paths
        if self._networks and (ip := address(host)) is not None:
            for (version, host_bits), addresses in self._networks.items():
                if version == ip.version:
                    if (paths := addresses.get(int(ip) >> host_bits)) is not None:
                        yield paths
        if self._longest_wildcard:
            yield from self._wildcards_taking(host)
        if self._any is not None:
            yield self._any

    def _wildcards_taking(self, host: str) -> Iterator[_Paths[T]]:
        if (paths := self._wildcards["*"].get(host)) is not None:
            yield paths
        # A suffix begins behind a dot that does not come first, and is at most as long as the
        # longest of all wildcards.
        dot = host.find(".", max(1, len(host) - self._longest_wildcard - 1))
        while dot > 0:
            suffix = host[dot + 1 :]
            for wildcards in self._wildcards.values():
                if (paths := wildcards.get(suffix)) is not None:
                    yield paths
            dot = host.find(".", dot + 1)
