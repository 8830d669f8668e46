"""`RetryPolicy`: the user's decisions on when to try again, and after how long."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..redaction.redaction import echoed
from ..wire.arguments import check_count, check_number
from ..wire.replay import IDEMPOTENT_METHODS
from .combining import Predicate, Wait, check_strategy
from .strategies import retry_if_status, retry_if_transport_error, wait_retry_after

if TYPE_CHECKING:
    from tenacity import RetryCallState


def stop_after_four_attempts(retry_state: "RetryCallState") -> bool:
    """The default of `RetryPolicy.stop`."""
    return retry_state.attempt_number >= 4


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """The rules for sending a request again, written with tenacity's strategies.

    A strategy is called with tenacity's `RetryCallState`: its `outcome` holds the
    `httpx.Response` or the exception, and `args[0]` is the request. No strategy is called for
    a response below 400.

    Arguments:
        retry: true for an outcome that is worth another attempt. Default: status 429, 502, 503
            or 504, or a transport error that another attempt may mend.
        stop: true when it has been enough. Default: after four attempts.
        wait: seconds before the next attempt. Default: what the server asks for, up to 120
            seconds, or else exponentially more, with jitter, up to 30.
        deadline: seconds for the call up to the returned response. No sleep passes it, and
            it bounds each operation of an attempt, as the request's own timeouts do. It does
            not bound a peer that drips bytes, and the body is read under the request's own
            timeouts. Default: none.
        methods: those that may be repeated after the request has left. Any other is repeated
            only if the request has an `Idempotency-Key` header, or if it provably never
            reached the origin. Default: the idempotent ones of RFC 9110, section 9.2.2.
        max_replay: the most bytes that are kept of a body that can be read only once (a
            generator, say), so that it can be sent again. Default: 1 MiB.
        before_sleep: called before each wait; `tenacity.before_sleep_log` works here.

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


def _check_methods(methods: object) -> frozenset[str]:
    if isinstance(methods, (str, bytes)) or not isinstance(methods, Collection):
        raise TypeError(f"methods must be a set such as {{'GET', 'PUT'}}, not {echoed(methods)}")
    for method in methods:
        if not isinstance(method, str):
            raise TypeError(f"methods must be strings such as 'GET', not {echoed(method)}")
    return frozenset(method.upper() for method in methods)


DEFAULT_POLICY = RetryPolicy()


def check_policy(policy: object) -> None:
    """Refuse anything but a policy.

    Raises:
        TypeError: the text says what to write.
    """
    if not isinstance(policy, RetryPolicy):
        raise TypeError(
            f"policy must be a RetryPolicy, not {echoed(policy)}: write RetryPolicy(...)"
        )


def bare_methods(policy: RetryPolicy) -> Collection[str]:
    """The methods whose first attempt under a policy needs no extensions of ours."""
    return policy.methods if policy.deadline is None else frozenset()


def policy_for(extensions: Mapping[str, object], default: RetryPolicy) -> RetryPolicy | None:
    """The policy that a request brings along, None for a single attempt.

    Arguments:
        extensions: those of the request.
        default: the policy of a request that brings none along.

    Raises:
        TypeError: `extensions["retry"]` is neither a policy nor None.
    """
    policy = extensions.get("retry", default)
    if policy is None or isinstance(policy, RetryPolicy):
        return policy
    raise TypeError(
        f'extensions["retry"] must be a RetryPolicy, or None for a single attempt, not {echoed(policy)}'
    )
