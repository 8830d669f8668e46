"""Errors whose class does not say what their cause does."""

import re
import ssl
from collections.abc import Callable

from ..wire.library import Request, is_a, library_of
from ..wire.trace import Watch

# A proxy refuses by a status of HTTP, or as RFC 1928 and 1929 have it, in httpcore's words.
_REFUSED_BY_PROXY = "4[0-9]{2}|Invalid username|Requested .* from|.* connect: .* not (allow|supp)"


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


def is_refused_by_proxy(error: BaseException) -> bool:
    """True if a proxy refuses in a way that asking it again would not change."""
    is_refused = is_a(error, "ProxyError") and re.match(_REFUSED_BY_PROXY, str(error))
    return bool(is_refused) and not getattr(error, "extensions", {}).get("another_proxy")


def is_certificate_error(error: BaseException) -> bool:
    """True if an error comes from a certificate that was not accepted.

    The text of such an error is empty on trio, so its causes are looked at.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        # Errors of other libraries may be causes of each other.
        seen.add(id(cause))
        # httpcore's pool raises `from None`, which leaves only a context. If that is an error of
        # httpx's own, it is another one, which was being handled.
        context = None if is_a(cause.__context__, "HTTPError") else cause.__context__
        cause = cause.__cause__ or context
    return False
