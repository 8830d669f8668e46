"""One proxy of a rotation and how it is doing, and one request with it."""

from typing import Generic, TypeVar

from ..wire.trace import Watch
from .proxies import Entry

T = TypeVar("T")

_NOTHING_HEARD = Watch()


class Member(Generic[T]):
    """One proxy of a rotation, and how it is doing.

    Attributes:
        entry: how it was written.
        number: how many were there before it.
        weight: how many turns it takes compared with others.
        transport: what its requests are sent through, once there is one.
        until: when its rest is over; None when it is up.
        seconds: the length of its rest; 0 when it is up.
        probe: the turn that is about to find out whether it is back.
        generation: how often it has gone to rest or come back. What happens to a request
            that set out before that says nothing about how things are now.
        has_left: whether it was removed.
    """

    __slots__ = (
        "entry",
        "failed",
        "generation",
        "has_left",
        "in_flight",
        "last_error",
        "number",
        "probe",
        "seconds",
        "sent",
        "transport",
        "until",
        "weight",
    )

    def __init__(self, entry: Entry, transport: T | None, number: int) -> None:
        self.entry: Entry = entry
        self.transport: T | None = transport
        self.number: int = number
        self.weight: float = entry.weight
        self.in_flight: int = 0
        self.sent: int = 0
        self.failed: int = 0
        self.generation: int = 0
        self.last_error: str | None = None
        self.until: float | None = None
        self.seconds: float = 0.0
        self.probe: Turn[T] | None = None
        self.has_left: bool = False

    @property
    def is_probed(self) -> bool:
        return self.probe is not None

    @property
    def label(self) -> str:
        """What its place on a ring comes from."""
        # A ready transport has no identity that would be the same in another run.
        if self.entry.transport is not None:
            return f"{self.entry.name} {self.number}"
        return repr(self.entry.identity)

    def __repr__(self) -> str:
        return f"<Member {self.entry.name}>"


class Turn(Generic[T]):
    """One request with one member.

    Attributes:
        member: whose turn it is.
        generation: the member's, when the turn began.
        is_early: whether the member should still rest, but so do all others.
        is_open: whether the request is in flight.
        watch: what was heard of the wire.
    """

    __slots__ = ("generation", "is_early", "is_open", "member", "watch")

    def __init__(self, member: Member[T], is_early: bool) -> None:
        self.member: Member[T] = member
        self.generation: int = member.generation
        self.is_early: bool = is_early
        self.is_open: bool = True
        self.watch: Watch = _NOTHING_HEARD
