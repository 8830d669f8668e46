"""The balancers: which of the members in rotation takes the next request.

A member that was tried is passed over as if it had not been looked at; one that is banned keeps
its turn a little longer, and then has had it. Nothing here does I/O, reads a clock or draws a
random number of its own.
"""

from collections.abc import Callable, Collection, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count

from .member import Member

# How often a banned member is passed over before that counts as its turn.
_KEPT_TURNS = 2


class _Schedule:
    """The turns of one member of a `RoundRobin`."""

    __slots__ = ("is_removed", "joined_at", "member", "passed_over", "turns", "weight")

    def __init__(self, member: Member, joined_at: float) -> None:
        self.member = member
        self.weight = member.weight
        self.joined_at = joined_at
        self.turns = 0
        self.passed_over = 0
        self.is_removed = False

    def deadline(self) -> float:
        # Divided anew, never added up: after any number of turns nothing has drifted.
        return self.joined_at + (self.turns + 0.5) / self.weight


class RoundRobin:
    """Weighted round robin: the earliest deadline first.

    The k-th turn of a member is due at (k - 0.5) / weight. So in a period every member has
    exactly its share, and the turns of a heavy one are spread over it. (Liu and Layland's
    scheduling; nginx's smooth variant has the same counts and looks at every member each time.)
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Schedule]] = []
        self._schedules: dict[Member, _Schedule] = {}
        self._sequence = count()
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._schedules)

    def add(self, member: Member) -> None:
        """Let a member take turns from now on; it has missed none before."""
        schedule = self._schedules[member] = _Schedule(member, self._now)
        heappush(self._heap, (schedule.deadline(), next(self._sequence), schedule))

    def remove(self, member: Member) -> None:
        """Let a member take no more turns."""
        self._schedules.pop(member).is_removed = True
        # A removed one is dropped when it comes up, which may take long where keys stick.
        if len(self._heap) > 2 * len(self._schedules) + 16:
            self._heap = [entry for entry in self._heap if not entry[2].is_removed]
            heapify(self._heap)

    def pick(
        self, tried: Collection[Member], is_banned: Callable[[Member], bool] | None
    ) -> Member | None:
        """Take the next turn; None when every member was tried or is banned.

        Arguments:
            tried: members that are passed over and lose no turn.
            is_banned: a test of others that are passed over.
        """
        heap = self._heap
        aside: list[tuple[float, int, _Schedule]] = []
        picked = None
        while heap and picked is None:
            deadline, sequence, schedule = heap[0]
            if schedule.is_removed:
                heappop(heap)
            elif schedule.member in tried:
                aside.append(heappop(heap))
            else:
                self._now = max(self._now, deadline)
                if is_banned is None or not is_banned(schedule.member):
                    schedule.turns += 1
                    schedule.passed_over = 0
                    heapreplace(heap, (schedule.deadline(), sequence, schedule))
                    picked = schedule.member
                else:
                    # Aside, so that a heavy member comes up only once.
                    aside.append(self._pass_over(heappop(heap)))
        for entry in aside:
            heappush(heap, entry)
        return picked

    def _pass_over(self, entry: tuple[float, int, _Schedule]) -> tuple[float, int, _Schedule]:
        # A banned member keeps its turn for others at first: where targets alternate, those that
        # ban it could use up all its turns.
        _, sequence, schedule = entry
        schedule.passed_over += 1
        if schedule.passed_over <= _KEPT_TURNS:
            return entry
        # As if it came anew: there is nothing to catch up with.
        schedule.joined_at, schedule.turns, schedule.passed_over = self._now, 0, 0
        return schedule.deadline(), sequence, schedule


class LeastRequest:
    """The power of two choices: of two random members the one with fewer requests in flight.

    Two choices spread the load almost as evenly as a look at all members would (Mitzenmacher,
    "The power of two choices in randomized load balancing"), and do not send every request to
    the one member that happens to be idle. A member of weight 2 may have twice as many in flight.

    Arguments:
        random: draws a number from 0 up to, not including, 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._members: list[Member] = []
        self._indices: dict[Member, int] = {}

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: Member) -> None:
        """Let a member take requests from now on."""
        self._indices[member] = len(self._members)
        self._members.append(member)

    def remove(self, member: Member) -> None:
        """Let a member take no more requests."""
        index, last = self._indices.pop(member), self._members.pop()
        if last is not member:
            self._members[index] = last
            self._indices[last] = index

    def pick(
        self, tried: Collection[Member], is_banned: Callable[[Member], bool] | None
    ) -> Member | None:
        """Choose a member; None when every one was tried or is banned.

        Arguments:
            tried: members that are passed over.
            is_banned: a test of others that are passed over.
        """
        members = self._members
        first = int(self._random() * len(members))
        if len(members) > 1:
            second = int(self._random() * (len(members) - 1))
            one, other = members[first], members[second + (second >= first)]
            if not tried and is_banned is None:
                loads = len(one.leases) + 1, len(other.leases) + 1
                return one if loads[0] * other.weight <= loads[1] * one.weight else other
            if free := allowed((one, other), tried, is_banned):
                return min(free, key=_load)
        # From a random one on, so that equals share what the missing ones leave.
        free = allowed(members[first:] + members[:first], tried, is_banned)
        return min(free, key=_load, default=None)


def allowed(
    members: Iterable[Member],
    tried: Collection[Member],
    is_banned: Callable[[Member], bool] | None,
) -> list[Member]:
    """The members that were not tried and are not banned."""
    return [
        member
        for member in members
        if member not in tried and (is_banned is None or not is_banned(member))
    ]


def _load(member: Member) -> float:
    return (len(member.leases) + 1) / member.weight
