"""The record of a request's attempts: how each ended, and why no other followed.

An outcome, a response or an error of the library's, has them in its `extensions`. What a
`RetryTransport` has given up on is marked there, so that another one around it does not multiply
the attempts.
"""

import functools
from typing import Any, NamedTuple

from ..wire.library import Request, Response, is_a

# Why no other attempt followed though the policy would have had one.
STOP = "the policy stops here"
WAIT = "the wait would be longer than the policy allows"
DEADLINE = "the deadline comes first"
BUDGET = "the retry budget of the origin is empty"
OFF = "retries are switched off"
BODY = "the body cannot be sent again"
MAY_HAVE_ARRIVED = "the origin may have seen it, and the method is not idempotent"
BENEATH = "a retry transport beneath has given up"
# Another policy would have decided otherwise about the other ones.
_FINAL = (STOP, WAIT, DEADLINE, BUDGET, OFF)
_MARK = "retry_given_up"
_CALL = "retry_call"


class Attempt(NamedTuple):
    """One attempt of a request.

    >>> Attempt(outcome=503, waited=1.5)
    Attempt(outcome=503, waited=1.5, reason=None)

    Attributes:
        outcome: the status code, or the error.
        waited: seconds waited after it, before the next attempt.
        reason: why no other followed although the policy retries such an outcome; None if another
            one did, or if it does not.
    """

    outcome: int | Exception
    waited: float
    reason: str | None = None


@functools.cache
def single_attempt(status_code: int) -> tuple[Attempt]:
    """The attempts of a request whose first outcome is good enough: one object for all of them."""
    return (Attempt(status_code, 0.0),)


def tell(outcome: Response | Exception, attempts: tuple[Attempt, ...], request: Request) -> None:
    """Write into an outcome what was tried.

    Arguments:
        outcome: the last one.
        attempts: all of them.
        request: what was sent.
    """
    extensions = _extensions_of(outcome)
    reason = attempts[-1].reason
    if len(attempts) == 1 and reason in (None, BENEATH):
        # Those of a transport beneath tell more.
        extensions.setdefault("attempts", attempts)
    else:
        extensions["attempts"] = attempts
    if reason in _FINAL:
        # Whose it was: some mocks return one response, or raise one error, again and again.
        extensions[_MARK] = _call_of(request)


def was_given_up(outcome: Response | Exception, request: Request) -> bool:
    """True if a retry transport beneath has given up on a request.

    Arguments:
        outcome: what came from beneath.
        request: what was sent.
    """
    return _extensions_of(outcome).get(_MARK) is _call_of(request)


def mark_call(request: Request) -> dict[str, object]:
    """The extensions by which retry transports beneath know whose request it is.

    None are needed as long as a body is the same object in all layers, as bytes are; any other may
    be recorded or wrapped in each of them.
    """
    return {} if is_a(request.stream, "ByteStream") else {_CALL: _call_of(request)}


def _call_of(request: Request) -> object:
    """An object that the requests which are sent for one another have in common."""
    return request.extensions.get(_CALL, request.stream)


def _extensions_of(outcome: Response | Exception) -> dict[str, Any]:
    if not isinstance(outcome, Exception):
        return outcome.extensions
    if not is_a(outcome, "TransportError"):
        return {}
    extensions: dict[str, Any] = vars(outcome).setdefault("extensions", {})
    return extensions
