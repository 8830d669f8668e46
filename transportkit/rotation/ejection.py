"""Ejection: how long a failing member takes no requests.

The words are Envoy's: a member whose requests fail is an outlier and is ejected for a while,
each time for longer. Nothing here does I/O, reads a clock or draws a random number of its own.
"""

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass
from heapq import heapify, heappop, heappush

from ..wire.advising import advising
from ..wire.arguments import check_number
from .member import Member


@advising(initial="first=...", base="first=...", multiplier="factor=...", seconds="first=...")
@dataclass(frozen=True)
class Cooldown:
    """The time for which a proxy is ejected after a failure.

    Each ejection lasts between half of its length and all of it, at random: proxies that failed
    together do not come back together.

    Arguments:
        first: seconds of the first ejection.
        max: seconds of the longest one.
        factor: the growth of the next ejection, when the proxy fails again while it is probed.

    Raises:
        TypeError: one of them is not a number.
        ValueError: `first` is not above 0, `max` is below `first`, or `factor` is below 1.

    >>> Cooldown(first=5, max=60)
    Cooldown(first=5, max=60, factor=2.0)
    """

    first: float = 1.0
    max: float = 300.0
    _: KW_ONLY
    factor: float = 2.0

    def __post_init__(self) -> None:
        for name, unit in (("first", "seconds"), ("max", "seconds"), ("factor", "times")):
            check_number(name, getattr(self, name), unit, positive=True, finite=True)
        if self.max < self.first:
            raise ValueError(
                f"max must be {self.first!r} (first) or more, not {self.max!r}: write "
                f"Cooldown(first={self.first!r}, max=...)"
            )
        if self.factor < 1:
            raise ValueError(f"factor must be 1 or more, not {self.factor!r}")

    def after(self, last: float) -> float:
        """Seconds of the ejection that follows one of `last` seconds, 0 for none."""
        return min(last * self.factor, self.max) if last else self.first


def jittered(seconds: float, random: float) -> float:
    """An ejection time cut short by up to a half.

    Arguments:
        seconds: the whole of it.
        random: a number from 0 to 1.
    """
    return seconds * (0.5 + random / 2)


class Ejections:
    """The ejected members, ordered by the end of their ejection.

    Attributes:
        heap: empty when no member is ejected. A member may be in it several times; only the
            entry with its present `ejected_until` counts, and none while it is half-open.
    """

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Member]] = []
        self._added = 0

    def add(self, member: Member) -> None:
        """Take in a member that has just been ejected."""
        assert member.ejected_until is not None
        self._added += 1
        heappush(self.heap, (member.ejected_until, self._added, member))

    def compact(self, size: int) -> None:
        """Drop outdated entries when there are many more than this many members."""
        if len(self.heap) > 2 * size + 16:
            self.heap = [entry for entry in self.heap if _is_current(entry)]
            heapify(self.heap)

    def pop(
        self, now: float, tried: Collection[Member], is_banned: Callable[[Member], bool] | None
    ) -> Member | None:
        """Take out the member whose ejection ended first; None when none has ended yet.

        Arguments:
            now: the time.
            tried: members that are passed over.
            is_banned: a test of others that are passed over.
        """
        heap = self.heap
        aside: list[tuple[float, int, Member]] = []
        found = None
        while heap and found is None and heap[0][0] <= now:
            entry = heappop(heap)
            if _is_current(entry):
                member = entry[2]
                if member in tried or (is_banned is not None and is_banned(member)):
                    aside.append(entry)
                else:
                    found = member
        for entry in aside:
            heappush(heap, entry)
        return found


def _is_current(entry: tuple[float, int, Member]) -> bool:
    return entry[2].ejected_until == entry[0] and entry[2].probe is None
