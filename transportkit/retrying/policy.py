"""`RetryPolicy`: the user's decisions on when to try again, and after how long."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import TYPE_CHECKING

from ..redaction.redaction import echoed
from ..wire.advising import advising
from ..wire.arguments import check_count, check_flag, check_number
from ..wire.replay import IDEMPOTENT_METHODS
from .budget import DEFAULT_BUDGET, RetryBudget
from .combining import (
    AnyOf,
    Combination,
    Predicate,
    Wait,
    check_strategy,
    has_coroutine_function,
)
from .notation import written
from .strategies import retry_if_status, retry_if_transport_error, wait_retry_after

if TYPE_CHECKING:
    from tenacity import RetryCallState


def stop_after_four_attempts(retry_state: "RetryCallState") -> bool:
    """The default of `RetryPolicy.stop`."""
    return retry_state.attempt_number >= 4


@advising(
    max_attempts="stop=tenacity.stop_after_attempt(...)",
    attempts="stop=tenacity.stop_after_attempt(...)",
    max_retries="stop=tenacity.stop_after_attempt(1 + ...)",
    total="stop=tenacity.stop_after_attempt(1 + ...)",
    retries="stop=tenacity.stop_after_attempt(1 + ...)",
    status_codes="retry=retry_if_status(503, ...) | retry_if_transport_error()",
    statuses="retry=retry_if_status(503, ...) | retry_if_transport_error()",
    status_forcelist="retry=retry_if_status(503, ...) | retry_if_transport_error()",
    retry_on="retry=retry_if_status(503, ...) | retry_if_transport_error()",
    backoff="wait=tenacity.wait_exponential(...)",
    backoff_factor="wait=tenacity.wait_exponential(multiplier=...)",
    timeout="deadline=...",
    allowed_methods="methods=...",
    retryable_methods="methods=...",
    budget="RetryTransport(policy=..., budget=...)",
)
@dataclass(frozen=True, repr=False)
class RetryPolicy:
    """The rules for sending a request again, written with tenacity's strategies.

    A strategy is called with tenacity's `RetryCallState`: its `outcome` holds the
    `httpx.Response` or the exception, and `args[0]` is the request.

    Arguments:
        retry: true for an outcome that is worth another attempt. One of your own is asked about
            every outcome, a 200 too, but for a 101; it may read the body of the response, which
            the caller then gets as it was read: `iter_raw` raises StreamConsumed, and `elapsed`
            is not set. If the body breaks, it is asked about that error. In the async transports
            it may be a coroutine function, also within `|` and `&` with those of this library or
            of `tenacity.asyncio`. Default: status 429, 502, 503 or 504, or a transport error that
            another attempt may mend.
        stop: true when it has been enough. Default: after four attempts.
        wait: seconds before the next attempt. Default: what the server asks for, up to 120
            seconds, or else exponentially more, with jitter, up to 30.
        deadline: seconds for the call up to the returned response. No sleep passes it. The async
            transports end at it whatever is going on. The sync one bounds each operation, as the
            request's own timeouts do, and so not the look-up of a name, a host with several dead
            addresses (each has what is left), a peer that drips bytes, or what a transport
            beneath does by itself, such as the `retries` of a `httpx.HTTPTransport`. The body of
            the response is read under the request's own timeouts. Default: none.
        methods: those that may be repeated after the request has left. Any other is repeated
            only if the request has an `Idempotency-Key` header, or if it provably never
            reached the origin. Default: the idempotent ones of RFC 9110, section 9.2.2.
        max_replay: the most bytes that are kept of a body that can be read only once (a
            generator, say), so that it can be sent again. Default: 1 MiB.
        before_sleep: called before each wait; `tenacity.before_sleep_log` works here.
        repeats_given_up: True to repeat also what a retry transport beneath has given up on, by
            its `stop`, its budget, its deadline or the longest wait. The attempts of both are then
            multiplied. Default: False.

    Raises:
        TypeError: a strategy that cannot be called with a `RetryCallState`, is a class, or is a
            coroutine function (but for `retry`); methods in one string.
        ValueError: a number that is negative.

    Attributes:
        asks_about_successes: true if `retry` is asked about responses below 400.

    >>> import tenacity
    >>> policy = RetryPolicy(
    ...     retry=retry_if_status(500, 503),
    ...     stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(20),
    ...     wait=tenacity.wait_fixed(1) + tenacity.wait_random(0, 1),
    ...     deadline=30,
    ... )
    """

    retry: Predicate = retry_if_status(429, 502, 503, 504) | retry_if_transport_error()
    _: KW_ONLY
    stop: Predicate = stop_after_four_attempts
    wait: Wait = wait_retry_after()
    deadline: float | None = None
    methods: Collection[str] = IDEMPOTENT_METHODS
    max_replay: int = 1024 * 1024
    before_sleep: Callable[["RetryCallState"], object] | None = None
    repeats_given_up: bool = False
    asks_about_successes: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, example in (
            ("retry", "retry_if_status(503)"),
            ("stop", "tenacity.stop_after_attempt(4)"),
            ("wait", "tenacity.wait_fixed(1)"),
            ("before_sleep", "tenacity.before_sleep_log(logger, logging.INFO)"),
        ):
            if getattr(self, name) is not None or name != "before_sleep":
                strategy = getattr(self, name)
                check_strategy(name, strategy, example, may_be_async=name == "retry")
        if self.deadline is not None:
            check_number("deadline", self.deadline, "seconds", positive=True)
        check_count("max_replay", self.max_replay, "bytes")
        check_flag("repeats_given_up", self.repeats_given_up)
        object.__setattr__(self, "asks_about_successes", _asks_about_successes(self.retry))
        object.__setattr__(self, "methods", _check_methods(self.methods))

    def __repr__(self) -> str:
        given = [f"{name}={text}" for name, text in self._differences().items()]
        return f"RetryPolicy({', '.join(given)})"

    def _differences(self) -> dict[str, str]:
        """The arguments that differ from the defaults, as one would write them."""
        return {
            each.name: written(getattr(self, each.name))
            for each in fields(self)
            if each.init and getattr(self, each.name) != each.default
        }


def settings(policy: RetryPolicy, budget: RetryBudget | None) -> str:
    """The differences from the defaults, in a few words; empty if nothing does.

    >>> import tenacity
    >>> stop = tenacity.stop_after_attempt(3)
    >>> settings(RetryPolicy(retry_if_status(503), stop=stop, deadline=30), None)
    '3 attempts on 503, deadline=30, budget=None'
    """
    given = policy._differences()
    attempts = re.fullmatch(r"stop_after_attempt\((\d+)\)", given.get("stop", ""))
    statuses = re.fullmatch(r"retry_if_status\(([\d, ]+)\)", given.get("retry", ""))
    words = []
    if attempts is not None:
        words.append(f"{attempts[1]} attempts")
        del given["stop"]
    if statuses is not None:
        words.append(f"on {statuses[1]}")
        del given["retry"]
    if budget != DEFAULT_BUDGET:
        given["budget"] = repr(budget)
    return ", ".join(filter(None, [" ".join(words), *map("=".join, given.items())]))


def _asks_about_successes(predicate: object) -> bool:
    if isinstance(predicate, Combination):
        return any(map(_asks_about_successes, predicate.predicates))
    if isinstance(predicate, retry_if_status):
        return predicate.asks_about_successes
    return not isinstance(predicate, retry_if_transport_error)


def _check_methods(methods: object) -> frozenset[str]:
    if isinstance(methods, (str, bytes)) or not isinstance(methods, Collection):
        raise TypeError(
            "methods must be a set such as {*RetryPolicy().methods, 'POST'}, not "
            f"{echoed(methods)}"
        )
    for method in methods:
        if not isinstance(method, str):
            raise TypeError(f"methods must be strings such as 'GET', not {echoed(method)}")
    return frozenset(method.upper() for method in methods)


DEFAULT_POLICY = RetryPolicy()
# Nothing of a body need be kept for another.
SINGLE_ATTEMPT = RetryPolicy(AnyOf(), max_replay=0)


def check_policy(policy: object, kind: type) -> None:
    """Refuse anything but a policy, and in sync transports one with a coroutine function.

    Arguments:
        policy: what was given for it.
        kind: `BaseTransport` or `AsyncBaseTransport`, as the transport is.

    Raises:
        TypeError: the text says what to write.
    """
    if not isinstance(policy, RetryPolicy):
        raise TypeError(
            f"policy must be a RetryPolicy, not {echoed(policy)}: write RetryPolicy(...)"
        )
    if kind.__name__ == "BaseTransport" and has_coroutine_function(policy.retry):
        raise TypeError(
            "retry must not be a coroutine function in RetryTransport, which cannot await it: "
            "write a plain function, or use AsyncRetryTransport"
        )


def check_connects(options: Mapping[str, object]) -> None:
    """Refuse `retries`, which look like a policy, and would multiply with one.

    Arguments:
        options: the arguments of `httpx.HTTPTransport` that a retry transport was given.

    Raises:
        TypeError: the text says what to write.
    """
    if retries := options.get("retries"):
        raise TypeError(
            "retries is for failed connects alone, which a RetryTransport repeats itself: write "
            f"policy=RetryPolicy(stop=tenacity.stop_after_attempt(1 + {echoed(retries)}))"
        )


def bare_methods(policy: RetryPolicy) -> Collection[str]:
    """The methods of which a response below 400 is nothing that a policy has a say in."""
    is_bare = policy.deadline is None and not policy.asks_about_successes
    return policy.methods if is_bare else frozenset()


def policy_for(extensions: Mapping[str, object], default: RetryPolicy, kind: type) -> RetryPolicy:
    """The policy that a request brings along.

    Arguments:
        extensions: those of the request.
        default: the policy of a request that brings none along.
        kind: `BaseTransport` or `AsyncBaseTransport`, as the transport is.

    Raises:
        TypeError: `extensions["retry"]` is neither a policy for such a transport nor None.
    """
    policy = extensions.get("retry", default)
    if policy is None:
        return SINGLE_ATTEMPT
    if policy is default:
        return default
    if not isinstance(policy, RetryPolicy):
        raise TypeError(
            'extensions["retry"] must be a RetryPolicy, or None for a single attempt, '
            f"not {echoed(policy)}"
        )
    check_policy(policy, kind)
    return policy
