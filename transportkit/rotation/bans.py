"""Bans: how long a member takes no requests for one host.

Nothing here does I/O, reads a clock or draws a random number of its own.
"""

from collections.abc import Callable, Collection
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from .ejection import Cooldown, jittered
from .member import Member

# Many bans may run out together, and every request waits while they are forgotten.
_MOST_FORGOTTEN_AT_ONCE = 8
# Beyond so many, the one that would be forgotten next is forgotten at once.
MOST_BANS = 50_000


class _Ban(NamedTuple):
    until: float
    seconds: float
    forgotten_at: float


class Bans:
    """The members that are ejected for one host each.

    A ban is remembered for twice as long as it lasts: a member that is banned again by then is
    banned for longer.

    Arguments:
        cooldown: the time that a ban lasts.
        most: the number of bans that are remembered.

    Attributes:
        by_host: empty when no member was banned of late.
    """

    def __init__(self, cooldown: Cooldown, most: int = MOST_BANS) -> None:
        self._cooldown = cooldown
        self._most = most
        self.by_host: dict[str, dict[Member, _Ban]] = {}
        self._count = 0
        self._ends: list[tuple[float, int, str, Member]] = []
        self._added = 0

    def __len__(self) -> int:
        return self._count

    def add(self, host: str, member: Member, now: float, random: float) -> float | None:
        """Ban a member for a host; the seconds, None when it is banned already."""
        self.purge(now)
        last = self.by_host.get(host, {}).get(member)
        if last is not None and now < last.until:
            return None
        if last is None:
            while self._count >= self._most:
                self._forget_next()
            self._count += 1
        seconds = self._cooldown.after(0.0 if last is None else last.seconds)
        lasting = jittered(seconds, random)
        ban = _Ban(now + lasting, seconds, now + 2 * lasting)
        self.by_host.setdefault(host, {})[member] = ban
        self._added += 1
        heappush(self._ends, (ban.forgotten_at, self._added, host, member))
        if len(self._ends) > 2 * self._count + 16:
            self._ends = [entry for entry in self._ends if self._is_current(entry)]
            heapify(self._ends)
        return lasting

    def test(self, host: str, now: float) -> Callable[[Member], bool] | None:
        """A test for the members that are banned for a host; None when there are none."""
        banned = self.by_host.get(host)
        if banned is None:
            return None
        return lambda member: member in banned and now < banned[member].until

    def first_to_end(self, host: str, tried: Collection[Member]) -> Member | None:
        """The member whose ban ends first, except for those that were tried."""
        banned = self.by_host.get(host, {})
        candidates = (member for member in banned if member not in tried)
        return min(candidates, key=lambda member: banned[member].until, default=None)

    def forget(self, member: Member) -> None:
        """Lift all bans of a member that has been removed."""
        for host in [host for host, banned in self.by_host.items() if member in banned]:
            self._lift(host, member)

    def purge(self, now: float) -> None:
        """Forget a few of the bans that need not be remembered, and leave others for next time."""
        for _ in range(_MOST_FORGOTTEN_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                return
            self._forget_next()

    def _forget_next(self) -> None:
        entry = heappop(self._ends)
        if self._is_current(entry):
            self._lift(entry[2], entry[3])

    def _is_current(self, entry: tuple[float, int, str, Member]) -> bool:
        # It may have been banned again since, or have left.
        at, _, host, member = entry
        ban = self.by_host.get(host, {}).get(member)
        return ban is not None and ban.forgotten_at == at

    def _lift(self, host: str, member: Member) -> None:
        banned = self.by_host[host]
        del banned[member]
        self._count -= 1
        if not banned:
            del self.by_host[host]
