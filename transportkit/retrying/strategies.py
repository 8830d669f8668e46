"""Strategies in tenacity's form: which outcomes to retry, and how long to wait.

They combine with tenacity's own by `|`, `&` and `+`. They do not inherit from its classes,
because tenacity takes longer to import than the rest of this library, and most programs never
see a first attempt fail.
"""

import email.utils
import functools
import math
import re
import time
from collections.abc import Collection
from datetime import UTC
from typing import TYPE_CHECKING, Never

from ..redaction.redaction import echoed
from ..wire.advising import advising
from ..wire.arguments import check_number
from ..wire.library import Headers, Name, Response, is_a
from .causes import is_certificate_error, is_refused_by_proxy
from .combining import Condition, Strategy, Sum, Wait, check_strategy
from .notation import written

if TYPE_CHECKING:
    from tenacity import RetryCallState

_LONGEST = 120.0
_SECONDS = r"[0-9]+(\.[0-9]+)?"
_DAY = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
# A second attempt cannot mend them, or would add to a load that is too high already.
_HOPELESS: tuple[Name, ...] = ("UnsupportedProtocol", "LocalProtocolError", "PoolTimeout")


@advising(
    status="retry_if_status(503)",
    status_code="retry_if_status(503)",
    status_codes="retry_if_status(503, 504)",
)
class retry_if_status(Condition):
    """Retry when the response has one of these status codes.

    Attributes:
        asks_about_successes: true if one of them is below 400.

    Arguments:
        status_codes: 200 or above, such as 503, or the 202 of an answer that is not ready yet.

    Raises:
        TypeError: status codes in a list, or as strings.
        ValueError: no status code, or one of no response that could be repeated.

    >>> import tenacity
    >>> either = retry_if_status(429, 503) | tenacity.retry_if_exception_type(TimeoutError)
    """

    def __init__(self, *status_codes: int) -> None:
        if not status_codes:
            raise ValueError("retry_if_status needs status codes: write retry_if_status(503)")
        for status_code in status_codes:
            if isinstance(status_code, Collection) and not isinstance(status_code, str):
                raise TypeError(
                    "status codes are given one after the other: write "
                    f"retry_if_status(*{echoed(status_code)})"
                )
            if not isinstance(status_code, int):
                raise TypeError(
                    f"a status code must be a number, not {echoed(status_code)}: write "
                    "retry_if_status(503)"
                )
            if not 200 <= status_code <= 599:
                raise ValueError(
                    f"status code {status_code!r} is not that of a final response: write 200 to 599"
                )
        self._status_codes = frozenset(status_codes)
        self.asks_about_successes: bool = min(status_codes) < 400

    def __call__(self, retry_state: "RetryCallState") -> bool:
        response, _ = response_or_error(retry_state)
        return response is not None and response.status_code in self._status_codes

    def __repr__(self) -> str:
        return f"retry_if_status({', '.join(map(str, sorted(self._status_codes)))})"


class retry_if_transport_error(Condition):
    """Retry when the request failed on the wire in a way that another attempt may mend.

    These are all `httpx.TransportError`s but UnsupportedProtocol, LocalProtocolError,
    PoolTimeout, those of a certificate that was not accepted, and a ProxyError by which a proxy
    refuses to make a tunnel, with a status from 400 to 499 or, with SOCKS, for a password or a
    rule: the same credentials will not do the next time either. If its
    `extensions["another_proxy"]` is true, another one is left to try.

    >>> retry_if_transport_error() | retry_if_status(503)
    retry_if_transport_error() | retry_if_status(503)
    """

    def __init__(self, *kinds: Never) -> None:
        if kinds:
            raise TypeError(
                "retry_if_transport_error has no arguments: for errors of some kinds alone, write "
                "tenacity.retry_if_exception_type(...)"
            )

    def __call__(self, retry_state: "RetryCallState") -> bool:
        _, error = response_or_error(retry_state)
        return (
            error is not None
            and is_a(error, "TransportError")
            and not is_a(error, *_HOPELESS)
            and not is_certificate_error(error)
            and not is_refused_by_proxy(error)
        )

    def __repr__(self) -> str:
        return "retry_if_transport_error()"


@advising(maximum="max=...", max_wait="max=...", wait="fallback=...", default="fallback=...")
class wait_retry_after(Strategy):
    """Wait as long as the server asks for.

    Reads `retry-after-ms`, then `Retry-After` as seconds or as a date (RFC 9110, section
    10.2.3). Of several values the largest counts. If the server asks for more than `max`, there is no retry: one that comes earlier
    than it asked would only add to its load.

    Arguments:
        fallback: the wait strategy if the server asks for nothing, or for nonsense. Default:
            tenacity's `wait_random_exponential(multiplier=0.5, max=30)`.
        max: seconds.

    Raises:
        TypeError: a fallback that is not a strategy for `RetryPolicy.wait` either.
        ValueError: `max` is not positive.

    >>> import tenacity
    >>> from transportkit import RetryPolicy
    >>> policy = RetryPolicy(wait=wait_retry_after(tenacity.wait_fixed(2), max=10))
    """

    def __init__(self, fallback: Wait | None = None, max: float = _LONGEST) -> None:
        if fallback is not None:
            check_strategy("fallback", fallback, "tenacity.wait_fixed(2)")
        check_number("max", max, "seconds", positive=True)
        self._fallback = fallback
        self._max = max

    def __call__(self, retry_state: "RetryCallState") -> float:
        response, _ = response_or_error(retry_state)
        asked = None if response is None else retry_after(response.headers, time.time())
        if asked is None:
            return (self._fallback or _exponential_jitter())(retry_state)
        return asked if asked <= self._max else math.inf

    def __add__(self, other: Wait) -> "Sum":
        return Sum(self, other)

    def __radd__(self, other: Wait | int) -> "Sum":
        # sum() begins with 0.
        return Sum(self) if isinstance(other, int) else Sum(other, self)

    def __repr__(self) -> str:
        arguments = [] if self._fallback is None else [written(self._fallback)]
        arguments += [] if self._max == _LONGEST else [f"max={self._max:g}"]
        return f"wait_retry_after({', '.join(arguments)})"


@functools.cache
def _exponential_jitter() -> Wait:
    from tenacity import wait_random_exponential

    return wait_random_exponential(multiplier=0.5, max=30)


def retry_after(headers: Headers, now: float) -> float | None:
    """The seconds that a server asks to wait, None if it does not, or asks nonsense.

    >>> import httpx
    >>> retry_after(httpx.Headers({"Retry-After": "1.5"}), now=0)
    1.5
    >>> retry_after(httpx.Headers({"Retry-After": "Thu, 01 Jan 1970 00:00:30 GMT"}), now=10)
    20.0
    """
    values = _values(headers, "retry-after-ms")
    if milliseconds := [float(value) for value in values if re.fullmatch(_SECONDS, value)]:
        return max(milliseconds) / 1000
    seconds = [_seconds(value, now) for value in _values(headers, "Retry-After")]
    return max((each for each in seconds if each is not None), default=None)


def _values(headers: Headers, name: str) -> list[str]:
    """The values of a header, which may be given more than once, or as a list."""
    values: list[str] = []
    for part in ",".join(headers.get_list(name)).split(","):
        if values and re.fullmatch(_DAY, values[-1], re.IGNORECASE):
            # The comma of a date.
            values[-1] += f",{part}"
        else:
            values.append(part.strip())
    return values


def _seconds(value: str, now: float) -> float | None:
    if re.fullmatch(_SECONDS, value):
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
        # One of the three forms names no zone; all are GMT (RFC 9110, section 5.6.7).
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def is_obeyed(outcome: Response | Exception, wait: float) -> bool:
    """True for a 429 that says when to come back, and a wait that is as long."""
    if isinstance(outcome, Exception) or outcome.status_code != 429:
        return False
    asked = retry_after(outcome.headers, time.time())
    return asked is not None and wait >= asked


def response_or_error(
    retry_state: "RetryCallState",
) -> tuple[Response | None, BaseException | None]:
    """The response or the error of an outcome, with None for the other."""
    # That of our own state, which makes a Future only for others.
    ended_in = getattr(retry_state, "ended_in", None)
    if ended_in is not None:
        return (None, ended_in) if isinstance(ended_in, BaseException) else (ended_in, None)
    outcome = retry_state.outcome
    if outcome is None:
        return None, None
    if outcome.failed:
        return None, outcome.exception()
    response: Response = outcome.result()
    return response, None
