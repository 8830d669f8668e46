"""Failures: who is to blame for an error, which decides what becomes of the request and its member."""

import enum

from ..wire.library import is_a, is_unclear, library_name
from ..wire.trace import Watch
from .causes import asks_for_credentials, has_no_route, is_exhausted, refuses_target
from .proxies import Via


class Failure(enum.Enum):
    """The origin of an error, which decides what becomes of the request and of its member."""

    CALLER = "the caller, or the URL: the error is raised as it is"
    MACHINE = "this machine, which lacks descriptors or ports: the error is raised"
    MAYBE_SENT = "the origin may have seen the request: the error is raised"
    POOL_FULL = "no free connection, nothing was sent: the next member is tried"
    TARGET = (
        "not sent, the proxy refuses the target: the next is tried, this one rests for the host"
    )
    PROXY_OR_TARGET = "not sent: the next member is tried; if it succeeds, this one is ejected"
    NO_ROUTE = "the same, and after several in a row it is ejected though no request went on"
    PROXY = "not sent: the next member is tried, and this one is ejected"
    FOREIGN = "unknown, of a ready transport: ejected; what is safe to repeat goes to the next"


def classify(error: Exception, watch: Watch, via: Via, *, is_alone: bool = False) -> Failure:  # noqa: PLR0911 - one for each
    """The origin of an error.

    Arguments:
        error: what the member raised.
        watch: what was heard of the wire.
        via: the member's way to the origin.
        is_alone: True if the member has no other request in flight.
    """
    is_refused = is_a(error, "LocalProtocolError", "UnsupportedProtocol") and not is_unclear(error)
    if watch.error is error or is_refused:
        return Failure.CALLER
    if is_exhausted(error):
        return Failure.MACHINE
    if not is_a(error, "TransportError"):
        # Most of the library's are about the use that is made of it.
        is_foreign = not library_name(error) or is_a(error, "RequestError")
        return Failure.FOREIGN if is_foreign and via is Via.READY else Failure.CALLER
    if is_a(error, "PoolTimeout"):
        # With nothing in flight, connections are lost that nobody has.
        return Failure.PROXY_OR_TARGET if is_alone else Failure.POOL_FULL
    if not watch.proves_unsent(error):
        return Failure.MAYBE_SENT
    if asks_for_credentials(error):
        return Failure.PROXY
    if refuses_target(error):
        return Failure.TARGET
    # Without a proxy of ours, the peer that could not be reached may be the target.
    if via in (Via.HTTP, Via.SOCKS) and not watch.reached:
        return Failure.NO_ROUTE if has_no_route(error) else Failure.PROXY
    return Failure.PROXY_OR_TARGET
