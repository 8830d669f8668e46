"""Who rests until when, and for which hosts only.

Nothing here does I/O, reads a clock or draws a random number of its own.
"""

from collections.abc import Callable, Collection
from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, Protocol, TypeVar

from .health import Cooldown, jittered

M = TypeVar("M")


class Resting(Protocol):
    """What `Rests` has to know of a member.

    Attributes:
        until: when its rest is over, None when it is up.
        is_probed: whether a request is about to find out.
    """

    @property
    def until(self) -> float | None: ...
    @property
    def is_probed(self) -> bool: ...


R = TypeVar("R", bound=Resting)


class Rests(Generic[R]):
    """The members that rest, in the order in which their rests are over.

    Attributes:
        heap: empty when nobody rests.
    """

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, R]] = []
        self._added = 0

    def add(self, member: R) -> None:
        """Keep a member that rests."""
        assert member.until is not None
        self._added += 1
        heappush(self.heap, (member.until, self._added, member))

    def tidy(self, most: int) -> None:
        """Forget who rests no more, if there may be more than that many of them."""
        if len(self.heap) > 2 * most + 16:
            self.heap = [entry for entry in self.heap if _is_current(entry)]
            heapify(self.heap)

    def take(
        self, now: float, tried: Collection[R], is_banned: Callable[[R], bool] | None
    ) -> R | None:
        """The one whose rest is over first, None when nobody's is over now.

        Arguments:
            now: the time.
            tried: those that are passed over.
            is_banned: for others that are passed over.
        """
        heap = self.heap
        aside: list[tuple[float, int, R]] = []
        taken = None
        while heap and taken is None and heap[0][0] <= now:
            entry = heappop(heap)
            if _is_current(entry):
                member = entry[2]
                if member in tried or (is_banned is not None and is_banned(member)):
                    aside.append(entry)
                else:
                    taken = member
        for entry in aside:
            heappush(heap, entry)
        return taken


def _is_current(entry: tuple[float, int, Resting]) -> bool:
    return entry[2].until == entry[0] and not entry[2].is_probed


# Many bans may run out together, and everybody waits while they are forgotten.
_MOST_FORGOTTEN_AT_ONCE = 8


class _Ban(NamedTuple):
    until: float
    seconds: float
    forgotten_at: float


class Bans(Generic[M]):
    """Which members rest for which hosts only.

    A ban is remembered for twice as long as it lasts: who is banned again by then rests longer.

    Attributes:
        by_host: empty when nobody was banned of late.
    """

    def __init__(self, cooldown: Cooldown) -> None:
        self._cooldown = cooldown
        self.by_host: dict[str, dict[M, _Ban]] = {}
        self._ends: list[tuple[float, int, str, M]] = []
        self._added = 0

    def add(self, host: str, member: M, now: float, random: float) -> float | None:
        """Ban a member for a host; the seconds, None when it is banned already."""
        self.forget_over(now)
        banned = self.by_host.setdefault(host, {})
        last = banned.get(member)
        if last is not None and now < last.until:
            return None
        seconds = self._cooldown.after(0.0 if last is None else last.seconds)
        lasting = jittered(seconds, random)
        banned[member] = ban = _Ban(now + lasting, seconds, now + 2 * lasting)
        self._added += 1
        heappush(self._ends, (ban.forgotten_at, self._added, host, member))
        return lasting

    def test(self, host: str, now: float) -> Callable[[M], bool] | None:
        """Whether a member is banned for a host; None when nobody is."""
        banned = self.by_host.get(host)
        if banned is None:
            return None
        return lambda member: member in banned and now < banned[member].until

    def first_over(self, host: str, tried: Collection[M]) -> M | None:
        """The banned member whose ban is over first, but for those that were tried."""
        banned = self.by_host.get(host, {})
        candidates = (member for member in banned if member not in tried)
        return min(candidates, key=lambda member: banned[member].until, default=None)

    def forget(self, member: M) -> None:
        """Lift the bans of one that has left."""
        for host in [host for host, banned in self.by_host.items() if member in banned]:
            self._lift(host, member)

    def forget_over(self, now: float) -> None:
        """Forget some of those that nobody has to remember, and leave others for the next call."""
        for _ in range(_MOST_FORGOTTEN_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                return
            at, _, host, member = heappop(self._ends)
            ban = self.by_host.get(host, {}).get(member)
            # It may have been banned again since.
            if ban is not None and ban.forgotten_at == at:
                self._lift(host, member)

    def _lift(self, host: str, member: M) -> None:
        banned = self.by_host[host]
        del banned[member]
        if not banned:
            del self.by_host[host]
