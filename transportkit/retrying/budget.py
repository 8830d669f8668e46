"""A bound on the retries that an origin gets: a token bucket for each origin."""

import threading
from dataclasses import KW_ONLY, dataclass

from ..redaction.redaction import echoed
from ..wire.advising import advising
from ..wire.arguments import check_number
from ..wire.forking import renew_in_child
from ..wire.library import URL

_MAX_ORIGINS = 1024


@advising(max_retries="capacity=...", ratio="per_success=...", ttl="per_second=...")
@dataclass(frozen=True)
class RetryBudget:
    """A bound on the retries that all requests to one origin make together.

    When an origin fails for everybody, retries multiply the load that made it fail: four
    attempts for each request are four times the load. So retries are paid from a bucket
    that all requests to an origin (scheme, host, port) share. Successes fill it, so that
    retries stay a fraction of the traffic, as with gRPC's retry throttling (gRFC A6); time
    fills it too, so that a client that sends little may always retry a little, as with
    Finagle's RetryBudget. With an empty bucket a request is not retried: its outcome comes back
    at once.

    Arguments:
        capacity: tokens that a full bucket holds; a retry takes one.
        per_success: tokens that a success adds.
        per_second: tokens that a second adds.

    Raises:
        ValueError: `capacity` is below 1, or another number is negative.

    >>> RetryBudget(capacity=20, per_success=0.1)
    RetryBudget(capacity=20, per_success=0.1, per_second=10)
    """

    capacity: float = 100
    _: KW_ONLY
    per_success: float = 0.2
    per_second: float = 10

    def __post_init__(self) -> None:
        for name in ("capacity", "per_success", "per_second"):
            check_number(name, getattr(self, name), "tokens")
        if self.capacity < 1:
            raise ValueError(
                f"capacity must be 1 or more, not {self.capacity!r}: for no retries at all, "
                "use RetryPolicy(stop=tenacity.stop_after_attempt(1))"
            )


DEFAULT_BUDGET = RetryBudget()


@dataclass
class _Bucket:
    tokens: float
    filled_at: float

    def fill(self, tokens: float, capacity: float) -> None:
        self.tokens = min(capacity, self.tokens + tokens)


class Buckets:
    """The buckets of one transport, for the origins that have failed recently.

    An origin without a bucket has a full one: nothing is kept for those that never fail.

    Arguments:
        budget: the settings of each, None if retries cost nothing.

    Raises:
        TypeError: `budget` is neither.

    Attributes:
        by_origin: empty as long as nothing has failed.
    """

    def __init__(self, budget: RetryBudget | None) -> None:
        if budget is not None and not isinstance(budget, RetryBudget):
            raise TypeError(
                f"budget must be a RetryBudget or None, not {echoed(budget)}: write RetryBudget(...)"
            )
        self._budget = budget
        self._renew()
        renew_in_child(self._renew)

    def _renew(self) -> None:
        """Start with full buckets, as in a child process."""
        self._lock = threading.Lock()
        self.by_origin: dict[tuple[str, bytes, int | None], _Bucket] = {}

    def take(self, url: URL, now: float) -> bool:
        """Pay for one retry; False if there is nothing to pay with.

        Arguments:
            url: of the origin (RFC 9110, section 4.3.1).
            now: seconds, by a monotonic clock.
        """
        if self._budget is None:
            return True
        origin = _origin(url)
        with self._lock:
            # The one used last goes to the end; the one not used for longest makes room.
            bucket = self.by_origin.pop(origin, None) or _Bucket(self._budget.capacity, now)
            self.by_origin[origin] = bucket
            if len(self.by_origin) > _MAX_ORIGINS:
                del self.by_origin[next(iter(self.by_origin))]
            seconds = max(now - bucket.filled_at, 0)
            bucket.fill(seconds * self._budget.per_second, self._budget.capacity)
            # Threads read the clock before they get here, and may come in another order.
            bucket.filled_at = max(bucket.filled_at, now)
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True

    def record_success(self, url: URL) -> None:
        """Give an origin's bucket what a success is worth."""
        if not self.by_origin:
            return
        origin = _origin(url)
        with self._lock:
            if self._budget is not None and (bucket := self.by_origin.get(origin)) is not None:
                bucket.fill(self._budget.per_success, self._budget.capacity)
                if bucket.tokens >= self._budget.capacity:
                    del self.by_origin[origin]


def _origin(url: URL) -> tuple[str, bytes, int | None]:
    return (url.scheme, url.raw_host, url.port)
