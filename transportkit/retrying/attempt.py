"""The attempts of one request: what each is sent with, and whether another one follows.

| when | the transport | the call |
| --- | --- | --- |
| before an attempt | sends with extensions of our own | `start_attempt`: a watch, a deadline |
| after it | drains, sleeps, or returns what came | `end_attempt`: records, decides, announces |
| after the last | gives the caller's request back | `settle`: the deadline is over |

Nothing here sends, sleeps or reads a clock.
"""

import functools
import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..redaction.redaction import REDACTION
from ..wire.io import DRAIN_SECONDS
from ..wire.library import Request, Response
from ..wire.replay import is_idempotent, is_repeatable
from ..wire.trace import AsyncSentWatch, SentWatch
from .budget import Buckets
from .deadline import LiveTimeouts
from .policy import RetryPolicy

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

_logger = logging.getLogger("transportkit.retrying")


class Attempt(NamedTuple):
    """One attempt of a request that was retried.

    >>> Attempt(outcome=503, waited=1.5)
    Attempt(outcome=503, waited=1.5)

    Attributes:
        outcome: the status code, or the error.
        waited: seconds waited after it, before the next attempt.
    """

    outcome: int | Exception
    waited: float


class RetryCall:
    """One request under a policy.

    Arguments:
        policy: the user's decisions.
        request: as the caller gave it.
        send: the method that sends it, for tenacity's log lines.
        started: when the first attempt began, by `time.monotonic`.
        buckets: what the retries are paid from.

    Attributes:
        watch: what was heard of the last attempt, if that decides whether it may be repeated.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        request: Request,
        send: Callable[..., object],
        started: float,
        buckets: Buckets,
    ) -> None:
        self.policy: RetryPolicy = policy
        self.watch: SentWatch | AsyncSentWatch | None = None
        self._request = request
        self._given = request.extensions
        self._sent: dict[str, object] = {}
        self._send = send
        self._started = started
        self._ended = started
        self._buckets = buckets
        self._attempts: tuple[Attempt, ...] = ()

    def start_attempt(self, watch: type[SentWatch] | type[AsyncSentWatch]) -> dict[str, object]:
        """Begin an attempt; the result is what it is sent with over the caller's extensions.

        Arguments:
            watch: the kind that the inner transport can call.
        """
        self._sent = dict(self._given)
        if self._request.method not in self.policy.methods:
            # A new one each time: an attempt without events proves nothing, whatever came before.
            self._sent["trace"] = self.watch = watch(self._given.get("trace"))
        if self.policy.deadline is not None:
            deadline = self._started + self.policy.deadline
            self._sent["timeout"] = LiveTimeouts(deadline, timeouts_of(self._given))
        return self._sent

    def end_attempt(self, outcome: Response | Exception, now: float) -> float | None:
        """Record how an attempt ended, and announce the next one if there is to be one.

        Arguments:
            outcome: what it ended in.
            now: the time, by `time.monotonic`.

        Returns:
            The seconds to wait before the next attempt, None if this outcome is the last.
        """
        self._ended = now
        if not isinstance(outcome, Exception) and outcome.status_code < 400:
            self._buckets.record_success(self._request.url)
            if self._attempts:
                self._record(outcome, 0.0)
                outcome.extensions["attempts"] = self._attempts
            return None
        wait = self._wait_after(outcome)
        if wait is not None and self._buckets.take(self._request.url, now):
            self._record(outcome, wait)
            self._announce(wait)
            return wait
        self._record(outcome, 0.0)
        self._conclude(outcome)
        return None

    def drain_seconds(self, wait: float) -> float:
        """The seconds that the last response may be drained, given the wait that follows.

        The wait has to end before the deadline.
        """
        if self.policy.deadline is None:
            return DRAIN_SECONDS
        return min(DRAIN_SECONDS, self._started + self.policy.deadline - self._ended - wait)

    def settle(self) -> None:
        """End the deadline: the body of the response is read under the caller's own timeouts."""
        if self.policy.deadline is not None and self._sent:
            self._sent["timeout"] = timeouts_of(self._given)

    @functools.cached_property
    def _state(self) -> "RetryCallState":
        # tenacity takes long to import, and most programs never see a first attempt fail.
        from tenacity import RetryCallState

        state = RetryCallState(_retrying(), self._send, (self._request,), {})
        state.start_time = self._started
        return state

    def _wait_after(self, outcome: Response | Exception) -> float | None:
        state, policy = self._state, self.policy
        if isinstance(outcome, Exception):
            state.set_exception((type(outcome), outcome, outcome.__traceback__))
        else:
            state.set_result(outcome)
        state.outcome_timestamp = self._ended
        if not self._may_repeat(outcome) or not policy.retry(state):
            return None
        wait = max(policy.wait(state), 0)
        # Some of tenacity's stop strategies look at it.
        state.upcoming_sleep = wait
        if not math.isfinite(wait) or policy.stop(state):
            return None
        if policy.deadline is not None and self._ended - self._started + wait >= policy.deadline:
            return None
        return wait

    def _may_repeat(self, outcome: Response | Exception) -> bool:
        if not is_repeatable(self._request.stream):
            return False
        if is_idempotent(self._request, self.policy.methods):
            return True
        watch = self.watch
        return isinstance(outcome, Exception) and watch is not None and watch.proves_unsent(outcome)

    def _record(self, outcome: Response | Exception, wait: float) -> None:
        shown = outcome if isinstance(outcome, Exception) else outcome.status_code
        self._attempts += (Attempt(shown, wait),)

    def _announce(self, wait: float) -> None:
        """Tell the log and the user's own hook that another attempt follows."""
        from tenacity import RetryAction

        if _logger.isEnabledFor(logging.INFO):
            outcome = self._attempts[-1].outcome
            _logger.info(
                "Retrying %s %s in %.1f seconds: attempt %d ended in %s",
                self._request.method,
                REDACTION.url(self._request.url),
                wait,
                len(self._attempts),
                type(outcome).__name__ if isinstance(outcome, Exception) else outcome,
            )
        state = self._state
        state.idle_for += wait
        if self.policy.before_sleep is not None:
            state.next_action = RetryAction(wait)
            self.policy.before_sleep(state)
        state.prepare_for_next_attempt()

    def _conclude(self, outcome: Response | Exception) -> None:
        """Tell the last outcome what was tried."""
        if isinstance(outcome, Exception):
            count = len(self._attempts)
            outcome.add_note(
                f"transportkit: {count} attempt{'s' if count > 1 else ''} in "
                f"{self._ended - self._started:.1f} seconds"
            )
        else:
            outcome.extensions["attempts"] = self._attempts


def timeouts_of(extensions: Mapping[str, Any]) -> Mapping[str, float | None]:
    """The caller's timeouts. A request that no client built may have none."""
    given = extensions.get("timeout")
    return given if isinstance(given, Mapping) else {}


@functools.cache
def _retrying() -> "Retrying":
    """The object that a `RetryCallState` belongs to. It is never asked, and slow to make."""
    from tenacity import Retrying

    return Retrying()
