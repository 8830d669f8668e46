"""The handshake of a connection, from httpcore's trace events, and what httpcore leaves out.

Until its first request is under way a connection is nobody's: httpcore forgets about a socket
whose handshake fails or is cancelled. So the request that makes a connection is watched, by a
trace callback that takes itself out again when the connection stands. On the way it mends what
is wrong in httpcore 1.0.9 and, but for the first point, in httpcore2 2.16:

- a SOCKS handshake waits for the proxy without a timeout (not in httpcore2 from 2.10 on);
- the errors of the `socksio` package come through as they are;
- a CONNECT names an IPv6 address without its brackets.

And it keeps the headers of the proxy's answer to a CONNECT, which httpcore drops.
"""

from collections.abc import Mapping
from typing import Any, Literal

from ..wire.trace import AsyncSentWatch, SentWatch, Watch

# The steps that make a stream, or make another of one.
_CONNECTING = ("connect_tcp", "connect_unix_socket", "setup_socks5_connection", "start_tls")


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


class Handshake(Watch):
    """The state of a handshake, from httpcore's trace events.

    Arguments:
        given: the caller's extensions, with `timeout` and `trace`.

    Attributes:
        stream: the open stream that no connection owns yet.
        proxy_headers: of the answer to a CONNECT.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given.get("trace"))
        self._timeouts: Mapping[str, float | None] = given.get("timeout", {})
        self._is_socks = False
        self._failure: object = None
        self.stream: Any = None
        self.proxy_headers: list[tuple[bytes, bytes]] | None = None

    def hear(self, event: str, info: Any) -> None:  # noqa: ANN401 - of httpcore, which is not imported
        """Follow the handshake by one event."""
        if self._sent:
            return
        super().hear(event, info)
        _, step, phase = event.split(".")
        if step in _CONNECTING:
            if phase == "complete":
                self.stream = info["return_value"]
            elif phase == "failed":
                self._failure = info["exception"]
            elif step == "setup_socks5_connection":
                self._is_socks = True
                # httpcore passes these very arguments to the call that follows.
                info["stream"] = TimedStream(info["stream"], self._timeouts)
            if step == "start_tls":
                self._is_socks = False
        elif event == "http11.receive_response_headers.complete":
            self.proxy_headers = info["return_value"][3]
        elif self._sent or event == "http2.send_connection_init.started":
            self.stream = None
        elif event == "http11.send_request_headers.started":
            _put_brackets(info["request"])

    def error_name(self, error: Exception) -> Literal["", "ProxyError", "ConnectError"]:
        """The class of httpx's that fits an error of a step; empty if it is not of a step."""
        if error is not self._failure:
            return ""
        return "ProxyError" if self._is_socks else "ConnectError"


class TracedHandshake(Handshake, SentWatch):
    """A trace callback for sync clients that follows a handshake."""


class AsyncTracedHandshake(Handshake, AsyncSentWatch):
    """A trace callback for async clients that follows a handshake."""


def _put_brackets(connect: Any) -> None:  # noqa: ANN401 - httpcore is not imported
    """`CONNECT 2001:db8::1:443` is ambiguous: RFC 9110, section 9.3.6, and RFC 3986, 3.2.2."""
    host, _, port = connect.url.target.rpartition(b":")
    if b":" in host and not host.startswith(b"["):
        written = connect.url.target
        connect.url.target = b"[%b]:%b" % (host, port)
        connect.headers = [
            (name, connect.url.target if value == written else value)
            for name, value in connect.headers
        ]
