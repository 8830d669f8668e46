"""One request on its way from proxy to proxy: again with another one or not, and who rests.

Nothing here sends or sleeps.
"""

import logging
from typing import Any, Generic, TypeVar

from ..wire.library import Request, Response, is_a, library_of
from ..wire.replay import IDEMPOTENT_METHODS, AsyncReplayBody, ReplayBody, is_repeatable
from .health import Verdict, Via, verdict
from .members import Member, Turn
from .pool import Rotation
from .ring import point_of

T = TypeVar("T")

_logger = logging.getLogger("transportkit.rotation")

# What a proxy says of a target that it cannot reach.
_TARGET_IS_DOWN = (502, 503, 504)
# In the text of an error no more proxies are listed.
_MOST_LISTED = 10


class Call(Generic[T]):
    """One request, from its first proxy to its last.

    Arguments:
        rotation: what all requests share.
        request: what is sent.

    Attributes:
        turns: those it has had.
    """

    __slots__ = (
        "_host",
        "_point",
        "_request",
        "_rotation",
        "_said",
        "_suspects",
        "turns",
    )

    def __init__(self, rotation: Rotation[T], request: Request) -> None:
        self._rotation = rotation
        self._request = request
        settings = rotation.settings
        key = None if settings.sticky is None else settings.sticky(request)
        self._point = None if key is None else point_of(key)
        self._host = "" if settings.banned is None else request.url.host
        # Nearly all requests need only one turn, and neither of these.
        self._suspects: tuple[Turn[T], ...] = ()
        self._said: tuple[str, ...] = ()
        self.turns: list[Turn[T]] = []

    def first(self) -> Turn[T]:
        """The first turn.

        Raises:
            httpx.ProxyError: nobody can take it.
        """
        if (turn := self._next()) is None:
            raise self._nobody()
        return turn

    def after_error(self, turn: Turn[T], error: Exception) -> Turn[T] | None:
        """The next turn, None when this error is to come back.

        Arguments:
            turn: the one that has ended.
            error: what it ended in.
        """
        # A caller's trace may raise anything, and so may a bug.
        if not is_a(error, "TransportError"):
            return None
        member = turn.member
        found = verdict(error, turn.watch, member.entry.via)
        if found is Verdict.UNSENDABLE:
            return None
        said = _in_words(error, member)
        self._said += (f"{member.entry.name} ({said})",)
        following = None
        if found is not Verdict.BLAMELESS:
            self._rotation.roster.failed(turn, said)
        if found is Verdict.GUILTY:
            self._rest(turn, said)
        elif found is Verdict.SUSPECTED:
            self._suspects += (turn,)
        if found is Verdict.SENT:
            self._was_in_vain(member)
        elif can_repeat(self._request.stream):
            following = self._next()
        if following is None:
            self._tell(error)
        return following

    def after_response(self, turn: Turn[T], response: Response) -> Turn[T] | None:
        """The next turn, None when this response is to be returned.

        Arguments:
            turn: the one that has ended.
            response: what it ended in.
        """
        rotation, member, status = self._rotation, turn.member, response.status_code
        # Inside of a tunnel a 407 is the origin's own.
        if status == 407 and self._is_from_proxy(member):
            said = member.entry.masked(f"407 {response.reason_phrase}")
            rotation.roster.failed(turn, said)
            self._said += (f"{member.entry.name} ({said})",)
            self._rest(turn, said)
            return self._next() if can_repeat(self._request.stream) else None
        if rotation.roster.succeeded(turn):
            _logger.info("Proxy %s is back", member.entry.name)
        if self._suspects and not (status in _TARGET_IS_DOWN and self._is_from_proxy(member)):
            for suspect in self._suspects:
                self._rest(suspect, suspect.member.last_error)
            self._suspects = ()
        banned = rotation.settings.banned
        if banned is not None and banned(response):
            self._ban(turn)
            if self._may_repeat() and (following := self._next()) is not None:
                return following
        if status == 429 or status >= 500:
            self._was_in_vain(member)
        elif rotation.has_failed:
            rotation.in_vain.pop(self._request, None)
        return None

    def _next(self) -> Turn[T] | None:
        rotation = self._rotation
        settings = rotation.settings
        if len(self.turns) >= settings.max_tries:
            return None
        tried = [turn.member for turn in self.turns] if self.turns else ()
        avoided = rotation.in_vain.get(self._request, ()) if rotation.has_failed else ()
        is_patient = settings.when_all_down == "try"
        turn = rotation.roster.take(
            tried, avoided, self._host, self._point, even_resting=is_patient
        )
        if turn is not None:
            self.turns.append(turn)
        return turn

    def _is_from_proxy(self, member: Member[T]) -> bool:
        """Whether a response may be that of the proxy, and not the origin's."""
        return member.entry.via is Via.HTTP and self._request.url.scheme == "http"

    def _may_repeat(self) -> bool:
        """Whether a request that was answered may be sent again."""
        request = self._request
        is_idempotent = request.method in IDEMPOTENT_METHODS or "Idempotency-Key" in request.headers
        return is_idempotent and can_repeat(request.stream)

    def _was_in_vain(self, member: Member[T]) -> None:
        self._rotation.has_failed = True
        members = self._rotation.in_vain.setdefault(self._request, [])
        if member not in members:
            members.append(member)

    def _rest(self, turn: Turn[T], said: str | None) -> None:
        seconds = self._rotation.roster.rest(turn)
        if seconds is not None:
            name = turn.member.entry.name
            _logger.info("Proxy %s rests for %.1f seconds: %s", name, seconds, said)

    def _ban(self, turn: Turn[T]) -> None:
        seconds = self._rotation.roster.ban(turn, self._host)
        if seconds is not None:
            name = turn.member.entry.name
            _logger.info("Proxy %s rests for %.1f seconds for %s", name, seconds, self._host)

    def _tell(self, error: Any) -> None:
        """Say what each proxy said."""
        error.request = self._request
        more = len(self._said) - _MOST_LISTED
        said = ", ".join(self._said[:_MOST_LISTED])
        error.add_note(f"transportkit: tried {said}{f' and {more} more' if more > 0 else ''}")

    def _proxy_error(self, text: str) -> Exception:
        error: Exception = library_of(self._request).ProxyError(text, request=self._request)
        return error

    def _nobody(self) -> Exception:
        statuses = self._rotation.roster.status(_MOST_LISTED)
        if not statuses:
            return self._proxy_error("there is no proxy left: add one")
        now = self._rotation.roster.clock()
        or_banned = f" or is banned for {self._host}" if self._host else ""
        error = self._proxy_error(f"every proxy rests{or_banned}")
        listed = [
            f"{status.proxy} (rests for {max(status.resting_until - now, 0):.1f} seconds: "
            f"{status.last_error})"
            if status.resting_until is not None
            else f"{status.proxy} (banned)"
            for status in statuses
        ]
        more = len(self._rotation.roster) - len(listed)
        error.add_note(f"transportkit: {', '.join(listed)}{f' and {more} more' if more else ''}")
        return error


def can_repeat(stream: object) -> bool:
    """Whether the body of a request can be sent again, whole."""
    if isinstance(stream, (ReplayBody, AsyncReplayBody)):
        return stream.can_repeat
    return is_repeatable(stream)


def _in_words(error: Exception, member: Member[T]) -> str:
    text = member.entry.masked(str(error))
    name = type(error).__name__
    return f"{name}: {text}" if text else name
