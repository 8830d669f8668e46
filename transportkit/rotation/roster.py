"""The roster: who is a member of a rotation, and the name of each."""

import math
from collections.abc import Hashable, Iterable

from .member import Member
from .proxies import Entry


class Roster:
    """The members of a rotation, and those that leave it.

    Attributes:
        members: by the identities of their proxies, in order.
        leaving: those that were dismissed with requests in flight.
    """

    def __init__(self) -> None:
        self.members: dict[Hashable, Member] = {}
        self.leaving: dict[Hashable, Member] = {}
        self._admitted = 0
        # The members that would have the same name, and the last number that one of them got.
        self._namesakes: dict[Hashable, tuple[int, int]] = {}

    def admit(self, entry: Entry) -> Member:
        """Take in a member, or take back one that was about to leave; it is joining.

        Raises:
            ValueError: it is a member already.
        """
        if (known := self.members.get(entry.identity)) is not None:
            raise ValueError(f"{known.name} is among the proxies already")
        member = self.leaving.pop(entry.identity, None)
        if member is None:
            self._admitted += 1
            member = Member(entry, self._admitted, self._next_namesake(entry))
        # Others may find it at once, and must not take it for one in rotation.
        member.weight, member.has_left, member.ejected_until = entry.weight, False, math.inf
        self.members[entry.identity] = member
        return member

    def dismiss(self, member: Member) -> bool:
        """Let a member go; True if it has no request in flight, so that it is gone."""
        del self.members[member.entry.identity]
        member.has_left = True
        self.leaving[member.entry.identity] = member
        return self.is_gone(member)

    def is_gone(self, member: Member) -> bool:
        """True, once, if the last request of one that leaves has ended."""
        identity = member.entry.identity
        if member.leases or self.leaving.get(identity) is not member:
            return False
        del self.leaving[identity]
        there, last = self._namesakes[member.entry.place]
        if there > 1:
            self._namesakes[member.entry.place] = there - 1, last
        else:
            del self._namesakes[member.entry.place]
        return True

    def arrange(self, identities: Iterable[Hashable]) -> None:
        """Put the members into this order; others come after them."""
        first = {each: self.members[each] for each in identities if each in self.members}
        self.members = {**first, **self.members}

    def _next_namesake(self, entry: Entry) -> int:
        there, last = self._namesakes.get(entry.place, (0, 0))
        self._namesakes[entry.place] = there + 1, last + 1
        return last + 1
