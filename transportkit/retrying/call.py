"""One request under a policy: what each attempt is sent with, and whether another one follows.

| when | the transport | the call |
| --- | --- | --- |
| before an attempt | sends a request with extensions of our own | `start_attempt`: a watch, a deadline |
| after it | asks the policy about what came, unless there is nothing to ask | `end_attempt` |
| then | drains and sleeps, or returns what came | `decide`: records, announces, or gives up |
| after the last | | `settle`: the deadline is over |

Nothing here sends or sleeps.
"""

import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..network.errors import was_refused
from ..redaction.redaction import REDACTION
from ..wire.draining import DRAIN_SECONDS
from ..wire.library import Request, Response, is_a, is_unclear, library_of
from ..wire.logs import Log
from ..wire.replay import is_idempotent, is_repeatable
from ..wire.trace import UNHEARD, AsyncSentWatch, SentWatch
from . import attempt as why
from . import switch
from .attempt import Attempt, given_up, mark_call, tell
from .budget import Buckets
from .causes import as_broken, too_late
from .combining import seconds_of
from .deadline import LiveTimeouts, timeouts_of
from .policy import RetryPolicy
from .strategies import is_obeyed

if TYPE_CHECKING:
    from .state import CallState

_logger = Log("transportkit.retrying")


class RetryCall:
    """One request under a policy.

    Arguments:
        policy: the user's decisions.
        request: as the caller gave it, or with its body recorded.
        send: the method that sends it, for tenacity's log lines.
        started: when the first attempt began, by `time.monotonic`.
        buckets: what the retries are paid from.

    Attributes:
        outcome: what the last attempt ended in.
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
        self.outcome: Any = None
        self.watch: SentWatch | AsyncSentWatch | None = None
        self._request = request
        self._send = send
        self._started = started
        self._ended = started
        self._buckets = buckets
        self._attempts: tuple[Attempt, ...] = ()
        self._timeouts: LiveTimeouts | None = None
        self._state: CallState | None = None
        self._is_suspect = False
        self._unclear: Exception | None = None

    def start_attempt(
        self, watch: type[SentWatch] | type[AsyncSentWatch]
    ) -> dict[str, object] | None:
        """Begin an attempt; the extensions it is sent with, None if those of the request will do.

        Arguments:
            watch: the kind that the inner transport can call.
        """
        given = self._request.extensions
        changed = mark_call(self._request)
        if self._attempts:
            changed["attempt"] = len(self._attempts) + 1
        if self._request.method not in self.policy.methods or self._is_suspect:
            # A new one each time: an attempt without events proves nothing, whatever came before.
            changed["trace"] = self.watch = watch(given.get("trace"))
        if self.policy.deadline is not None:
            self.settle()
            deadline = self._started + self.policy.deadline
            changed["timeout"] = self._timeouts = LiveTimeouts(deadline, timeouts_of(given))
        return {**given, **changed} if changed else None

    def end_attempt(self, outcome: Response | Exception, now: float) -> bool:
        """Record how an attempt ended; True if the policy is to be asked about it.

        Arguments:
            outcome: what it ended in.
            now: the time, by `time.monotonic`.
        """
        self._ended = now
        self.outcome, self._unclear = outcome, None
        if isinstance(outcome, Exception):
            deadline = self.policy.deadline or math.inf
            if now - self._started >= deadline and is_a(outcome, "TimeoutException"):
                self.outcome = too_late(type(outcome), self._request, deadline)
                self.outcome.__cause__ = outcome
            elif is_unclear(outcome):
                # Nobody watched a first attempt: another one will tell, if there is one.
                self._unclear = outcome if self.watch is None else None
                self._is_suspect = True
                self.outcome = as_broken(outcome, self._request, self.watch)
            return True
        status = outcome.status_code
        return status >= 400 or (status != 101 and self.policy.asks_about_successes)

    @property
    def state(self) -> "CallState":
        """The state that the policy's strategies are asked with."""
        if self._state is None:
            from .state import CallState

            self._state = CallState(self._send, self._request, self._started)
        self._state.end(self.outcome, self._ended)
        return self._state

    def decide(self, is_wanted: bool) -> float | None:
        """Announce the next attempt if there is to be one, or conclude the call.

        Arguments:
            is_wanted: true if the policy would have the last outcome retried.

        Returns:
            The seconds to wait before the next attempt, None if there is none.
        """
        plan = self._plan() if is_wanted else None
        if plan is None or isinstance(plan, str):
            if self._unclear is not None:
                self.outcome = self._unclear
            self._record(0.0, plan)
            self._conclude(plan)
            return None
        self._record(plan, None)
        self._announce(plan)
        return plan

    def seconds_left(self, now: float) -> float | None:
        """The seconds until the deadline, None without one.

        Arguments:
            now: the time, by `time.monotonic`.
        """
        deadline = self.policy.deadline
        return None if deadline is None else self._started + deadline - now

    def drain_seconds(self, wait: float) -> float:
        """The seconds that the last response may be drained, given the wait that follows.

        The wait has to end before the deadline.
        """
        left = self.seconds_left(self._ended)
        return DRAIN_SECONDS if left is None else min(DRAIN_SECONDS, left - wait)

    def end_too_late(self) -> bool:
        """Record that the deadline has ended an attempt; True, as the policy would go on."""
        deadline = self.policy.deadline
        assert deadline is not None
        self._ended = self._started + deadline
        kind = library_of(self._request).TimeoutException
        self.outcome = too_late(kind, self._request, deadline)
        return True

    def settle(self) -> None:
        """End the deadline: the body of the response is read under the caller's own timeouts."""
        if self._timeouts is not None:
            self._timeouts.end()

    def _plan(self) -> float | str:  # noqa: PLR0911 - each says another reason
        """The seconds to wait before the next attempt, or why there is none."""
        outcome, state, policy = self.outcome, self.state, self.policy
        beneath = given_up(outcome, self._request)
        if beneath in why.FINAL and not policy.repeats_given_up:
            return why.BENEATH
        if switch.is_off():
            return why.OFF
        if unsafe := self._unsafe(outcome):
            # It is told once, however many layers find it out.
            return why.BENEATH if unsafe == beneath else unsafe
        # Some of tenacity's stop strategies look at it.
        state.upcoming_sleep = wait = max(seconds_of(policy.wait(state)), 0.0)
        if policy.stop(state):
            return why.STOP
        if not math.isfinite(wait):
            return why.WAIT
        if policy.deadline is not None and self._ended - self._started + wait >= policy.deadline:
            return why.DEADLINE
        if not is_obeyed(outcome, wait) and not self._buckets.take(self._request.url, self._ended):
            return why.BUDGET
        return switch.switched(wait)

    def _unsafe(self, outcome: Response | Exception) -> str | None:
        """Why the request may not be sent again; None if it may."""
        if not is_repeatable(self._request.stream):
            return why.BODY
        is_safe = is_idempotent(self._request, self.policy.methods)
        if not is_safe and isinstance(outcome, Exception):
            watch = self.watch or UNHEARD
            is_safe = was_refused(outcome, watch.stream_id) or watch.proves_unsent(outcome)
        return None if is_safe else why.MAY_HAVE_ARRIVED

    def _record(self, wait: float, reason: str | None) -> None:
        outcome = self.outcome
        shown = outcome if isinstance(outcome, Exception) else outcome.status_code
        self._attempts += (Attempt(shown, wait, reason),)

    def _announce(self, wait: float) -> None:
        """Tell the log and the user's own hook that another attempt follows."""
        if _logger.isEnabledFor(logging.INFO):
            _logger.info(
                "Retrying %s %s in %.1f seconds: attempt %d ended in %s", *self._told(wait)
            )
        state = self.state
        state.idle_for += wait
        if self.policy.before_sleep is not None:
            from tenacity import RetryAction

            state.next_action = RetryAction(wait)
            self.policy.before_sleep(state)
        state.prepare_for_next_attempt()

    def _conclude(self, reason: str | None) -> None:
        """Tell the last outcome, and the log, what was tried."""
        outcome, count = self.outcome, len(self._attempts)
        tell(outcome, self._attempts, self._request)
        if reason is None and not isinstance(outcome, Exception) and outcome.status_code < 400:
            self._buckets.record_success(self._request.url)
        if reason == why.BENEATH:
            return
        if isinstance(outcome, Exception):
            outcome.add_note(
                f"transportkit: {count} attempt{'s' if count > 1 else ''} in "
                f"{self._ended - self._started:.1f} seconds"
                + (f", and no other: {reason}" if reason else "")
            )
        if reason is not None and _logger.isEnabledFor(logging.INFO):
            method, url, _, count, ending = self._told(0.0)
            text = "Giving up on %s %s: attempt %d ended in %s, and %s"
            _logger.info(text, method, url, count, ending, reason)

    def _told(self, wait: float) -> tuple[str, str, float, int, object]:
        """The arguments that both log lines have in common."""
        outcome = self._attempts[-1].outcome
        ending = type(outcome).__name__ if isinstance(outcome, Exception) else outcome
        request = self._request
        return request.method, REDACTION.url(request.url), wait, len(self._attempts), ending
