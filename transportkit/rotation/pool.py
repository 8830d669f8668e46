"""The pool: leases members to requests, ejects those that fail, and lets them back in.

Its theory of operation stands at the top of `rotation`. All state is behind one short lock, and
nothing in here does I/O.
"""

import math
import threading
from collections.abc import Callable, Collection, Hashable
from itertools import islice

from ..wire.forking import renew_in_child
from .balancing import LeastRequest, RoundRobin, allowed
from .ejection import Bans, Cooldown, Ejections, jittered
from .member import Lease, Member, ProxyStatus
from .proxies import Entry
from .ring import Ring

_Test = Callable[[Member], bool] | None


class Pool:
    """The members of a rotation, and the choice of one for each request.

    Arguments:
        order: `"round_robin"` or `"least_busy"`.
        cooldown: the ejection times.
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
        self._balancer: RoundRobin | LeastRequest = (
            RoundRobin() if order == "round_robin" else LeastRequest(random)
        )
        self._ring: Ring | None = None
        self._members: dict[Hashable, Member] = {}
        self._leaving: dict[Hashable, Member] = {}
        self._ejections = Ejections()
        self._half_open: set[Member] = set()
        self._bans = Bans(cooldown)
        self._admitted = 0
        self._renew()
        renew_in_child(self._renew)

    def _renew(self) -> None:
        """Forget what is in flight, as in a child process."""
        self._lock = threading.Lock()
        for member in (*self._members.values(), *self._leaving.values()):
            member.in_flight, member.probe = 0, None
        for member in self._half_open:
            self._ejections.add(member)
        self._half_open.clear()

    def members(self) -> list[Member]:
        """The members that have not been removed, in the order in which they were added."""
        with self._lock:
            return list(self._members.values())

    def status(self, limit: int | None = None) -> tuple[ProxyStatus, ...]:
        """A snapshot of each member, or of the first few."""
        with self._lock:
            return tuple(member.status() for member in islice(self._members.values(), limit))

    def __len__(self) -> int:
        return len(self._members)

    def admit(self, entry: Entry) -> Member:
        """Let in a member, which gets no requests until it joins.

        Raises:
            ValueError: it is among them already.
        """
        with self._lock:
            if entry.identity in self._members:
                raise ValueError(f"{entry.name} is among the proxies already")
            member = self._leaving.pop(entry.identity, None)
            if member is None:
                member = Member(entry, self._admitted)
                self._admitted += 1
            member.weight, member.has_left = entry.weight, False
            member.ejected_until = math.inf
            self._members[entry.identity] = member
            return member

    def join(self, member: Member) -> None:
        """Put a member that was let in into rotation."""
        with self._lock:
            if member.has_left or member.ejected_until != math.inf:
                # Another thread has removed it in the meantime, or has added it once more.
                return
            if self._ring is not None:
                self._ring.add(member)
            member.ejected_until = None
            self._balancer.add(member)

    def remove(self, identity: Hashable, name: str) -> Member | None:
        """Take out a member; return it if it has no request in flight.

        Raises:
            ValueError: it is not among them.
        """
        with self._lock:
            if identity not in self._members:
                raise ValueError(f"{name} is not among the proxies")
            member = self._members.pop(identity)
            member.has_left = True
            if member.ejected_until is None:
                self._balancer.remove(member)
            if self._ring is not None:
                self._ring.remove(member)
            member.ejected_until, member.ejection_time = None, 0.0
            self._begin_generation(member)
            self._bans.forget(member)
            if member.in_flight:
                self._leaving[identity] = member
                return None
            return member

    def acquire(
        self,
        tried: Collection[Member],
        avoided: Collection[Member],
        host: str,
        point: int | None,
        *,
        panic: bool,
    ) -> Lease | None:
        """Lease a member to a request; None when none can be had.

        Arguments:
            tried: members that are passed over.
            avoided: members that are passed over as long as there are others.
            host: the target's, for which members may be banned.
            point: that of a key that sticks to a member; None to leave it to the balancer.
            panic: True to lease an ejected member rather than none.
        """
        with self._lock:
            # The clock is not read as long as all is well.
            is_quiet = not (self._ejections.heap or self._half_open or self._bans.by_host)
            now = 0.0 if is_quiet else self.clock()
            is_banned = None
            if self._bans.by_host:
                self._bans.purge(now)
                is_banned = self._bans.test(host, now)
            member = None
            if avoided:
                member = self._pick({*tried, *avoided}, is_banned, point, now)
            if member is None:
                member = self._pick(tried, is_banned, point, now)
            if member is None and panic:
                member = self._pick_in_panic(tried, is_banned, host)
            if member is None:
                return None
            member.in_flight += 1
            member.sent += 1
            until = member.ejected_until
            lease = Lease(member, until is not None and until > now)
            if until is not None and member.probe is None:
                member.probe = lease
                self._half_open.add(member)
            return lease

    def _pick(
        self, tried: Collection[Member], is_banned: _Test, point: int | None, now: float
    ) -> Member | None:
        # With all of them tried the walk around the ring would end where it began.
        if point is not None and len(self._balancer) > sum(
            member.ejected_until is None for member in tried
        ):
            if self._ring is None:
                self._ring = Ring(self._members.values())
            return self._ring.find(point, now, tried, is_banned)
        due = self._ejections.pop(now, tried, is_banned) if self._ejections.heap else None
        return self._balancer.pick(tried, is_banned) if due is None else due

    def _pick_in_panic(
        self, tried: Collection[Member], is_banned: _Test, host: str
    ) -> Member | None:
        member = self._ejections.pop(math.inf, tried, is_banned)
        if member is None:
            probed = allowed(self._half_open, tried, is_banned)
            member = min(probed, key=lambda probed: probed.ejected_until or 0.0, default=None)
        return self._bans.first_to_end(host, tried) if member is None else member

    def release(self, lease: Lease) -> Member | None:
        """End a lease, once; return its member if it was the last one of a member that leaves."""
        member = lease.member
        with self._lock:
            if not lease.is_held:
                return None
            lease.is_held = False
            member.in_flight = max(member.in_flight - 1, 0)  # It may be a parent's.
            if member.probe is lease:
                # Nothing was learnt. A proxy that swallows what it gets must not be given the
                # very next request too, and the one after that.
                member.probe = None
                self._half_open.discard(member)
                assert member.ejected_until is not None
                pause = jittered(self._cooldown.first, self.random())
                member.ejected_until = max(member.ejected_until, self.clock() + pause)
                self._ejections.compact(len(self._members))
                self._ejections.add(member)
            if member.has_left and not member.in_flight:
                self._leaving.pop(member.entry.identity, None)
                return member
            return None

    def report_success(self, lease: Lease) -> bool:
        """Put a member that works back into rotation; False if it was there, or has news since."""
        member = lease.member
        # The most frequent case needs no lock.
        if member.ejected_until is None:
            return False
        with self._lock:
            if lease.generation != member.generation:
                return False
            member.ejected_until, member.ejection_time = None, 0.0
            self._begin_generation(member)
            self._balancer.add(member)
            return True

    def report_failure(self, lease: Lease, text: str) -> None:
        """Count a failure of a member, and keep its text."""
        with self._lock:
            lease.member.failed += 1
            lease.member.last_error = text

    def eject(self, lease: Lease) -> float | None:
        """Take a member out of rotation for a while; the seconds, None if there is news since."""
        member = lease.member
        with self._lock:
            if lease.generation != member.generation:
                return None
            if member.ejected_until is None:
                self._balancer.remove(member)
            # In a panic members are tried all the time, and would soon be out for the longest.
            if not lease.is_premature:
                member.ejection_time = self._cooldown.after(member.ejection_time)
            seconds = jittered(member.ejection_time, self.random())
            member.ejected_until = self.clock() + seconds
            self._begin_generation(member)
            self._ejections.compact(len(self._members))
            self._ejections.add(member)
            return seconds

    def ban(self, lease: Lease, host: str) -> float | None:
        """Eject a member for one host; the seconds, None when it is banned already or has left."""
        with self._lock:
            if lease.member.has_left:
                return None
            return self._bans.add(host, lease.member, self.clock(), self.random())

    def _begin_generation(self, member: Member) -> None:
        member.generation += 1
        member.probe = None
        self._half_open.discard(member)
