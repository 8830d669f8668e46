"""Failover: one request on its way from member to member.

Decides after each error and each response whether the request goes on with another member, and
whether the last one is ejected. Nothing here sends or sleeps.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from ..wire.library import Request, Response, is_a, library_of
from ..wire.logs import Log
from ..wire.replay import is_repeatable, may_repeat
from .causes import describe, explained, is_exhausted
from .failures import Failure, classify
from .member import Lease, Member
from .proxies import Via
from .ring import point_of
from .rotation import Rotation

R = TypeVar("R", bound=Response)

_logger = Log("transportkit.rotation")

# A proxy answers so for a target that it cannot reach.
_GATEWAY_ERRORS = (502, 503, 504)
# The text of an error lists no more proxies.
_MOST_LISTED = 10
# How often idle connections are closed for one request, as others may take what that frees.
_MOST_ROOMS = 3


class Failover:
    """One request, from its first lease to its last.

    Arguments:
        rotation: the state that all requests share.
        request: the request.
        key: that of its session, None if any member will do.
        lease: the first lease, if it has that already.

    Attributes:
        leases: those that it has had.
    """

    __slots__ = ("_outcomes", "_point", "_request", "_rooms", "_rotation", "_suspects", "leases")

    def __init__(
        self, rotation: Rotation, request: Request, key: object, lease: Lease | None = None
    ) -> None:
        self._rotation = rotation
        self._request = request
        self._point = None if key is None else point_of(key)
        # Nearly all requests need only one lease, and none of these.
        self._suspects: tuple[Lease, ...] = ()
        self._outcomes: tuple[str, ...] = ()
        self._rooms = 0
        self.leases: list[Lease] = [] if lease is None else [lease]

    def acquire(self) -> Lease:
        """Acquire the first lease.

        Raises:
            httpx.ProxyError: no member can be had.
        """
        if (lease := self._acquire_next()) is None:
            raise self._no_member()
        return lease

    def wants_room(self, lease: Lease, error: Exception) -> bool:
        """True if idle connections are to be closed, and the request tried again with its lease.

        Arguments:
            lease: the one that the error came under.
            error: what the member raised.
        """
        request = self._request
        if self._rooms >= _MOST_ROOMS or not is_exhausted(error) or lease.watch.error is error:
            return False
        self._rooms += 1
        is_safe = lease.watch.proves_unsent(error) and is_repeatable(request.stream)
        return is_safe or may_repeat(request)

    def handle_error(self, lease: Lease, error: Exception) -> Lease | None:
        """Judge an error; acquire the next lease, None if the error is to be raised.

        Arguments:
            lease: the one that it came under.
            error: what the member raised.
        """
        member, request = lease.member, self._request
        failure = classify(error, lease.watch, member.entry.via, is_alone=len(member.leases) == 1)
        may_go_on = (
            may_repeat(request) if failure is Failure.FOREIGN else is_repeatable(request.stream)
        )
        is_lost = failure is Failure.FOREIGN and not is_repeatable(request.stream)
        if failure is Failure.CALLER or is_lost:
            # A body that failed to be read is the caller's, too.
            return None
        text = describe(error, member)
        self._outcomes += (f"{member.name} ({text})",)
        if failure not in (Failure.POOL_FULL, Failure.MACHINE):
            self._rotation.pool.report_failure(lease, text)
        self._judge(lease, failure, text)
        following = None
        if may_go_on and failure not in (Failure.MAYBE_SENT, Failure.MACHINE):
            following = self._acquire_next()
        if following is None:
            self._annotate(error, member)
        return following

    def _judge(self, lease: Lease, failure: Failure, text: str) -> None:
        rotation = self._rotation
        if failure in (Failure.PROXY, Failure.FOREIGN):
            self._eject(lease, text)
        elif failure is Failure.TARGET:
            self._ban(lease, text)
        elif failure in (Failure.PROXY_OR_TARGET, Failure.NO_ROUTE):
            self._suspects += (lease,)
        if failure in (Failure.MAYBE_SENT, Failure.FOREIGN):
            rotation.repeats.add(self._request, lease.member)
        if failure in (Failure.MAYBE_SENT, Failure.NO_ROUTE):
            if rotation.pool.is_outlier(lease, self._request.url.host):
                self._eject(lease, text)

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
            text += explained(response.headers.raw, member)
            rotation.pool.report_failure(lease, text)
            self._outcomes += (f"{member.name} ({text})",)
            self._eject(lease, text)
            return self._acquire_next() if is_repeatable(self._request.stream) else None
        host = self._request.url.host if rotation.pool.outliers.runs else ""
        if rotation.pool.report_success(lease, host):
            _logger.info("Proxy %s is back in rotation", member.name)
        if self._suspects and not (status in _GATEWAY_ERRORS and self._may_be_from_proxy(member)):
            for suspect in self._suspects:
                self._eject(suspect, suspect.member.last_error)
            self._suspects = ()
        if banned is not None and banned(response):
            lease.is_ban = True
            self._ban(lease)
            if may_repeat(self._request) and (following := self._acquire_next()) is not None:
                return following
        if status == 429 or status >= 500 or lease.is_ban:
            rotation.repeats.add(self._request, member)
        else:
            rotation.repeats.forget(self._request)
        return None

    def _acquire_next(self) -> Lease | None:
        rotation, pool = self._rotation, self._rotation.pool
        settings = rotation.settings
        if len(self.leases) >= settings.max_tries:
            return None
        tried = [lease.member for lease in self.leases] if self.leases else ()
        avoided = rotation.repeats.avoided(self._request)
        host = self._request.url.host if pool.bans.by_host else ""
        panic = settings.when_all_down == "try"
        lease = pool.acquire(tried, avoided, host, self._point, panic=panic)
        if lease is not None:
            self.leases.append(lease)
        return lease

    def _may_be_from_proxy(self, member: Member) -> bool:
        """True if a response may be the proxy's own, and not the origin's."""
        return member.entry.via is Via.HTTP and self._request.url.scheme == "http"

    def _eject(self, lease: Lease, text: str | None) -> None:
        seconds = self._rotation.pool.eject(lease)
        if seconds is not None:
            name = lease.member.name
            _logger.info("Proxy %s is ejected for %.1f seconds: %s", name, seconds, text)

    def _ban(self, lease: Lease, text: str = "") -> None:
        host = self._request.url.host
        seconds = self._rotation.pool.ban(lease, host)
        if seconds is not None:
            name, why = lease.member.name, f": {text}" if text else ""
            _logger.info("Proxy %s is ejected for %.1f seconds for %s%s", name, seconds, host, why)

    def _annotate(self, error: Any, member: Member) -> None:  # noqa: ANN401 - an error of anybody's
        """Add to an error which proxy it is from, and what became of each try."""
        if is_a(error, "TransportError"):
            error.request = self._request
            vars(error)["extensions"] = {**getattr(error, "extensions", {}), "proxy": member.name}
        outcomes = ", ".join(self._outcomes[:_MOST_LISTED])
        more = len(self._outcomes) - _MOST_LISTED
        error.add_note(f"transportkit: tried {outcomes}{f' and {more} more' if more > 0 else ''}")
        # A retry transport around asks whether it is worth another attempt.
        extensions = vars(error).setdefault("extensions", {})
        extensions["another_proxy"] = len(self.leases) < len(self._rotation.pool)

    def _no_member(self) -> Exception:
        """The error for a request that no member can take."""
        kind = library_of(self._request).ProxyError
        pool, host = self._rotation.pool, self._request.url.host
        statuses = pool.status(_MOST_LISTED)
        if not statuses:
            empty: Exception = kind("there is no proxy left: add one", request=self._request)
            return empty
        now = pool.clock()
        or_banned = f" or banned for {host}" if host in pool.bans.by_host else ""
        error: Exception = kind(f"every proxy is ejected{or_banned}", request=self._request)
        listed = [
            f"{status.proxy} (ejected for {max(status.resting_until - now, 0):.1f} more seconds: "
            f"{status.last_error})"
            if status.resting_until is not None
            else f"{status.proxy} (banned{f': {status.last_error}' if status.last_error else ''})"
            for status in statuses
        ]
        more = len(pool) - len(listed)
        error.add_note(f"transportkit: {', '.join(listed)}{f' and {more} more' if more else ''}")
        return error
