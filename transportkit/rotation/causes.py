"""The causes of an error: what fails on this machine, and what a proxy says about a refusal."""

import errno
import re
import socket
from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

from ..redaction.redaction import REDACTION
from ..wire.library import is_a
from .member import Member

# This machine has run out of descriptors, memory or ports.
_EXHAUSTED = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
# The peer cannot be reached from here, or nobody can.
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
# RFC 1928, section 6, in httpcore's words: by a rule of the proxy's, or not its kind of address.
_SOCKS_REFUSALS = ("not allowed by ruleset", "Address type not supported")
_AUTHENTICATION_REQUIRED = "407"
# What every answer has, and which says nothing about a refusal.
_USUAL_HEADERS = re.compile(
    r"age|cache-control|connection|content-.*|date|expires|keep-alive|pragma|proxy-connection"
    r"|server|transfer-encoding|vary|via",
    re.IGNORECASE,
)
# The text of a failure is for people.
_MOST_HEADERS, _MOST_CHARACTERS = 5, 200


def is_exhausted(error: BaseException) -> bool:
    """True if this machine lacks what a connection needs, which is no proxy's fault."""
    found = {*_numbers(error)}
    return bool(found) and found <= _EXHAUSTED


def has_no_route(error: BaseException) -> bool:
    """True if there is no way to the peer from here."""
    return not _NO_ROUTE.isdisjoint(_numbers(error))


def _numbers(error: BaseException) -> Iterator[int]:
    """Those of the system's errors that an error comes from."""
    if isinstance(error, OSError) and error.errno is not None:
        # What came before may be the caller's.
        yield errno.EMFILE if _is_from_lookup(error) else error.errno
    elif isinstance(error, BaseExceptionGroup):
        # anyio and trio try several addresses, and tell of all of them.
        for each in error.exceptions:
            yield from _numbers(each)
    elif (cause := error.__cause__ or error.__context__) is not None:
        yield from _numbers(cause)


def _is_from_lookup(error: OSError) -> bool:
    """True if the system could not look a host up, as without descriptors: that has any number."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    is_from_it = any(frame.f_code.co_name == "getaddrinfo" for frame in frames)
    return is_from_it and not isinstance(error, socket.gaierror)


def refuses_target(error: Exception) -> bool:
    """True if a proxy is not willing to lead to this target, and says nothing about others.

    That is a 4xx answer to a CONNECT (RFC 9110, section 9.3.6), but for a 407, which is about
    the one who asks.
    """
    if not is_a(error, "ProxyError"):
        return False
    status = str(error)[:3]
    if status.isdecimal():
        return status[0] == "4" and status != _AUTHENTICATION_REQUIRED
    return any(refusal in str(error) for refusal in _SOCKS_REFUSALS)


def asks_for_credentials(error: Exception) -> bool:
    """True if a proxy does not know the one who asks for a tunnel."""
    return is_a(error, "ProxyError") and str(error).startswith(_AUTHENTICATION_REQUIRED)


def describe(error: Exception, member: Member) -> str:
    """The text of a failure, with the headers of a refused CONNECT, without credentials."""
    text, name = member.entry.masked(str(error)), type(error).__name__
    extensions: dict[str, Any] = getattr(error, "extensions", {})
    text += explained(extensions.get("proxy_headers") or (), member)
    return f"{name}: {text}" if text else name


def explained(headers: Any, member: Member) -> str:  # noqa: ANN401 - pairs, of bytes
    """The headers by which a proxy explains a refusal, in parentheses; empty without any."""
    written = []
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if not _USUAL_HEADERS.fullmatch(name):
            # Cut last, as a part of a secret would not be known.
            shown = member.entry.masked(f"{name}: {REDACTION.header(name, value)}")
            written.append(shown[:_MOST_CHARACTERS])
    return f" ({'; '.join(written[:_MOST_HEADERS])})" if written else ""
