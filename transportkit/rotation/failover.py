"""Failover: one request on its way from member to member.

Decides after each error and each response whether the request goes on with another member, and
whether the last one is ejected. Nothing here sends or sleeps.
"""

import enum
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from ..wire.library import Request, Response, is_a, library_of
from ..wire.replay import is_repeatable, may_repeat
from ..wire.trace import Watch
from .member import Lease, Member
from .proxies import Via
from .ring import point_of
from .rotation import Rotation

R = TypeVar("R", bound=Response)

_logger = logging.getLogger("transportkit.rotation")

# A proxy answers so for a target that it cannot reach.
_GATEWAY_ERRORS = (502, 503, 504)
# The text of an error lists no more proxies.
_MOST_LISTED = 10


class Failure(enum.Enum):
    """The origin of an error, which decides what becomes of the request and of its member."""

    UNSUPPORTED = "the URL, which no member can send to: the error is raised as it is"
    MAYBE_SENT = "the origin may have seen the request: the error is raised"
    POOL_FULL = "no free connection, nothing was sent: the next member is tried"
    PROXY_OR_TARGET = "not sent: the next member is tried; if it succeeds, this one is ejected"
    PROXY = "not sent: the next member is tried, and this one is ejected"


def classify(error: Exception, watch: Watch, via: Via) -> Failure:
    """The origin of an error.

    Arguments:
        error: a `TransportError` that the member raised.
        watch: what was heard of the wire.
        via: the member's way to the origin.
    """
    if is_a(error, "PoolTimeout"):
        return Failure.POOL_FULL
    if is_a(error, "UnsupportedProtocol"):
        return Failure.UNSUPPORTED
    if not watch.proves_unsent(error):
        return Failure.MAYBE_SENT
    if is_a(error, "ProxyError") and str(error).startswith("407"):
        return Failure.PROXY
    # Without a proxy of ours, the peer that could not be reached may be the target.
    if via in (Via.HTTP, Via.SOCKS) and not watch.reached:
        return Failure.PROXY
    return Failure.PROXY_OR_TARGET


class Failover:
    """One request, from its first lease to its last.

    Arguments:
        rotation: the state that all requests share.
        request: the request.
        key: that of its session, None if any member will do.

    Attributes:
        leases: those that it has had.
    """

    __slots__ = ("_host", "_outcomes", "_point", "_request", "_rotation", "_suspects", "leases")

    def __init__(self, rotation: Rotation, request: Request, key: object) -> None:
        self._rotation = rotation
        self._request = request
        self._point = None if key is None else point_of(key)
        self._host = "" if rotation.settings.banned is None else request.url.host
        # Nearly all requests need only one lease, and neither of these.
        self._suspects: tuple[Lease, ...] = ()
        self._outcomes: tuple[str, ...] = ()
        self.leases: list[Lease] = []

    def acquire(self) -> Lease:
        """Acquire the first lease.

        Raises:
            httpx.ProxyError: no member can be had.
        """
        if (lease := self._acquire_next()) is None:
            raise self._no_member()
        return lease

    def handle_error(self, lease: Lease, error: Exception) -> Lease | None:
        """Judge an error; acquire the next lease, None if the error is to be raised.

        Arguments:
            lease: the one that it came under.
            error: what the member raised.
        """
        # A caller's trace may raise anything, and so may a bug.
        if not is_a(error, "TransportError"):
            return None
        member = lease.member
        failure = classify(error, lease.watch, member.entry.via)
        if failure is Failure.UNSUPPORTED:
            return None
        text = _describe(error, member)
        self._outcomes += (f"{member.entry.name} ({text})",)
        following = None
        if failure is not Failure.POOL_FULL:
            self._rotation.pool.report_failure(lease, text)
        if failure is Failure.PROXY:
            self._eject(lease, text)
        elif failure is Failure.PROXY_OR_TARGET:
            self._suspects += (lease,)
        if failure is Failure.MAYBE_SENT:
            self._remember_failure(member)
        elif is_repeatable(self._request.stream):
            following = self._acquire_next()
        if following is None:
            self._annotate(error)
        return following

    def handle_response(
        self, lease: Lease, response: R, banned: Callable[[R], object] | None
    ) -> Lease | None:
        """Judge a response; acquire the next lease, None if the response is to be returned.

        Arguments:
            lease: the one that it came under.
            response: the response, unread.
            banned: the user's own judgement.
        """
        rotation, member, status = self._rotation, lease.member, response.status_code
        # Inside of a tunnel a 407 is the origin's own.
        if status == 407 and self._may_be_from_proxy(member):
            text = member.entry.masked(f"407 {response.reason_phrase}")
            rotation.pool.report_failure(lease, text)
            self._outcomes += (f"{member.entry.name} ({text})",)
            self._eject(lease, text)
            return self._acquire_next() if is_repeatable(self._request.stream) else None
        if rotation.pool.report_success(lease):
            _logger.info("Proxy %s is back in rotation", member.entry.name)
        if self._suspects and not (status in _GATEWAY_ERRORS and self._may_be_from_proxy(member)):
            for suspect in self._suspects:
                self._eject(suspect, suspect.member.last_error)
            self._suspects = ()
        if banned is not None and banned(response):
            self._ban(lease)
            if may_repeat(self._request) and (following := self._acquire_next()) is not None:
                return following
        if status == 429 or status >= 500:
            self._remember_failure(member)
        elif rotation.has_failed:
            rotation.failed_through.pop(self._request.stream, None)
        return None

    def _acquire_next(self) -> Lease | None:
        rotation = self._rotation
        settings = rotation.settings
        if len(self.leases) >= settings.max_tries:
            return None
        tried = [lease.member for lease in self.leases] if self.leases else ()
        avoided = (
            rotation.failed_through.get(self._request.stream, ()) if rotation.has_failed else ()
        )
        panic = settings.when_all_down == "try"
        lease = rotation.pool.acquire(tried, avoided, self._host, self._point, panic=panic)
        if lease is not None:
            self.leases.append(lease)
        return lease

    def _may_be_from_proxy(self, member: Member) -> bool:
        """True if a response may be the proxy's own, and not the origin's."""
        return member.entry.via is Via.HTTP and self._request.url.scheme == "http"

    def _remember_failure(self, member: Member) -> None:
        self._rotation.has_failed = True
        members = self._rotation.failed_through.setdefault(self._request.stream, [])
        if member not in members:
            members.append(member)

    def _eject(self, lease: Lease, text: str | None) -> None:
        seconds = self._rotation.pool.eject(lease)
        if seconds is not None:
            name = lease.member.entry.name
            _logger.info("Proxy %s is ejected for %.1f seconds: %s", name, seconds, text)

    def _ban(self, lease: Lease) -> None:
        seconds = self._rotation.pool.ban(lease, self._host)
        if seconds is not None:
            name, host = lease.member.entry.name, self._host
            _logger.info("Proxy %s is ejected for %.1f seconds for %s", name, seconds, host)

    def _annotate(self, error: Any) -> None:  # noqa: ANN401 - an error of either library
        """Add to an error what became of each try."""
        error.request = self._request
        outcomes = ", ".join(self._outcomes[:_MOST_LISTED])
        more = len(self._outcomes) - _MOST_LISTED
        error.add_note(f"transportkit: tried {outcomes}{f' and {more} more' if more > 0 else ''}")
        # A retry transport around asks whether it is worth another attempt.
        extensions = vars(error).setdefault("extensions", {})
        extensions["another_proxy"] = len(self.leases) < len(self._rotation.pool)

    def _no_member(self) -> Exception:
        """The error for a request that no member can take."""
        kind = library_of(self._request).ProxyError
        pool = self._rotation.pool
        statuses = pool.status(_MOST_LISTED)
        if not statuses:
            empty: Exception = kind("there is no proxy left: add one", request=self._request)
            return empty
        now = pool.clock()
        or_banned = f" or banned for {self._host}" if self._host else ""
        error: Exception = kind(f"every proxy is ejected{or_banned}", request=self._request)
        listed = [
            f"{status.proxy} (ejected for {max(status.resting_until - now, 0):.1f} more seconds: "
            f"{status.last_error})"
            if status.resting_until is not None
            else f"{status.proxy} (banned)"
            for status in statuses
        ]
        more = len(pool) - len(listed)
        error.add_note(f"transportkit: {', '.join(listed)}{f' and {more} more' if more else ''}")
        return error


def _describe(error: Exception, member: Member) -> str:
    text = member.entry.masked(str(error))
    name = type(error).__name__
    return f"{name}: {text}" if text else name
