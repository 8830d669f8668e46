"""The pool: leases members to requests, ejects those that fail, and lets them back in.

Its theory of operation stands at the top of `rotation`. Nothing in here does I/O.
"""

import math
from collections.abc import Callable, Collection, Sequence

from .balancing import allowed
from .ejection import jittered
from .member import Lease, Member
from .membership import Membership

_Test = Callable[[Member], bool] | None


class Pool(Membership):
    """The members of a rotation, and the choice of one for each request."""

    def take_turn(self) -> Lease | None:
        """Lease the member whose turn it is; None unless all of them are in rotation."""
        # Who reads this a moment too early only leaves a probe to the next request.
        if self._ejections.heap or self._half_open or self.bans.by_host:
            return None
        with self._lock:
            member = self._balancer.pick((), None)
            return None if member is None else Lease(member)

    def acquire(
        self,
        tried: Collection[Member],
        avoided: Sequence[Member],
        host: str,
        point: int | None,
        *,
        panic: bool,
    ) -> Lease | None:
        """Lease a member to a request; None when none can be had.

        Arguments:
            tried: members that are passed over.
            avoided: members that are passed over as long as there are others, the last one most.
            host: the target's, for which members may be banned.
            point: that of a key that sticks to a member; None to leave it to the balancer.
            panic: True to lease an ejected member rather than none.
        """
        if point is not None and self._ring is None:
            self.make_ring()
        with self._lock:
            now = self.clock()
            member = self._choose(tried, avoided, host, point, now, panic=panic)
            if member is None:
                return None
            until = member.ejected_until
            lease = Lease(member, until is not None and until > now)
            if until is not None and member.probe is None:
                member.probe = lease
                self._half_open.add(member)
            return lease

    def _choose(  # noqa: PLR0913 - as above
        self,
        tried: Collection[Member],
        avoided: Sequence[Member],
        host: str,
        point: int | None,
        now: float,
        *,
        panic: bool,
    ) -> Member | None:
        is_banned = None
        if self.bans.by_host:
            self.bans.purge(now)
            is_banned = self.bans.test(host, now)
        member = None
        if avoided:
            member = self._pick({*tried, *avoided}, is_banned, point, now)
            if member is None:
                member = self._pick({*tried, avoided[-1]}, is_banned, point, now)
        if member is None:
            member = self._pick(tried, is_banned, point, now)
        if member is None and panic:
            member = self._pick_in_panic(tried, is_banned, host)
        return member

    def _pick(
        self, tried: Collection[Member], is_banned: _Test, point: int | None, now: float
    ) -> Member | None:
        if point is not None and not (tried and self._are_tried(tried)):
            assert self._ring is not None
            return self._ring.find(point, now, tried, is_banned)
        # A request probes one member at most, as long as others are in rotation: several whose time
        # is over together could use up all of its tries.
        member = self._balancer.pick(tried, is_banned) if tried else None
        if member is None and self._ejections.heap:
            member = self._ejections.pop(now, tried, is_banned)
        return self._balancer.pick(tried, is_banned) if member is None else member

    def _are_tried(self, tried: Collection[Member]) -> bool:
        """True if all that are in rotation were tried: a walk around the ring would find none."""
        return len(self._balancer) <= sum(member.ejected_until is None for member in tried)

    def _pick_in_panic(
        self, tried: Collection[Member], is_banned: _Test, host: str
    ) -> Member | None:
        member = self._ejections.pop(math.inf, tried, is_banned)
        if member is None:
            probed = allowed(self._half_open, tried, is_banned)
            member = min(probed, key=lambda probed: probed.ejected_until or 0.0, default=None)
        return self.bans.first_to_end(host, tried) if member is None else member

    def release(self, lease: Lease) -> Member | None:
        """End a lease, once; return its member if it was the last one of a member that leaves."""
        member = lease.member
        if member.leases.pop(lease, lease) is lease:
            return None
        # The most frequent case needs no lock.
        if member.probe is not lease and not member.has_left:
            return None
        with self._lock:
            if member.probe is lease:
                # Nothing was learnt. A proxy that swallows what it gets must not be given the
                # very next request too, and the one after that.
                member.probe = None
                self._half_open.discard(member)
                assert member.ejected_until is not None
                pause = jittered(self._cooldown.first, self.random())
                member.ejected_until = max(member.ejected_until, self.clock() + pause)
                self._ejections.compact(len(self))
                self._ejections.add(member)
            return member if member.has_left and self._roster.is_gone(member) else None

    def report_success(self, lease: Lease, host: str) -> bool:
        """Put a member that works back into rotation; False if it was there, or has news since."""
        member = lease.member
        # The most frequent case needs no lock.
        if member.ejected_until is None and not self.outliers.runs:
            return False
        with self._lock:
            self.outliers.succeed(member, host)
            if member.ejected_until is None or lease.generation != member.generation:
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

    def is_outlier(self, lease: Lease, host: str) -> bool:
        """Count a request that a member lost; True if it is to be ejected for these."""
        with self._lock:
            if lease.generation != lease.member.generation:
                return False
            return self.outliers.fail(lease.member, host)

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
            self._ejections.compact(len(self))
            self._ejections.add(member)
            return seconds

    def ban(self, lease: Lease, host: str) -> float | None:
        """Eject a member for one host; the seconds, None when it is banned already or has left."""
        with self._lock:
            if lease.member.has_left:
                return None
            return self.bans.add(host, lease.member, self.clock(), self.random())
