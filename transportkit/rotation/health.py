"""Who rests, and for how long.

A proxy that fails rests; each failure in a row makes the next rest longer. When a rest is over,
one request probes the proxy while all others go on elsewhere. Nothing here does I/O, reads a
clock or draws a random number of its own.
"""

import enum
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, Protocol, TypeVar

import httpx

from .._trace import Watch

M = TypeVar("M")


@dataclass(frozen=True, kw_only=True)
class Cooldown:
    """How long a proxy rests after a failure.

    Each rest lasts between half of its length and all of it, at random: proxies that failed
    together do not come back together.

    Arguments:
        first: seconds of the first rest.
        max: seconds of the longest one.
        factor: how much longer the next rest is when the proxy fails again after the last one,
            or while it is probed.

    Raises:
        TypeError: what is no number.
        ValueError: `first` is not above 0, `max` is below `first`, or `factor` is below 1.

    >>> Cooldown(first=5, max=60)
    Cooldown(first=5, max=60, factor=2.0)
    """

    first: float = 1.0
    max: float = 300.0
    factor: float = 2.0

    def __post_init__(self) -> None:
        for name, unit in (("first", "seconds"), ("max", "seconds"), ("factor", "times")):
            check_number(name, getattr(self, name), unit)
        if self.max < self.first:
            raise ValueError(
                f"max must be {self.first!r} (first) or more, not {self.max!r}: write "
                f"Cooldown(first={self.first!r}, max=...)"
            )
        if self.factor < 1:
            raise ValueError(f"factor must be 1 or more, not {self.factor!r}")

    def after(self, last: float) -> float:
        """Seconds of the rest that follows one of `last` seconds, 0 for none."""
        return min(last * self.factor, self.max) if last else self.first


def jittered(seconds: float, random: float) -> float:
    """A rest cut short by up to a half.

    Arguments:
        seconds: its whole length.
        random: a number from 0 to 1.
    """
    return seconds * (0.5 + random / 2)


def check_number(name: str, value: object, unit: str) -> None:
    """Refuse what is no finite number above 0.

    Raises:
        TypeError, ValueError: the text names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of {unit}, not {value!r}")
    if not 0 < value <= sys.float_info.max:
        raise ValueError(f"{name} must be a finite number of {unit} above 0, not {value!r}")


class ProxyStatus(NamedTuple):
    """How one proxy is doing.

    >>> from transportkit import ProxyRoundRobin
    >>> with ProxyRoundRobin(["http://scott:tiger@proxy.example:8080"]) as rotation:
    ...     rotation.status()[0].proxy
    'http://****@proxy.example:8080'

    Attributes:
        proxy: its URL without credentials; `direct`, or the class of a ready transport.
        up: whether it takes its turns.
        resting_until: when its rest is over, by `time.monotonic`; None when it is up. It
            takes turns again when a request has probed it after that.
        in_flight: how many requests it has whose responses are not closed.
        sent: how many requests it was given.
        failed: how many of them ended in an error, or in a 407 of its own.
        last_error: what the last of those said, without credentials.
    """

    proxy: str
    up: bool
    resting_until: float | None
    in_flight: int
    sent: int
    failed: int
    last_error: str | None


class Via(enum.Enum):
    """How a member reaches the origin."""

    HTTP = "an HTTP proxy"
    SOCKS = "a SOCKS proxy"
    DIRECT = "no proxy"
    READY = "a transport of the caller's"


class Verdict(enum.Enum):
    """What an error says about the member that it came from, and about the request."""

    FOREIGN = "no failure of the wire: it comes back as it is"
    SENT = "the origin may have seen the request: the error comes back, and nobody rests"
    BLAMELESS = "the request was never sent: the next one is tried, and nobody rests"
    SUSPECTED = "the next one is tried; if that succeeds, the target is fine, and this one rests"
    GUILTY = "the next one is tried, and this one rests"


def verdict(error: Exception, watch: Watch, via: Via) -> Verdict:
    """Who is to blame for an error.

    Arguments:
        error: what the member raised.
        watch: what was heard of the wire.
        via: how the member reaches the origin.
    """
    if isinstance(error, httpx.PoolTimeout):
        return Verdict.BLAMELESS
    # A caller's trace may raise anything, and so may a bug; and some URLs nobody can send.
    is_of_the_wire = isinstance(error, httpx.TransportError) or watch.broke_in_socks
    if not is_of_the_wire or isinstance(error, httpx.UnsupportedProtocol):
        return Verdict.FOREIGN
    if not watch.proves_unsent(error):
        return Verdict.SENT
    if isinstance(error, httpx.ProxyError) and str(error).startswith("407"):
        return Verdict.GUILTY
    # Without a proxy of ours the peer that could not be reached is perhaps the target.
    if via in (Via.HTTP, Via.SOCKS) and not watch.reached:
        return Verdict.GUILTY
    return Verdict.SUSPECTED


class Resting(Protocol):
    """What `Rests` has to know of a member.

    Attributes:
        until: when its rest is over, None when it is up.
        is_probed: whether a request is about to find out.
    """

    @property
    def until(self) -> float | None: ...
    @property
    def is_probed(self) -> bool: ...


R = TypeVar("R", bound=Resting)


class Rests(Generic[R]):
    """The members that rest, in the order in which their rests are over.

    Attributes:
        heap: empty when nobody rests.
    """

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, R]] = []
        self._added = 0

    def add(self, member: R) -> None:
        """Keep a member that rests."""
        assert member.until is not None
        self._added += 1
        heappush(self.heap, (member.until, self._added, member))

    def tidy(self, most: int) -> None:
        """Forget who rests no more, if there may be more than that many of them."""
        if len(self.heap) > 2 * most + 16:
            self.heap = [entry for entry in self.heap if _is_current(entry)]
            heapify(self.heap)

    def take(
        self, now: float, tried: Collection[R], is_banned: Callable[[R], bool] | None
    ) -> R | None:
        """The one whose rest is over first, None when nobody's is over now.

        Arguments:
            now: the time.
            tried: those that are passed over.
            is_banned: for others that are passed over.
        """
        heap = self.heap
        aside: list[tuple[float, int, R]] = []
        taken = None
        while heap and taken is None and heap[0][0] <= now:
            entry = heappop(heap)
            if _is_current(entry):
                member = entry[2]
                if member in tried or (is_banned is not None and is_banned(member)):
                    aside.append(entry)
                else:
                    taken = member
        for entry in aside:
            heappush(heap, entry)
        return taken


def _is_current(entry: tuple[float, int, Resting]) -> bool:
    return entry[2].until == entry[0] and not entry[2].is_probed


# Many bans may run out together, and everybody waits while they are forgotten.
_MOST_FORGOTTEN_AT_ONCE = 8


class _Ban(NamedTuple):
    until: float
    seconds: float
    forgotten_at: float


class Bans(Generic[M]):
    """Which members rest for which hosts only.

    A ban is remembered for twice as long as it lasts: who is banned again by then rests longer.

    Attributes:
        by_host: empty when nobody was banned of late.
    """

    def __init__(self, cooldown: Cooldown) -> None:
        self._cooldown = cooldown
        self.by_host: dict[str, dict[M, _Ban]] = {}
        self._ends: list[tuple[float, int, str, M]] = []
        self._added = 0

    def add(self, host: str, member: M, now: float, random: float) -> float | None:
        """Ban a member for a host; the seconds, None when it is banned already."""
        self.forget_over(now)
        banned = self.by_host.setdefault(host, {})
        last = banned.get(member)
        if last is not None and now < last.until:
            return None
        seconds = self._cooldown.after(0.0 if last is None else last.seconds)
        lasting = jittered(seconds, random)
        banned[member] = ban = _Ban(now + lasting, seconds, now + 2 * lasting)
        self._added += 1
        heappush(self._ends, (ban.forgotten_at, self._added, host, member))
        return lasting

    def test(self, host: str, now: float) -> Callable[[M], bool] | None:
        """Whether a member is banned for a host; None when nobody is."""
        banned = self.by_host.get(host)
        if banned is None:
            return None
        return lambda member: member in banned and now < banned[member].until

    def first_over(self, host: str, tried: Collection[M]) -> M | None:
        """The banned member whose ban is over first, but for those that were tried."""
        banned = self.by_host.get(host, {})
        candidates = (member for member in banned if member not in tried)
        return min(candidates, key=lambda member: banned[member].until, default=None)

    def forget(self, member: M) -> None:
        """Lift the bans of one that has left."""
        for host in [host for host, banned in self.by_host.items() if member in banned]:
            self._lift(host, member)

    def forget_over(self, now: float) -> None:
        """Forget some of those that nobody has to remember, and leave others for the next call."""
        for _ in range(_MOST_FORGOTTEN_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                return
            at, _, host, member = heappop(self._ends)
            ban = self.by_host.get(host, {}).get(member)
            # It may have been banned again since.
            if ban is not None and ban.forgotten_at == at:
                self._lift(host, member)

    def _lift(self, host: str, member: M) -> None:
        banned = self.by_host[host]
        del banned[member]
        if not banned:
            del self.by_host[host]
