"""The parts of a SOCKS handshake that httpcore leaves out.

httpcore waits for the proxy's answers without a timeout, lets the errors of the `socksio`
package through as they are, and does not close the socket when the handshake fails.
"""

from collections.abc import Mapping
from typing import Any

from ..wire.trace import AsyncTrace, Trace

BROKE = "the SOCKS handshake broke: {}"


class TimedStream:
    """A network stream whose reads and writes have timeouts.

    Arguments:
        stream: a stream of httpcore's, sync or async.
        timeouts: the `timeout` extension of a request.
    """

    def __init__(self, stream: Any, timeouts: Mapping[str, float | None]) -> None:  # noqa: ANN401 - httpcore is not imported
        self._stream = stream
        self._timeouts = timeouts

    # httpcore2 gives them itself, and gives the same.
    def read(self, max_bytes: int, timeout: float | None = None) -> object:
        return self._stream.read(max_bytes, self._timeouts.get("read", timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> object:
        return self._stream.write(buffer, self._timeouts.get("write", timeout))


class Handshake:
    """The state of a handshake, from httpcore's trace events.

    Arguments:
        timeouts: the `timeout` extension of the request.

    Attributes:
        stream: the open stream that no connection owns yet.
        error: the error that ended the handshake.
    """

    def __init__(self, timeouts: Mapping[str, float | None]) -> None:
        self._timeouts = timeouts
        self.stream: Any = None
        self.error: object = None

    def observe(self, event: str, info: dict[str, Any]) -> None:
        """Follow the handshake by one event."""
        if event == "socks.connect_tcp.complete":
            self.stream = info["return_value"]
        elif event == "socks.setup_socks5_connection.started":
            # httpcore passes these very arguments to the call that follows.
            info["stream"] = TimedStream(info["stream"], self._timeouts)
        elif event == "socks.setup_socks5_connection.complete":
            self.stream = None
        elif event == "socks.setup_socks5_connection.failed":
            self.error = info["exception"]

    def is_unmapped(self, error: BaseException) -> bool:
        """True if an error ended the handshake and httpx has not mapped it to one of its own."""
        return error is self.error and isinstance(error, Exception)


class TracedHandshake(Handshake):
    """A trace callback that calls the caller's own."""

    def __init__(self, timeouts: Mapping[str, float | None], trace: Trace | None) -> None:
        super().__init__(timeouts)
        self._trace = trace

    def __call__(self, event: str, info: dict[str, Any]) -> object:
        self.observe(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncTracedHandshake(Handshake):
    """A trace callback that calls the caller's own."""

    def __init__(self, timeouts: Mapping[str, float | None], trace: AsyncTrace | None) -> None:
        super().__init__(timeouts)
        self._trace = trace

    async def __call__(self, event: str, info: dict[str, Any]) -> object:
        self.observe(event, info)
        return None if self._trace is None else await self._trace(event, info)
