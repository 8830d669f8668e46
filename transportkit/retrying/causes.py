"""Errors whose class does not say what their cause does."""

from collections.abc import Callable

from ..wire.library import Request, is_a, library_of
from ..wire.trace import Watch


def is_unclear(error: Exception) -> bool:
    """True for an error of h2's, which has one class for what it received and for what it sends.

    A GOAWAY and the last answer in one segment, as nginx sends them, is a broken connection; a
    request that HTTP/2 forbids is not.
    """
    causes = getattr(error.__cause__, "args", ())
    return is_a(error, "LocalProtocolError") and any(
        type(cause).__module__.startswith("h2.") for cause in causes
    )


def as_broken(error: Exception, request: Request, watch: Watch | None) -> Exception:
    """An unclear error as that of a connection which broke, unless the request could not be sent.

    Arguments:
        error: the unclear one.
        request: what was sent.
        watch: what was heard of the attempt, None if nobody listened.
    """
    if watch is not None and watch.has_head_failed:
        return error
    made: Exception = library_of(error).RemoteProtocolError(str(error), request=request)
    made.__cause__ = error
    return made


def too_late(kind: Callable[..., Exception], request: Request, deadline: float) -> Exception:
    """The error of an attempt that the deadline has ended.

    Arguments:
        kind: its class, one of a TimeoutException.
        request: what was sent.
        deadline: seconds.
    """
    return kind(f"the deadline of {deadline:g} seconds is over", request=request)
