"""Who is next: orders in which members take turns.

Nothing here does I/O, reads a clock or draws a random number of its own. An order holds the
members that are up. A member that has been tried is passed over as if it had
not been looked at; one that is banned keeps its turn a little longer, and then has had it.
"""

from collections.abc import Callable, Collection, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count
from typing import Generic, Protocol, TypeVar


class Seat(Protocol):
    """What an order has to know of a member.

    Attributes:
        label: what its place on a ring comes from: the same in every run.
        weight: how many turns it takes compared with others.
        in_flight: how many of its turns are not over.
    """

    @property
    def label(self) -> str: ...
    @property
    def weight(self) -> float: ...
    @property
    def in_flight(self) -> int: ...


M = TypeVar("M")
S = TypeVar("S", bound=Seat)


class Order(Protocol[S]):
    """Who takes turns, and who is next: what `RoundRobin` and `LeastBusy` have in common."""

    def __len__(self) -> int: ...
    def join(self, member: S) -> None: ...
    def leave(self, member: S) -> None: ...
    def pick(self, tried: Collection[S], is_banned: Callable[[S], bool] | None) -> S | None: ...


# How often a banned member is passed over before that counts as its turn.
_KEPT_TURNS = 2


class _Place(Generic[S]):
    """Where a member stands in a `RoundRobin`."""

    __slots__ = ("is_left", "joined_at", "member", "passed_over", "turns", "weight")

    def __init__(self, member: S, joined_at: float) -> None:
        self.member = member
        self.weight = member.weight
        self.joined_at = joined_at
        self.turns = 0
        self.passed_over = 0
        self.is_left = False

    def deadline(self) -> float:
        # Divided anew, never added up: after any number of turns nothing has drifted.
        return self.joined_at + (self.turns + 0.5) / self.weight


class RoundRobin(Generic[S]):
    """Each in its turn, earliest deadline first, as often as its weight says.

    The k-th turn of a member is due at (k - 0.5) / weight. So in a period every member has
    exactly its share, and the turns of a heavy one are spread over it. (Liu and Layland's
    scheduling; nginx's smooth variant has the same counts and looks at every member each time.)
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Place[S]]] = []
        self._places: dict[S, _Place[S]] = {}
        self._joined = count()
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._places)

    def join(self, member: S) -> None:
        """Let a member take turns from now on; it has missed none before."""
        place = self._places[member] = _Place(member, self._now)
        heappush(self._heap, (place.deadline(), next(self._joined), place))

    def leave(self, member: S) -> None:
        """Let it take no more."""
        self._places.pop(member).is_left = True
        # What has left is dropped when it comes up, which may take long where keys stick.
        if len(self._heap) > 2 * len(self._places) + 16:
            self._heap = [entry for entry in self._heap if not entry[2].is_left]
            heapify(self._heap)

    def pick(self, tried: Collection[S], is_banned: Callable[[S], bool] | None) -> S | None:
        heap = self._heap
        aside: list[tuple[float, int, _Place[S]]] = []
        picked = None
        while heap and picked is None:
            deadline, joined, place = heap[0]
            if place.is_left:
                heappop(heap)
            elif place.member in tried:
                aside.append(heappop(heap))
            else:
                self._now = max(self._now, deadline)
                if is_banned is None or not is_banned(place.member):
                    place.turns += 1
                    place.passed_over = 0
                    heapreplace(heap, (place.deadline(), joined, place))
                    picked = place.member
                else:
                    # Aside, so that a heavy member comes up only once.
                    aside.append(self._passed_over(heappop(heap)))
        for entry in aside:
            heappush(heap, entry)
        return picked

    def _passed_over(self, entry: tuple[float, int, _Place[S]]) -> tuple[float, int, _Place[S]]:
        # A banned member keeps its turn for others at first: where targets alternate, those that
        # ban it could use up all its turns.
        _, joined, place = entry
        place.passed_over += 1
        if place.passed_over <= _KEPT_TURNS:
            return entry
        # As if it came anew: there is nothing to catch up with.
        place.joined_at, place.turns, place.passed_over = self._now, 0, 0
        return place.deadline(), joined, place


class LeastBusy(Generic[S]):
    """Of two random members the one with fewer turns that are not over, for its weight.

    Two choices spread the load almost as evenly as a look at all would (Mitzenmacher, "The
    power of two choices in randomized load balancing"), and do not send everybody to the one
    that happens to be idle.

    Arguments:
        random: draws a number from 0 up to, not including, 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._members: list[S] = []
        self._indices: dict[S, int] = {}

    def __len__(self) -> int:
        return len(self._members)

    def join(self, member: S) -> None:
        """Let a member take turns from now on."""
        self._indices[member] = len(self._members)
        self._members.append(member)

    def leave(self, member: S) -> None:
        """Let it take no more."""
        index, last = self._indices.pop(member), self._members.pop()
        if last is not member:
            self._members[index] = last
            self._indices[last] = index

    def pick(self, tried: Collection[S], is_banned: Callable[[S], bool] | None) -> S | None:
        members = self._members
        first = int(self._random() * len(members))
        if len(members) > 1:
            second = int(self._random() * (len(members) - 1))
            one, other = members[first], members[second + (second >= first)]
            if not tried and is_banned is None:
                return one if _load(one) <= _load(other) else other
            if free := allowed((one, other), tried, is_banned):
                return min(free, key=_load)
        # From a random one on, so that equals share what the missing ones leave.
        free = allowed(members[first:] + members[:first], tried, is_banned)
        return min(free, key=_load, default=None)


def allowed(
    members: Iterable[M], tried: Collection[M], is_banned: Callable[[M], bool] | None
) -> list[M]:
    """Those that were not tried and are not banned."""
    return [
        member
        for member in members
        if member not in tried and (is_banned is None or not is_banned(member))
    ]


def _load(member: Seat) -> float:
    return (member.in_flight + 1) / member.weight
