# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""What every attempt of one request is sent with.

Each attempt has extensions of its own. What has to be told to httpcore2, or taken back later,
goes in there; the caller's are never changed.
"""

from collections.abc import Mapping

import httpx2

from ..retrying.deadline import LiveTimeouts
from ..retrying.policy import RetryPolicy
from ..wire.io import DRAIN_SECONDS
from ..wire.replay import is_repeatable
from ..wire.trace import AsyncSentWatch, SentWatch
from .streams import AsyncReplayStream, ReplayStream


class Sending:
    """What every attempt of one request is sent with.

    Arguments:
        policy: the user's decisions.
        request: what is sent, as the caller gave it. A body that can be read only once is
            recorded.
        started: when the first attempt began, by `time.monotonic`.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        request: httpx2.Request,
        started: float,
    ) -> None:
        self.policy: RetryPolicy = policy
        self.started: float = started
        self.watch: SentWatch | None = None
        self.replay: ReplayStream | None = None
        self._extensions = request.extensions
        self._stream = request.stream
        self._is_watched = request.method not in policy.methods
        if not is_repeatable(request.stream):
            request.stream = self.replay = ReplayStream(request.stream, policy.max_replay)

    def extensions(self) -> dict[str, object]:
        """The extensions of one attempt, over those that the caller gave."""
        own = dict(self._extensions)
        if self._is_watched:
            # A new one each time: an attempt without events proves nothing, whatever came before.
            own["trace"] = self.watch = SentWatch(self._extensions.get("trace"))
        if self.policy.deadline is not None:
            deadline = self.started + self.policy.deadline
            own["timeout"] = LiveTimeouts(deadline, timeouts_of(self._extensions))
        return own

    def settle(self, request: httpx2.Request) -> None:
        """Put back what the caller gave; the body is read under the caller's own timeouts."""
        if self.policy.deadline is not None and request.extensions is not self._extensions:
            request.extensions["timeout"] = timeouts_of(self._extensions)
        request.extensions = self._extensions
        if self.replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is self.replay:
                request.stream = self._stream
            self.replay.close()


class AsyncSending:
    """What every attempt of one request is sent with.

    Arguments:
        policy: the user's decisions.
        request: what is sent, as the caller gave it. A body that can be read only once is
            recorded.
        started: when the first attempt began, by `time.monotonic`.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        request: httpx2.Request,
        started: float,
    ) -> None:
        self.policy: RetryPolicy = policy
        self.started: float = started
        self.watch: AsyncSentWatch | None = None
        self.replay: AsyncReplayStream | None = None
        self._extensions = request.extensions
        self._stream = request.stream
        self._is_watched = request.method not in policy.methods
        if not is_repeatable(request.stream):
            request.stream = self.replay = AsyncReplayStream(request.stream, policy.max_replay)

    def extensions(self) -> dict[str, object]:
        """The extensions of one attempt, over those that the caller gave."""
        own = dict(self._extensions)
        if self._is_watched:
            # A new one each time: an attempt without events proves nothing, whatever came before.
            own["trace"] = self.watch = AsyncSentWatch(self._extensions.get("trace"))
        if self.policy.deadline is not None:
            deadline = self.started + self.policy.deadline
            own["timeout"] = LiveTimeouts(deadline, timeouts_of(self._extensions))
        return own

    async def settle(self, request: httpx2.Request) -> None:
        """Put back what the caller gave; the body is read under the caller's own timeouts."""
        if self.policy.deadline is not None and request.extensions is not self._extensions:
            request.extensions["timeout"] = timeouts_of(self._extensions)
        request.extensions = self._extensions
        if self.replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is self.replay:
                request.stream = self._stream
            await self.replay.aclose()


def drain_seconds(sending: Sending | AsyncSending, wait: float, now: float) -> float:
    """How long a response may be drained, so that the wait behind it ends before the deadline."""
    if sending.policy.deadline is None:
        return DRAIN_SECONDS
    return min(DRAIN_SECONDS, sending.started + sending.policy.deadline - now - wait)


def timeouts_of(extensions: Mapping[str, object]) -> Mapping[str, float | None]:
    """The caller's timeouts. A request that no client built may have none."""
    given = extensions.get("timeout")
    return given if isinstance(given, Mapping) else {}
