"""What the wire did, from httpcore's trace events.

httpcore calls `extensions["trace"]` at each step of a request. A watch listens there and
passes every event on to the caller's own callback, in the caller's own kind: a plain
function for sync clients, a coroutine function for async ones.
"""

from collections.abc import Awaitable, Callable, Mapping

from .library import Name, is_a

Trace = Callable[[str, Mapping[str, object]], object]
AsyncTrace = Callable[[str, Mapping[str, object]], Awaitable[object]]

# These come before anything is sent, or from a proxy instead of the origin.
_UNSENT: tuple[Name, ...] = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


class Watch:
    """How far a request came, and whether the origin may have seen it.

    Attributes:
        reached: whether something was sent to the peer, be it only the wish for a tunnel.
    """

    __slots__ = ("_heard", "_sent", "reached")

    def __init__(self) -> None:
        self._heard = False
        self._sent = False
        self.reached: bool = False

    def hear(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of one event."""
        self._heard = True
        if event.endswith(".send_request_headers.started"):
            self.reached = True
            request = info.get("request")
            # The request to open a tunnel goes to the proxy only.
            self._sent |= getattr(request, "method", b"") != b"CONNECT"
        elif event == "socks.setup_socks5_connection.started":
            self.reached = True

    def proves_unsent(self, error: Exception) -> bool:
        """Whether the origin provably never saw the request that ended in this error.

        Without events (the inner transport is not httpcore's) silence proves nothing, and
        only the errors that can come from nowhere else count.
        """
        return not self._sent if self._heard else is_a(error, *_UNSENT)


class SentWatch(Watch):
    """A trace callback that listens, and passes on to the caller's own.

    Arguments:
        trace: the caller's `extensions["trace"]`.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: Trace | None) -> None:
        super().__init__()
        self._trace = trace

    def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncSentWatch(Watch):
    """A trace callback that listens, and passes on to the caller's own.

    Arguments:
        trace: the caller's `extensions["trace"]`.
    """

    __slots__ = ("_trace",)

    def __init__(self, trace: AsyncTrace | None) -> None:
        super().__init__()
        self._trace = trace

    async def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else await self._trace(event, info)
