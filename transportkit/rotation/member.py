"""One proxy of a rotation, and the leases under which requests use it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cached_property
from typing import NamedTuple

from ..wire.library import AsyncBody, Body
from ..wire.trace import UNHEARD, Watch
from .proxies import Entry


class ProxyStatus(NamedTuple):
    """The state of one proxy and its counters.

    >>> from transportkit import ProxyRoundRobin
    >>> with ProxyRoundRobin(["http://scott:tiger@proxy.example:8080"]) as rotation:
    ...     rotation.status()[0].proxy
    'http://****@proxy.example:8080'

    Attributes:
        proxy: its name: the URL without credentials, `direct`, or the class of a ready transport.
            Of those that would have the same name all but the first have a number: `...#2`.
        up: True while it is in rotation.
        resting_until: the end of its ejection, by `time.monotonic`; None when it is up. It is
            in rotation again when a request has probed it after that.
        in_flight: the number of its requests whose responses are not closed.
        sent: the number of requests that it was given.
        failed: the number of those that ended in an error of the wire, or in a 407 of its own.
            What this machine lacks (file descriptors, ports) and waiting behind others for a
            connection are none.
        last_error: the text of the last failure, without credentials; of a refusal with the
            headers by which the proxy explains it.
    """

    proxy: str
    up: bool
    resting_until: float | None
    in_flight: int
    sent: int
    failed: int
    last_error: str | None


class Member:
    """One proxy of a rotation, its state and its counters (for the states, see `rotation`).

    Arguments:
        entry: the proxy, as it was written.
        number: its place in the order in which members were first added.
        namesake: its place among those that would have the same name, from 1 on.

    Attributes:
        entry, number: the same.
        weight: its share of the requests, relative to the others.
        leases: those that have not ended. As a dict, it can be changed without a lock.
        sent, failed, last_error: see `ProxyStatus`.
        ejected_until: the end of its ejection, by the pool's clock; None in rotation.
        ejection_time: seconds of its ejection, before jitter; 0 in rotation.
        probe: the lease that finds out whether it works again; None unless half-open.
        generation: the number of its ejections and returns so far. The outcome of a lease that
            began before the latest of them says nothing about the present.
        has_left: True once it has been removed.
        is_watched: False once it has answered without a word about the wire, until it fails: there
            would be nothing to hear.
    """

    def __init__(self, entry: Entry, number: int = 0, namesake: int = 1) -> None:
        self.entry: Entry = entry
        self.number: int = number
        self.weight: float = entry.weight
        self.leases: dict[Lease, None] = {}
        self.sent: int = 0
        self.failed: int = 0
        self.last_error: str | None = None
        self.ejected_until: float | None = None
        self.ejection_time: float = 0.0
        self.probe: Lease | None = None
        self.generation: int = 0
        self.has_left: bool = False
        self.is_watched: bool = True
        self._namesake = namesake

    @cached_property
    def name(self) -> str:
        """The name that it is shown and known by, without credentials, and its own alone."""
        # Masking takes long, and most of many are never shown.
        namesake = self._namesake
        return f"{self.entry.name}#{namesake}" if namesake > 1 else self.entry.name

    @property
    def label(self) -> str:
        """The text that its points on a ring come from."""
        # A ready transport has no identity that would be the same in another run.
        if self.entry.transport is not None:
            return f"{self.entry.name} {self.number}"
        return repr(self.entry.identity)

    def counters(self) -> tuple[bool, float | None, int, int, int, str | None]:
        """The state of it, as in a `ProxyStatus`, without the name."""
        until = self.ejected_until
        return until is None, until, len(self.leases), self.sent, self.failed, self.last_error

    def __repr__(self) -> str:
        return f"<Member {self.name}>"


class Lease:
    """The use of a member by one request, until its response is closed.

    Arguments:
        member: the one; it has one more request in flight from now on.
        is_premature: True if it is still ejected, as all others are.

    Attributes:
        member, is_premature: the same.
        generation: the member's, when the lease began.
        is_ban: True once the target has answered with a ban.
        watch: what was heard of the wire before its last error.
    """

    is_ban: bool = False
    watch: Watch = UNHEARD

    def __init__(self, member: Member, is_premature: bool = False) -> None:
        self.member: Member = member
        self.generation: int = member.generation
        self.is_premature: bool = is_premature
        member.leases[self] = None
        member.sent += 1

    @property
    def is_held(self) -> bool:
        """True until the lease is released."""
        return self in self.member.leases


class LeasedBody:
    """The body of a response that is in flight until it is closed.

    Arguments:
        stream: the body.
        release: ends the lease, each time that the body is closed.
        lease: the one that the request had.
    """

    def __init__(self, stream: Body, release: Callable[[Lease], None], lease: Lease) -> None:
        self._stream = stream
        self._release = release
        self._lease = lease

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._release(self._lease)


class AsyncLeasedBody:
    """The body of a response that is in flight until it is closed.

    Arguments:
        stream: the body.
        release: ends the lease, each time that the body is closed.
        lease: the one that the request had.
    """

    def __init__(
        self, stream: AsyncBody, release: Callable[[Lease], Awaitable[None]], lease: Lease
    ) -> None:
        self._stream = stream
        self._release = release
        self._lease = lease

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._release(self._lease)
