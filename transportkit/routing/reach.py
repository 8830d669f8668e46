"""The rows of a routing table that a URL can reach, and those that none can.

What a pattern leaves open is filled with something that no other pattern names. Whatever takes
that URL in its place takes all that the pattern could take; so one URL is enough for each
pattern, or for a network one for each gap that smaller ones may leave.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TypeVar

from ..wire.library import URL, parse_url
from .patterns import IPNetwork, Pattern, address

T = TypeVar("T")


def reached(patterns: Sequence[Pattern], find: Callable[[URL], T | None]) -> list[T]:
    """The values that a look-up can answer with.

    Arguments:
        patterns: all of the table.
        find: looks a URL up in it.
    """
    sample = _Sample(patterns)
    return [found for url in sample.urls() if (found := find(parse_url(url))) is not None]


class _Sample:
    """URLs for each pattern of a table, and one for what none of them takes."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        words = " ".join(f"{pattern.scheme} {pattern.host}{pattern.path}" for pattern in patterns)
        self._word = next(word for n in count() if (word := f"x{n}x") not in words)
        ports = {pattern.port for pattern in patterns}
        self._port = next(port for port in count(1024) if port not in ports)
        self._ends = sorted(self._behind_addresses())

    def urls(self) -> Iterator[str]:
        for pattern in self._patterns:
            for host in self._hosts(pattern):
                yield self._url(pattern.scheme, host, pattern.port, pattern.path)
        yield self._url("", self._word, None, "")

    def _url(self, scheme: str, host: str, port: int | None, path: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return f"{scheme or self._word}://{host}:{port or self._port}{path}/{self._word}"

    def _hosts(self, pattern: Pattern) -> Iterator[str]:
        if pattern.network is not None:
            yield from self._gaps(pattern.network)
        elif pattern.wildcard:
            yield f"{self._word}.{pattern.host}"
            if pattern.wildcard == "*":
                yield pattern.host
        else:
            yield pattern.host or self._word

    def _gaps(self, network: IPNetwork) -> Iterator[str]:
        """The first address of a network, and those behind what else is in it."""
        first, last = int(network.network_address), int(network.broadcast_address)
        kind = type(network.network_address)
        inside = self._ends[bisect_left(self._ends, first) : bisect_right(self._ends, last)]
        for number in (first, *inside):
            yield str(kind(number))

    def _behind_addresses(self) -> Iterator[int]:
        """The numbers that follow an address or a network of the table, of either version."""
        for pattern in self._patterns:
            last = address(pattern.host)
            if pattern.network is not None:
                last = pattern.network.broadcast_address
            if last is not None:
                yield int(last) + 1
