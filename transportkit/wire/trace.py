"""Watching the wire through httpcore's trace events.

httpcore calls `extensions["trace"]` at each step of a request. A watch listens there and
passes every event on to the caller's own callback, which is a plain function for sync clients
and a coroutine function for async ones.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .library import Name, is_a

Trace = Callable[[str, Mapping[str, object]], object]
AsyncTrace = Callable[[str, Mapping[str, object]], Awaitable[object]]

# These come before anything is sent, or from a proxy instead of the origin.
_UNSENT: tuple[Name, ...] = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


class Watch:
    """A record of how far a request came.

    Arguments:
        trace: the caller's own `extensions["trace"]`.

    Attributes:
        extensions: those that it stands in, and takes itself out of when the request is under way:
            nothing that comes later changes what it proves. None to hear all.
        has_heard: true once there was an event.
        reached: true once anything was sent to the peer, even if only to open a tunnel.
        has_head_failed: true if the head of the request could not be sent.
        error: the one that the caller's own callback has raised.
    """

    extensions: dict[str, Any] | None = None
    has_heard: bool = False
    reached: bool = False
    has_head_failed: bool = False
    error: BaseException | None = None
    _sent: bool = False

    def __init__(self, trace: Any = None) -> None:  # noqa: ANN401 - of either kind
        self._trace = trace

    def hear(self, event: str, info: Mapping[str, object]) -> None:
        """Record one event."""
        self.has_heard = True
        if event.endswith(".send_request_headers.started"):
            self.reached = True
            request = info.get("request")
            # The request to open a tunnel goes to the proxy only.
            if getattr(request, "method", b"") != b"CONNECT":
                self._sent = True
                self.leave()
        elif event.endswith(".send_request_headers.failed"):
            self.has_head_failed = True
        elif event == "socks.setup_socks5_connection.started":
            self.reached = True

    def leave(self) -> None:
        """Take itself out of the extensions, so that neither holds the other."""
        extensions, self.extensions = self.extensions, None
        if extensions is not None and self._trace is None:
            extensions.pop("trace", None)
        elif extensions is not None:
            extensions["trace"] = self._trace

    def testify(self, error: Exception) -> None:
        """Leave in an error what was heard of the wire, for `watch_of`."""
        self.leave()
        vars(error)["_watch"] = self

    def _blame_callback(self, error: BaseException) -> None:
        # Here, as pyright takes what a subclass assigns for an attribute of another type.
        self.error = error

    def proves_unsent(self, error: Exception) -> bool:
        """True if the origin provably never saw the request that ended in this error.

        Without any event (the inner transport is not httpcore's) silence proves nothing: only
        the errors count that are always raised before a request is sent.
        """
        return not self._sent if self.has_heard else is_a(error, *_UNSENT)


UNHEARD = Watch()
"""A watch that has heard nothing, in place of one for each request."""


class SentWatch(Watch):
    """A trace callback for sync clients that records events and passes them on.

    Arguments:
        trace: the caller's own `extensions["trace"]`.
    """

    def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        if self._trace is None:
            return None
        try:
            return self._trace(event, info)
        except BaseException as error:
            self._blame_callback(error)
            raise


class AsyncSentWatch(Watch):
    """A trace callback for async clients that records events and passes them on.

    Arguments:
        trace: the caller's own `extensions["trace"]`.
    """

    async def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        if self._trace is None:
            return None
        try:
            return await self._trace(event, info)
        except BaseException as error:
            self._blame_callback(error)
            raise


def watch_of(error: Exception) -> Watch:
    """The watch that a transport left in an error; one that has heard nothing, if none did."""
    watch: Watch = vars(error).get("_watch", UNHEARD)
    return watch
