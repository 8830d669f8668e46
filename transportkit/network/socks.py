"""`httpx.HTTPTransport` through a SOCKS proxy, with what httpcore leaves out of a handshake.

httpcore waits for the proxy's words for ever, lets the errors of the `socksio` package through
as they are, and forgets about the socket when it fails.
"""

from collections.abc import Mapping
from typing import Any

from ..wire.trace import AsyncTrace, Trace

BROKE = "the SOCKS handshake broke: {}"


class TimedStream:
    """Gives timeouts to what is read and written without any.

    Arguments:
        stream: httpcore's, sync or async.
        timeouts: the `timeout` extension of a request.
    """

    def __init__(self, stream: Any, timeouts: Mapping[str, float | None]) -> None:  # noqa: ANN401 - httpcore is not imported
        self._stream = stream
        self._timeouts = timeouts

    # httpx2 has learnt to give them itself, and gives the same.
    def read(self, max_bytes: int, timeout: float | None = None) -> object:
        return self._stream.read(max_bytes, self._timeouts.get("read", timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> object:
        return self._stream.write(buffer, self._timeouts.get("write", timeout))


class Handshake:
    """What becomes of a handshake, from httpcore's trace events.

    Arguments:
        timeouts: the `timeout` extension of the request.

    Attributes:
        stream: what is open and nobody's yet.
        error: what the handshake has failed with.
    """

    def __init__(self, timeouts: Mapping[str, float | None]) -> None:
        self._timeouts = timeouts
        self.stream: Any = None
        self.error: object = None

    def hear(self, event: str, info: dict[str, Any]) -> None:
        """Take note of one event."""
        if event == "socks.connect_tcp.complete":
            self.stream = info["return_value"]
        elif event == "socks.setup_socks5_connection.started":
            # The call that follows takes its arguments from here.
            info["stream"] = TimedStream(info["stream"], self._timeouts)
        elif event == "socks.setup_socks5_connection.complete":
            self.stream = None
        elif event == "socks.setup_socks5_connection.failed":
            self.error = info["exception"]

    def is_in_others_words(self, error: BaseException) -> bool:
        """Whether an error is one of the handshake that httpx has not made its own."""
        return error is self.error and isinstance(error, Exception)


class TracedHandshake(Handshake):
    """A trace callback that passes on to the caller's own."""

    def __init__(self, timeouts: Mapping[str, float | None], trace: Trace | None) -> None:
        super().__init__(timeouts)
        self._trace = trace

    def __call__(self, event: str, info: dict[str, Any]) -> object:
        self.hear(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncTracedHandshake(Handshake):
    """A trace callback that passes on to the caller's own."""

    def __init__(self, timeouts: Mapping[str, float | None], trace: AsyncTrace | None) -> None:
        super().__init__(timeouts)
        self._trace = trace

    async def __call__(self, event: str, info: dict[str, Any]) -> object:
        self.hear(event, info)
        return None if self._trace is None else await self._trace(event, info)
