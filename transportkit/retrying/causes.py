"""Errors whose class does not say what their cause does."""

from collections.abc import Callable

from ..wire.library import Request, library_of
from ..wire.trace import Watch


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
