"""Capture a request while it is on its way, as cheaply as can be."""

import re
from collections.abc import Mapping
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from ..retrying.attempt import Attempt
from ..wire.library import URL, Request, Response, is_a, library_of
from .bodies import BodyCapture
from .record import RawHeaders, Record
from .reporting import Reporter
from .timings import TUNNEL

if TYPE_CHECKING:
    from ..wire.trace import AsyncTrace, Trace

# No body is longer, and Python refuses to read much longer numbers.
_LENGTH = r"[0-9]{1,18}"
_REQUEST = "http11.send_request_headers.started"
# These come with the connection, whose address is lost if the next step fails.
_CONNECTED = frozenset(
    {
        "connection.connect_tcp.complete",
        "connection.connect_unix_socket.complete",
        "connection.start_tls.complete",
        "proxy.start_tls.complete",
        "socks.connect_tcp.complete",
        "socks.start_tls.complete",
    }
)


class Capture(Record):
    """The record of one exchange while it is being written.

    Transports of others may tell anything: what cannot be captured is logged and left out.

    Arguments:
        reporter: reports it.
        request: what is sent.
    """

    # Those of a Record that are set below: not every type checker looks for them there.
    method: str
    url: URL
    request_headers: RawHeaders
    started_at: float
    started: float
    head: float | None
    events: list[tuple[str, float]]
    sent: BodyCapture
    received: BodyCapture
    status: int | None
    reason: str
    http_version: str | None
    response_headers: RawHeaders
    stream_id: int | None
    target: bytes | None
    proxy: str | None
    verify: bool
    server_address: str | None
    tls_version: str | None

    def __init__(self, reporter: Reporter, request: Request) -> None:
        # What is not set here is as the class says, until it is known.
        self.method = request.method
        self.url = request.url
        # A copy: authentication adds to the headers of the same request before it repeats it.
        self.request_headers = request.headers.raw
        self.started_at = time()
        self.events = []
        self.sent = BodyCapture(reporter.bodies)
        self.received = BodyCapture(reporter.bodies)
        self.is_finished = False
        if isinstance(target := request.extensions.get("target"), bytes):
            self.target = target
        self._trace: Any = request.extensions.get("trace")
        self._reporter = reporter
        reporter.begin(self)
        self.started = perf_counter()

    def capture_request_body(self, request: Request) -> None:
        """Capture the body that is sent if it is known; else it is captured as it streams by."""
        stream: Any = request.stream
        if is_a(stream, "ByteStream"):
            for chunk in stream:
                self.sent.add(chunk)
            self.sent.is_ended = True
            return
        length = request.headers.get("Content-Length", "")
        if not self._reporter.bodies and re.fullmatch(_LENGTH, length):
            self.sent.size = int(length)
            self.sent.is_ended = True

    def hear(self, event: str, info: Mapping[str, object]) -> None:
        """Capture one of httpcore's events."""
        if self.is_finished:
            return
        try:
            if event == _REQUEST:
                method = getattr(info.get("request"), "method", b"")
                if method == b"CONNECT" != self.method.encode():
                    event = TUNNEL + event
            elif event in _CONNECTED:
                self._capture_connection(info.get("return_value"))
            self.events.append((event, perf_counter()))
        except Exception as error:  # noqa: BLE001 - an observer must not break what it observes
            self._reporter.log(error)

    def capture_response(self, response: Response) -> None:
        """Capture the head of the response, and report the exchange if no body is to come."""
        self.head = perf_counter()
        try:
            self._capture_head(response)
            if response.is_closed:
                self._capture_read_body(response)
        except Exception as error:  # noqa: BLE001 - the same as above
            self._reporter.log(error)
        if response.is_closed or response.status_code == 101:
            self._reporter.report(self)
        else:
            self._reporter.keep_open(self)

    def end(self, error: BaseException | None = None) -> None:
        """Report the exchange, as the body of the response has ended, was closed or has failed."""
        self._reporter.end(self, error)

    def report(self, error: BaseException | None = None) -> None:
        """Report the exchange, as there is no body to come."""
        if error is not None and isinstance(facts := getattr(error, "extensions", None), Mapping):
            self._capture_facts(facts)
        self._reporter.report(self, error)

    def abandon(self) -> None:
        """Report the exchange with the next one, as nobody can read the body any more."""
        self._reporter.abandon(self)

    def _capture_head(self, response: Response) -> None:
        self.status = response.status_code
        self.response_headers = response.headers.raw
        extensions = response.extensions
        if not extensions:
            return
        if isinstance(reason := extensions.get("reason_phrase"), bytes):
            self.reason = reason.decode("ascii", "replace")
        if isinstance(version := extensions.get("http_version"), bytes):
            self.http_version = version.decode("ascii", "replace")
        if isinstance(stream_id := extensions.get("stream_id"), int):
            self.stream_id = stream_id
        attempts = extensions.get("attempts")
        if isinstance(attempts, tuple) and all(isinstance(each, Attempt) for each in attempts):
            self.attempts = attempts
        if "network_stream" in extensions:
            self._capture_connection(extensions["network_stream"])
        self._capture_facts(extensions)

    def _capture_facts(self, extensions: Mapping[str, object]) -> None:
        """Capture the proxy and the `verify` that a network transport reports."""
        # A rotation reports the way without a proxy, too.
        if isinstance(proxy := extensions.get("proxy"), str) and "://" in proxy:
            self.proxy = proxy
        self.verify = extensions.get("verify") is not False

    def _capture_read_body(self, response: Response) -> None:
        received = self.received
        received.is_ended = response.is_stream_consumed
        stream: Any = response.stream
        if is_a(stream, "ByteStream"):
            for chunk in stream:
                received.add(chunk)
            return
        received.size = response.num_bytes_downloaded
        if received.limit:
            try:
                content = response.content
            except library_of(response).ResponseNotRead:
                return
            received.content = content[: received.limit]
            received.decoded_size = len(content)

    def _capture_connection(self, stream: object) -> None:
        known = self._reporter.connections
        try:
            ends = known.get(stream)
            if ends is None:
                ends = known[stream] = ends_of(stream)
        except Exception:  # noqa: BLE001 - the peer may have left already
            return
        self.server_address, self.tls_version = ends


class TraceCapture(Capture):
    """A capture that is a trace callback, and passes everything on to the caller's own.

    Arguments:
        reporter: reports it.
        request: what is sent.
    """

    _trace: "Trace | None"

    def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncTraceCapture(Capture):
    """A capture that is a trace callback, and passes everything on to the caller's own.

    Arguments:
        reporter: reports it.
        request: what is sent.
    """

    _trace: "AsyncTrace | None"

    async def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else await self._trace(event, info)


def ends_of(stream: object) -> tuple[str | None, str | None]:
    """The address of the peer, and the version of TLS, of one of httpcore's streams."""
    get_extra_info = stream.get_extra_info  # type: ignore[attr-defined] # httpcore is not imported
    tls = get_extra_info("ssl_object")
    return address_text(get_extra_info("server_addr")), None if tls is None else tls.version()


def address_text(address: object) -> str | None:
    """The address of a peer as text.

    >>> address_text(("::1", 443, 0, 0))
    '[::1]:443'
    """
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if isinstance(address, bytes):
        address = address.decode(errors="replace")
    return str(address) if address else None
