"""Who rests, and for how long.

A proxy that fails rests; each failure in a row makes the next rest longer. When a rest is over,
one request probes the proxy while all others go on elsewhere. Nothing here does I/O, reads a
clock or draws a random number of its own.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ..wire.arguments import check_number
from ..wire.library import is_a
from ..wire.trace import Watch

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
            check_number(name, getattr(self, name), unit, positive=True, finite=True)
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
        failed: how many of them ended in an error of the wire (a wait for a connection of the
            pool is none), or in a 407 of its own.
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

    UNSENDABLE = "a URL that nobody can send to: it comes back as it is"
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
    if is_a(error, "PoolTimeout"):
        return Verdict.BLAMELESS
    if is_a(error, "UnsupportedProtocol"):
        return Verdict.UNSENDABLE
    if not watch.proves_unsent(error):
        return Verdict.SENT
    if is_a(error, "ProxyError") and str(error).startswith("407"):
        return Verdict.GUILTY
    # Without a proxy of ours the peer that could not be reached is perhaps the target.
    if via in (Via.HTTP, Via.SOCKS) and not watch.reached:
        return Verdict.GUILTY
    return Verdict.SUSPECTED
