"""The membership of a rotation: who is in it, comes, goes, or weighs something else.

Its theory of operation stands at the top of `rotation`. All state is behind one short lock, under
which nothing takes long: masking names and making the next ring are done outside of it.
"""

import math
import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from itertools import islice

from ..wire.forking import renew_in_child
from .balancing import LeastRequest, RoundRobin
from .bans import Bans
from .ejection import Cooldown, Ejections
from .member import Member, ProxyStatus
from .outliers import Outliers
from .proxies import Entry
from .ring import Ring
from .roster import Roster


class Membership:
    """The members of a rotation, and what is known of them.

    Arguments:
        order: `"round_robin"` or `"least_busy"`.
        cooldown: the ejection times.
        clock: the time in seconds, never going back.
        random: draws a number from 0 up to, not including, 1.

    Attributes:
        bans: the members that are ejected for one host each.
        outliers: the members that lose requests after these were sent.
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
        self.bans: Bans = Bans(cooldown)
        self.outliers: Outliers = Outliers()
        self._cooldown = cooldown
        self._balancer: RoundRobin | LeastRequest = (
            RoundRobin() if order == "round_robin" else LeastRequest(random)
        )
        self._ring: Ring | None = None
        self._roster = Roster()
        self._ejections = Ejections()
        self._half_open: set[Member] = set()
        self._renew()
        renew_in_child(self._renew)

    def _renew(self) -> None:
        """Forget what is in flight, as in a child process."""
        self._lock = threading.Lock()
        # Who has it makes the next ring, which takes long, while requests go on.
        self._changing = threading.Lock()
        for member in (*self._roster.members.values(), *self._roster.leaving.values()):
            member.leases.clear()
            member.probe = None
        for member in self._half_open:
            self._ejections.add(member)
        self._half_open.clear()

    def members(self) -> list[Member]:
        """The members that have not been removed, in the order in which they were given."""
        with self._lock:
            return list(self._roster.members.values())

    def status(self, limit: int | None = None) -> tuple[ProxyStatus, ...]:
        """A snapshot of each member, or of the first few."""
        with self._lock:
            seen = [
                (each, each.counters()) for each in islice(self._roster.members.values(), limit)
            ]
        # Masking a name takes long.
        return tuple(ProxyStatus(member.name, *counters) for member, counters in seen)

    def __len__(self) -> int:
        return len(self._roster.members)

    def admit(self, entry: Entry) -> Member:
        """Let in a member, which gets no requests until it joins.

        Raises:
            ValueError: it is among them already.
        """
        with self._lock:
            return self._roster.admit(entry)

    def admit_missing(self, entries: Iterable[Entry]) -> list[Member]:
        """Let in those who are no members yet; the new ones."""
        with self._lock:
            new = [each for each in entries if each.identity not in self._roster.members]
            return [self._roster.admit(each) for each in new]

    def named(self, name: str) -> Member | None:
        """The member that is shown by this name."""
        return next((member for member in self.members() if member.name == name), None)

    def join(self, members: Collection[Member]) -> None:
        """Put members that were let in into rotation."""
        with self._changing:
            self._change((), members, ())

    def remove(self, identity: Hashable, name: str) -> Member | None:
        """Take out a member; return it if it has no request in flight.

        Raises:
            ValueError: it is not among them.
        """
        with self._changing:
            member = self._roster.members.get(identity)
            if member is None:
                raise ValueError(f"{name} is not among the proxies")
            return next(iter(self._change((member,), (), ())), None)

    def replace(self, entries: Mapping[Hashable, Entry]) -> list[Member]:
        """Let in whom a list names, and take out all others but those whom another call lets in.

        Arguments:
            entries: by their identities, in order.

        Returns:
            Those taken out that have no request in flight.
        """
        with self._changing:
            # They were let in, but another call may have taken some out again.
            self.admit_missing(entries.values())
            come, gone, reweighed = [], [], []
            for member in self.members():
                identity = member.entry.identity
                if identity not in entries:
                    # One that is to join is another call's.
                    gone += [member] if member.ejected_until != math.inf else []
                elif member.ejected_until == math.inf:
                    come.append(member)
                elif member.weight != entries[identity].weight:
                    member.weight = entries[identity].weight
                    reweighed.append(member)
            return self._change(gone, come, reweighed, order=entries)

    def make_ring(self) -> Ring:
        """The ring for keys that stick, which takes long to make."""
        with self._changing:
            if self._ring is None:
                members = self.members()
                self._ring = Ring([each for each in members if each.ejected_until != math.inf])
            return self._ring

    def _change(
        self,
        gone: Collection[Member],
        come: Collection[Member],
        reweighed: Collection[Member],
        order: Iterable[Hashable] = (),
    ) -> list[Member]:
        # Another thread may have removed one that is to join, or has let it join already.
        come = [each for each in come if not each.has_left and each.ejected_until == math.inf]
        ring = self._ring
        if ring is not None:
            there = [each for each in gone if each.ejected_until != math.inf]
            ring = ring.changed([*there, *reweighed], [*come, *reweighed])
        with self._lock:
            self._ring = ring
            for member in (*gone, *reweighed):
                if member.ejected_until is None:
                    self._balancer.remove(member)
            for member in come:
                member.ejected_until = None
            for member in (*come, *reweighed):
                if member.ejected_until is None:
                    self._balancer.add(member)
            for member in gone:
                member.ejected_until, member.ejection_time = None, 0.0
                self._begin_generation(member)
                self.bans.forget(member)
                self.outliers.forget(member)
            self._roster.arrange(order)
            return [member for member in gone if self._roster.dismiss(member)]

    def _begin_generation(self, member: Member) -> None:
        member.generation += 1
        member.probe = None
        self._half_open.discard(member)
