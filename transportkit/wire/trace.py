"""Watching the wire through httpcore's trace events.

httpcore calls `extensions["trace"]` at each step of a request. A watch listens there and
passes every event on to the caller's own callback, which is a plain function for sync clients
and a coroutine function for async ones.
"""

from collections.abc import Awaitable, Callable, Mapping

from .library import Name, is_a

Trace = Callable[[str, Mapping[str, object]], object]
AsyncTrace = Callable[[str, Mapping[str, object]], Awaitable[object]]

# These come before anything is sent, or from a proxy instead of the origin.
_UNSENT: tuple[Name, ...] = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


class Watch:
    """A record of how far a request came.

    Attributes:
        reached: true once anything was sent to the peer, even if only to open a tunnel.
        has_head_failed: true if the head of the request could not be sent.
    """

    __slots__ = ("_heard", "_sent", "has_head_failed", "reached")

    def __init__(self) -> None:
        self._heard = False
        self._sent = False
        self.reached: bool = False
        self.has_head_failed: bool = False

    def hear(self, event: str, info: Mapping[str, object]) -> None:
        """Record one event."""
        self._heard = True
        if event.endswith(".send_request_headers.started"):
            self.reached = True
            request = info.get("request")
            # The request to open a tunnel goes to the proxy only.
            self._sent |= getattr(request, "method", b"") != b"CONNECT"
        elif event.endswith(".send_request_headers.failed"):
            self.has_head_failed = True
        elif event == "socks.setup_socks5_connection.started":
            self.reached = True

    def proves_unsent(self, error: Exception) -> bool:
        """True if the origin provably never saw the request that ended in this error.

        Without any event (the inner transport is not httpcore's) silence proves nothing: only
        the errors count that are always raised before a request is sent.
        """
        return not self._sent if self._heard else is_a(error, *_UNSENT)


class SentWatch(Watch):
    """A trace callback for sync clients that records events and passes them on.

    Arguments:
        trace: the caller's own `extensions["trace"]`.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace | None) -> None:
        super().__init__()
        self._trace = trace

    def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncSentWatch(Watch):
    """A trace callback for async clients that records events and passes them on.

    Arguments:
        trace: the caller's own `extensions["trace"]`.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: AsyncTrace | None) -> None:
        super().__init__()
        self._trace = trace

    async def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else await self._trace(event, info)
