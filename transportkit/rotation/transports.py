"""The transports of the members of a rotation, given ready or made when they are first needed."""

import threading
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from ..network.factory import TransportFactory
from ..network.options import check_options
from ..redaction.names import MASK
from ..wire.forking import renew_in_child
from ..wire.library import Proxy
from ..wire.lifecycle import Lifecycle
from .member import Member
from .pool import Pool
from .proxies import Entry, Via, parse, parse_all

T = TypeVar("T")


class MemberTransports(Generic[T]):
    """The transports of the members: given ready, or made when they are first needed.

    Arguments:
        proxies: the first members, as they were written.
        kind: the class of the transports that can be among them.
        network: makes the others.
        pool: takes in the members.

    Raises:
        TypeError, ValueError, ImportError: see `parse_all` and `TransportFactory`.

    Attributes:
        by_member: those that there are.
    """

    def __init__(
        self, proxies: object, kind: type[T], network: TransportFactory[T], pool: Pool
    ) -> None:
        self.by_member: dict[Member | None, T] = {}
        self._kind = kind
        self._network = network
        self._pool = pool
        self._renew()
        renew_in_child(self._renew)
        entries = parse_all(proxies, kind)
        if network.options:
            # Arguments that cannot work fail here, and not at the first request.
            network.transport(proxy=None)
            check_options({**network.options, "proxy": _representative(entries)})
        pool.join(self._take_in(pool.admit_missing(entries)))

    def _renew(self) -> None:
        """Be nobody's to lock, as in a child process."""
        self._building = threading.Lock()

    def _take_in(self, members: Sequence[Member]) -> Sequence[Member]:
        for member in members:
            if isinstance(member.entry.transport, self._kind):
                self.by_member[member] = member.entry.transport
        return members

    def admit(self, proxy: object, weight: object) -> Member:
        """Let in a member, which gets no requests until it joins the pool.

        Raises:
            TypeError, ValueError, ImportError: it cannot be one, or is one already.
        """
        member = self._pool.admit(parse(proxy, self._kind, weight))
        self._take_in([member])
        return member

    def admit_missing(self, proxies: object) -> tuple[dict[Hashable, Entry], Sequence[Member]]:
        """Let in those of a list who are no members yet, as `admit` does.

        Returns:
            The list, by identities, and the new ones.

        Raises:
            TypeError, ValueError, ImportError: see `parse_all`.
        """
        entries = parse_all(proxies, self._kind)
        come = self._take_in(self._pool.admit_missing(entries))
        return {entry.identity: entry for entry in entries}, come

    def replace(self, entries: Mapping[Hashable, Entry]) -> list[T]:
        """Have those of a list as the only members; return the transports to be closed now."""
        return self.pop(self._pool.replace(entries))

    def remove(self, proxy: object) -> list[T]:
        """Take out a member; return its transport if that can be closed at once.

        Arguments:
            proxy: a proxy, as it was written or as it is shown.

        Raises:
            TypeError, ValueError: it is not a member.
        """
        if isinstance(proxy, str) and ("#" in proxy or MASK in proxy):
            if (member := self._pool.named(proxy)) is not None:
                return self.dismiss([member])
        try:
            entry = parse(proxy, self._kind)
        except ValueError:
            # The class of a ready transport, perhaps.
            if (member := self._pool.named(str(proxy))) is None:
                raise
            return self.dismiss([member])
        return self.pop([self._pool.remove(entry.identity, entry.name)])

    def dismiss(self, members: Collection[Member]) -> list[T]:
        """Take out members; return the transports to be closed now."""
        return self.pop([self._pool.remove(each.entry.identity, each.name) for each in members])

    def pop(self, gone: Iterable[Member | None]) -> list[T]:
        """The transports of members that are gone, to be closed now."""
        # Some have never been used, and have none.
        return [self.by_member.pop(each) for each in gone if each in self.by_member]

    def get(self, member: Member, lifecycle: Lifecycle[T]) -> T:
        """The transport that the requests of a member are sent through.

        Arguments:
            member: one with a lease.
            lifecycle: takes in a transport that is made now.
        """
        if (found := self.by_member.get(member)) is not None:
            return found
        with self._building:
            if (found := self.by_member.get(member)) is None:
                # `replace` may have let in one again that was taken out meanwhile.
                ready, proxy = member.entry.transport, member.entry.proxy
                found = (
                    ready
                    if isinstance(ready, self._kind)
                    else self._network.transport(member, proxy=proxy)
                )
                lifecycle.adopt(found, to_enter=False)
                self.by_member[member] = found
            return found


def _representative(entries: Sequence[Entry]) -> Proxy | None:
    """One of the proxies, None if some requests go without."""
    if any(entry.via is Via.DIRECT for entry in entries):
        return None
    return next((entry.proxy for entry in entries if entry.proxy is not None), None)
