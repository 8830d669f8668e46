"""The patterns of a routing table that share a port: by host, then by scheme and path."""

from typing import Generic, TypeVar

from .patterns import Pattern, address

T = TypeVar("T")


class Branch(Generic[T]):
    """The patterns with a path that take an origin, and share a port and a host.

    Arguments:
        own: those for the scheme, by path.
        other: those for every scheme, by path.
        depth: the number of segments of the longest path.
        any_path: the value for every other path.
    """

    def __init__(
        self, own: dict[str, T], other: dict[str, T], depth: int, any_path: T | None
    ) -> None:
        self._own = own
        self._other = other
        self._depth = depth
        self._any_path = any_path

    def find(self, path: str) -> T | None:
        # A path deeper than every pattern is cut before it is shortened step by step.
        path = "/".join(path.split("/", self._depth + 1)[: self._depth + 1])
        while path:
            if (found := self._own.get(path, self._other.get(path))) is not None:
                return found
            path = path[: path.rindex("/")]
        return self._any_path


class _Paths(Generic[T]):
    """The patterns that share a port and a host: by scheme (empty for any), then by path."""

    def __init__(self) -> None:
        self._any_path: dict[str, T] = {}
        self._by_scheme: dict[str, dict[str, T]] = {}
        self._depth = 0

    def add(self, pattern: Pattern, value: T) -> None:
        if pattern.path:
            self._by_scheme.setdefault(pattern.scheme, {})[pattern.path] = value
            self._depth = max(self._depth, pattern.path.count("/"))
        else:
            self._any_path[pattern.scheme] = value

    def find(self, scheme: str, branches: list[Branch[T]]) -> T | None:
        value = self._any_path.get(scheme)
        if value is None:
            value = self._any_path.get("")
        if self._depth:
            own, other = self._by_scheme.get(scheme, {}), self._by_scheme.get("", {})
            if own or other:
                branches.append(Branch(own, other, self._depth, value))
        return value


class Hosts(Generic[T]):
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

    def find(self, host: str, scheme: str, branches: list[Branch[T]]) -> T | None:
        """The value for a canonical host with any path.

        Arguments:
            host: as `canonical_host` spells it.
            scheme: of the URL.
            branches: is given what has to be asked for the path first.
        """
        paths = self._exact.get(host)
        if paths is not None and (value := paths.find(scheme, branches)) is not None:
            return value
        for paths in self._around(host):
            if (value := paths.find(scheme, branches)) is not None:
                return value
        return None if self._any is None else self._any.find(scheme, branches)

    def _around(self, host: str) -> list[_Paths[T]]:
        """The patterns that take other hosts too, the most specific first.

        An address is never below a name, whatever its zone looks like.
        """
        if (ip := address(host)) is None:
            return self._wildcards_taking(host) if self._longest_wildcard else []
        bare, is_zoned, _ = host.partition("%")
        found = [self._exact.get(bare)] if is_zoned else []
        found += [
            addresses.get(int(ip) >> host_bits)
            for (version, host_bits), addresses in self._networks.items()
            if version == ip.version
        ]
        return [paths for paths in found if paths is not None]

    def _wildcards_taking(self, host: str) -> list[_Paths[T]]:
        own = self._wildcards["*"].get(host)
        found = [] if own is None else [own]
        # A suffix begins behind a dot that does not come first, and is at most as long as the
        # longest of all wildcards.
        dot = host.find(".", max(1, len(host) - self._longest_wildcard - 1))
        while dot > 0:
            suffix = host[dot + 1 :]
            found += [
                wildcards[suffix] for wildcards in self._wildcards.values() if suffix in wildcards
            ]
            dot = host.find(".", dot + 1)
        return found
