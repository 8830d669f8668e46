"""Again or not, and after how long.

A `RetryPolicy` is what the user decides; a `RetryCall` is one request under a policy, from
its first failure on. Neither sends, sleeps or reads a clock of its own.
"""

import functools
import logging
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..redaction.redaction import REDACTION
from ..wire.arguments import check_count, check_number
from ..wire.library import Request, Response
from ..wire.replay import IDEMPOTENT_METHODS, AsyncReplayBody, ReplayBody
from ..wire.trace import Watch
from .budget import Buckets
from .strategies import (
    Predicate,
    Wait,
    check_strategy,
    retry_if_status,
    retry_if_transport_error,
    wait_retry_after,
)

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


def stop_after_four_attempts(retry_state: "RetryCallState") -> bool:
    """The default of `RetryPolicy.stop`."""
    return retry_state.attempt_number >= 4


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """When to send a request again, and after how long, in tenacity's words.

    Strategies are called with tenacity's `RetryCallState`: its `outcome` is the
    `httpx.Response` or the exception, and `args[0]` is the request. None is called for a
    response below 400.

    Arguments:
        retry: whether an outcome is worth another attempt. Default: status 429, 502, 503 or
            504, or a transport error that another attempt may mend.
        stop: when it has been enough. Default: after four attempts.
        wait: seconds before the next attempt. Default: what the server asks for, up to 120
            seconds, or else exponentially more, with jitter, up to 30.
        deadline: seconds for the call up to the returned response. No sleep passes it, and
            it bounds each operation of an attempt, beside the request's own timeouts. It does
            not bound a peer that drips bytes, and the body is read under the request's own
            timeouts. Default: none.
        methods: those that may be repeated after the request has left. Any other is repeated
            only when the request has an `Idempotency-Key` header, or when it provably never
            reached the origin. Default: the idempotent ones of RFC 9110, section 9.2.2.
        max_replay: how many bytes are kept of a body that can be read only once (a
            generator, say), so that it can be sent again. Default: 1 MiB.
        before_sleep: called before each wait. `tenacity.before_sleep_log` works here.

    Raises:
        TypeError: a strategy that cannot be called with a `RetryCallState`, is a class, or is a
            coroutine function; methods in one string.
        ValueError: a number that is negative.

    >>> import tenacity
    >>> policy = RetryPolicy(
    ...     retry=retry_if_status(500, 503),
    ...     stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(20),
    ...     wait=tenacity.wait_fixed(1) + tenacity.wait_random(0, 1),
    ...     deadline=30,
    ... )
    """

    retry: Predicate = retry_if_status(429, 502, 503, 504) | retry_if_transport_error()
    stop: Predicate = stop_after_four_attempts
    wait: Wait = wait_retry_after()
    deadline: float | None = None
    methods: Collection[str] = IDEMPOTENT_METHODS
    max_replay: int = 1024 * 1024
    before_sleep: Callable[["RetryCallState"], object] | None = None

    def __post_init__(self) -> None:
        for name, example in (
            ("retry", "retry_if_status(503)"),
            ("stop", "tenacity.stop_after_attempt(4)"),
            ("wait", "tenacity.wait_fixed(1)"),
            ("before_sleep", "tenacity.before_sleep_log(logger, logging.INFO)"),
        ):
            if getattr(self, name) is not None or name != "before_sleep":
                check_strategy(name, getattr(self, name), example)
        if self.deadline is not None:
            check_number("deadline", self.deadline, "seconds", positive=True)
        check_count("max_replay", self.max_replay, "bytes")
        object.__setattr__(self, "methods", _check_methods(self.methods))


def bare_methods(policy: RetryPolicy) -> Collection[str]:
    """The methods whose first attempt under a policy needs no trace and no timeouts of ours."""
    return policy.methods if policy.deadline is None else frozenset()


def _check_methods(methods: object) -> frozenset[str]:
    if isinstance(methods, (str, bytes)) or not isinstance(methods, Collection):
        raise TypeError(f"methods must be a set such as {{'GET', 'PUT'}}, not {methods!r}")
    for method in methods:
        if not isinstance(method, str):
            raise TypeError(f"methods must be strings such as 'GET', not {method!r}")
    return frozenset(method.upper() for method in methods)


class RetryCall:
    """One request under a policy, from its first failure on.

    Arguments:
        policy: the user's decisions.
        request: what is sent.
        send: what sends it, for tenacity's log lines.
        started: when the first attempt began, by `time.monotonic`.
        buckets: what the retries are paid from.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        request: Request,
        send: Callable[..., object],
        started: float,
        buckets: Buckets,
    ) -> None:
        from tenacity import RetryCallState

        self._policy = policy
        self._request = request
        self._buckets = buckets
        self._state = RetryCallState(_retrying(), send, (request,), {})
        self._state.start_time = started
        self._attempts: tuple[Attempt, ...] = ()

    def wait_after(
        self,
        outcome: Response | Exception,
        watch: Watch | None,
        replay: ReplayBody | AsyncReplayBody | None,
        now: float,
    ) -> float | None:
        """The seconds to wait before the next attempt, None when this outcome is the last.

        Arguments:
            outcome: what the attempt ended in.
            watch: what was heard of the wire, if the method makes it matter.
            replay: the record of the body, if it can be read only once.
            now: the time, by `time.monotonic`.
        """
        state = self._state
        if isinstance(outcome, Exception):
            state.set_exception((type(outcome), outcome, outcome.__traceback__))
        else:
            state.set_result(outcome)
        state.outcome_timestamp = now
        wait = self._wait(now) if self._may_repeat(outcome, watch, replay) else None
        shown = outcome if isinstance(outcome, Exception) else outcome.status_code
        self._attempts += (Attempt(shown, wait or 0.0),)
        if wait is None:
            self._conclude(outcome, now)
        else:
            state.idle_for += wait
            self._announce(wait)
            state.prepare_for_next_attempt()
        return wait

    def _conclude(self, outcome: Response | Exception, now: float) -> None:
        """Tell the last outcome what came before it."""
        if isinstance(outcome, Exception):
            count = len(self._attempts)
            outcome.add_note(
                f"transportkit: {count} attempt{'s' if count > 1 else ''} in "
                f"{now - self._state.start_time:.1f} seconds"
            )
        else:
            outcome.extensions["attempts"] = self._attempts
            if outcome.status_code < 400:
                self._buckets.succeeded(self._request.url)

    def _may_repeat(
        self,
        outcome: Response | Exception,
        watch: Watch | None,
        replay: ReplayBody | AsyncReplayBody | None,
    ) -> bool:
        if not isinstance(outcome, Exception) and outcome.status_code < 400:
            return False
        if replay is not None and not replay.can_repeat:
            return False
        if watch is None or "Idempotency-Key" in self._request.headers:
            return True
        return isinstance(outcome, Exception) and watch.proves_unsent(outcome)

    def _wait(self, now: float) -> float | None:
        state, policy = self._state, self._policy
        if not policy.retry(state):
            return None
        wait = max(policy.wait(state), 0)
        # Some of tenacity's stop strategies look at it.
        state.upcoming_sleep = wait
        if not math.isfinite(wait) or policy.stop(state):
            return None
        if policy.deadline is not None and now - state.start_time + wait >= policy.deadline:
            return None
        return wait if self._buckets.take(self._request.url, now) else None

    def _announce(self, wait: float) -> None:
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
        if self._policy.before_sleep is not None:
            self._state.next_action = RetryAction(wait)
            self._policy.before_sleep(self._state)


def policy_for(extensions: Mapping[str, object], default: RetryPolicy) -> RetryPolicy | None:
    """The policy that a request brings along, None for a single attempt.

    Arguments:
        extensions: of the request.
        default: for those that bring none along.

    Raises:
        TypeError: `extensions["retry"]` is neither.
    """
    policy = extensions.get("retry", default)
    if policy is None or isinstance(policy, RetryPolicy):
        return policy
    raise TypeError(
        f'extensions["retry"] must be a RetryPolicy, or None for a single attempt, not {policy!r}'
    )


@functools.cache
def _retrying() -> "Retrying":
    """What a `RetryCallState` belongs to. Nothing of it is asked, and it is slow to make."""
    from tenacity import Retrying

    return Retrying()
