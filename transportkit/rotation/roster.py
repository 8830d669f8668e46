"""The members of a rotation: who takes turns, who rests, who is being probed.

A member is up, or rests, or is probed by one request after its rest. All of that is one object
behind one lock, with no I/O inside; clock and random numbers are handed in.
"""

import math
import threading
from collections.abc import Callable, Collection, Hashable
from itertools import islice
from typing import Generic, TypeVar

from .health import Cooldown, ProxyStatus, jittered
from .members import Member, Turn
from .orders import LeastBusy, Order, RoundRobin, allowed
from .proxies import Entry
from .rests import Bans, Rests
from .ring import Ring

T = TypeVar("T")


class Roster(Generic[T]):
    """Picks members for requests, and learns from what became of them.

    Arguments:
        order: `"round_robin"` or `"least_busy"`.
        cooldown: how long members rest.
        clock: the time in seconds, never going back.
        random: draws a number from 0 up to, not including, 1.
    """

    def __init__(
        self,
        order: str,
        cooldown: Cooldown,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.random = random
        self._cooldown = cooldown
        self._order: Order[Member[T]] = (
            RoundRobin() if order == "round_robin" else LeastBusy(self._draw)
        )
        self._members: dict[Hashable, Member[T]] = {}
        # Those that were removed and have requests in flight.
        self._leaving: dict[Hashable, Member[T]] = {}
        self._rests: Rests[Member[T]] = Rests()
        self._probed: set[Member[T]] = set()
        self._bans: Bans[Member[T]] = Bans(cooldown)
        self._ring: Ring[Member[T]] | None = None
        self._admitted = 0
        self._lock = threading.Lock()

    def _draw(self) -> float:
        return self.random()

    def members(self) -> list[Member[T]]:
        """All that have not been removed, in the order in which they were added."""
        with self._lock:
            return list(self._members.values())

    def status(self, most: int | None = None) -> tuple[ProxyStatus, ...]:
        """How each of them is doing, or the first of them."""
        with self._lock:
            return tuple(
                ProxyStatus(
                    member.entry.name,
                    member.until is None,
                    member.until,
                    member.in_flight,
                    member.sent,
                    member.failed,
                    member.last_error,
                )
                for member in islice(self._members.values(), most)
            )

    def __len__(self) -> int:
        return len(self._members)

    def admit(self, entry: Entry, transport: T | None) -> Member[T]:
        """A member that is known from now on, and takes no turns yet.

        Raises:
            ValueError: it is there already.
        """
        with self._lock:
            if entry.identity in self._members:
                raise ValueError(f"{entry.name} is among the proxies already")
            member = self._leaving.pop(entry.identity, None)
            if member is None:
                member = Member(entry, transport, self._admitted)
                self._admitted += 1
            member.weight, member.has_left = entry.weight, False
            # As good as resting for ever, until it joins.
            member.until = math.inf
            self._members[entry.identity] = member
            return member

    def join(self, member: Member[T]) -> None:
        """Let a member take turns."""
        with self._lock:
            if member.has_left or member.until != math.inf:
                # Somebody has removed it in the meantime, or added it once more.
                return
            if self._ring is not None:
                self._ring.join(member)
            member.until = None
            self._order.join(member)

    def remove(self, identity: Hashable, name: str) -> T | None:
        """Let a member take no more turns; its transport, if that can be closed at once.

        Raises:
            ValueError: it is not there.
        """
        with self._lock:
            if identity not in self._members:
                raise ValueError(f"{name} is not among the proxies")
            member = self._members.pop(identity)
            member.has_left = True
            if member.until is None:
                self._order.leave(member)
            if self._ring is not None:
                self._ring.leave(member)
            member.until, member.seconds = None, 0.0
            self._decided(member)
            self._bans.forget(member)
            if member.in_flight:
                self._leaving[identity] = member
                return None
            return member.transport

    def take(
        self,
        tried: Collection[Member[T]],
        avoided: Collection[Member[T]],
        host: str,
        point: int | None,
        *,
        even_resting: bool,
    ) -> Turn[T] | None:
        """A turn for a request, None when nobody is left who could take it.

        Arguments:
            tried: members that are passed over.
            avoided: members that are passed over as long as there are others.
            host: the target's.
            point: that of a key that sticks to a member; None to take turns.
            even_resting: whether somebody who should rest is better than nobody.
        """
        with self._lock:
            # As long as nobody rests nobody asks for the time.
            is_quiet = not (self._rests.heap or self._probed or self._bans.by_host)
            now = 0.0 if is_quiet else self.clock()
            is_banned = None
            if self._bans.by_host:
                self._bans.forget_over(now)
                is_banned = self._bans.test(host, now)
            member = None
            if avoided:
                member = self._pick({*tried, *avoided}, is_banned, point, now)
            if member is None:
                member = self._pick(tried, is_banned, point, now)
            if member is None and even_resting:
                member = self._pick_early(tried, is_banned, host)
            if member is None:
                return None
            member.in_flight += 1
            member.sent += 1
            until = member.until
            turn = Turn(member, until is not None and until > now)
            if until is not None and member.probe is None:
                member.probe = turn
                self._probed.add(member)
            return turn

    def _pick(
        self,
        tried: Collection[Member[T]],
        is_banned: Callable[[Member[T]], bool] | None,
        point: int | None,
        now: float,
    ) -> Member[T] | None:
        if point is not None and self._is_another_up(tried):
            return self._pick_by_key(tried, is_banned, point, now)
        due = self._rests.take(now, tried, is_banned) if self._rests.heap else None
        return self._order.pick(tried, is_banned) if due is None else due

    def _pick_by_key(
        self,
        tried: Collection[Member[T]],
        is_banned: Callable[[Member[T]], bool] | None,
        point: int,
        now: float,
    ) -> Member[T] | None:
        if self._ring is None:
            self._ring = Ring(self._members.values())
        owner = self._ring.owner(point)
        if is_banned is None and not tried and owner is not None and owner.until is None:
            return owner

        def is_usable(member: Member[T]) -> bool:
            until = member.until
            return (
                (until is None or (until <= now and member.probe is None))
                and member not in tried
                and (is_banned is None or not is_banned(member))
            )

        return self._ring.pick(point, is_usable)

    def _is_another_up(self, tried: Collection[Member[T]]) -> bool:
        # Else the walk around the ring would end where it began.
        return len(self._order) > sum(member.until is None for member in tried)

    def _pick_early(
        self,
        tried: Collection[Member[T]],
        is_banned: Callable[[Member[T]], bool] | None,
        host: str,
    ) -> Member[T] | None:
        """The one that rests the least longer, if need be one that is probed or banned."""
        member = self._rests.take(math.inf, tried, is_banned)
        if member is None:
            probed = allowed(self._probed, tried, is_banned)
            member = min(probed, key=lambda probed: probed.until or 0.0, default=None)
        return self._bans.first_over(host, tried) if member is None else member

    def done(self, turn: Turn[T]) -> T | None:
        """A request is no longer in flight; the transport of one that has left, if to be closed."""
        member = turn.member
        with self._lock:
            if not turn.is_open:
                return None
            turn.is_open = False
            member.in_flight -= 1
            if member.probe is turn:
                # Nothing was learnt. A proxy that swallows what it gets must not be given the
                # very next request too, and the one after that.
                member.probe = None
                self._probed.discard(member)
                assert member.until is not None
                pause = jittered(self._cooldown.first, self.random())
                member.until = max(member.until, self.clock() + pause)
                self._rests.tidy(len(self._members))
                self._rests.add(member)
            if member.has_left and not member.in_flight:
                del self._leaving[member.entry.identity]
                return member.transport
            return None

    def succeeded(self, turn: Turn[T]) -> bool:
        """The member works; True when it is back with that."""
        member = turn.member
        # The most frequent case needs no lock.
        if member.until is None:
            return False
        with self._lock:
            if turn.generation != member.generation:
                return False
            member.until, member.seconds = None, 0.0
            self._decided(member)
            self._order.join(member)
            return True

    def failed(self, turn: Turn[T], said: str) -> None:
        """Keep what a member said instead of an answer."""
        with self._lock:
            turn.member.failed += 1
            turn.member.last_error = said

    def rest(self, turn: Turn[T]) -> float | None:
        """Let a member rest; the seconds, None when this failure is no news."""
        member = turn.member
        with self._lock:
            if turn.generation != member.generation:
                return None
            if member.until is None:
                self._order.leave(member)
            # When all rest they are tried all the time, and would soon rest for the longest.
            if not turn.is_early:
                member.seconds = self._cooldown.after(member.seconds)
            seconds = jittered(member.seconds, self.random())
            member.until = self.clock() + seconds
            self._decided(member)
            self._rests.tidy(len(self._members))
            self._rests.add(member)
            return seconds

    def ban(self, turn: Turn[T], host: str) -> float | None:
        """Let a member rest for one host; the seconds, None when it does so already."""
        with self._lock:
            if turn.member.has_left:
                return None
            return self._bans.add(host, turn.member, self.clock(), self.random())

    def _decided(self, member: Member[T]) -> None:
        member.generation += 1
        member.probe = None
        self._probed.discard(member)
