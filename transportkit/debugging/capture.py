"""What is taken down of a request while it is on its way, as cheaply as can be."""

from collections.abc import Mapping
from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from ..wire.library import Request, Response, is_a
from .bodies import Kept
from .exchange import RawHeaders, Record
from .reporting import Reporter
from .timings import TUNNEL

if TYPE_CHECKING:
    from ..wire.trace import AsyncTrace, Trace

_REQUEST = "http11.send_request_headers.started"
# They come with the connection, whose address is lost when the next step fails.
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
    """Takes down what is seen of one request.

    Arguments:
        reporter: whom to tell.
        request: what is sent.
    """

    __slots__ = ("_reporter",)

    # Those of a Record that are set below: not every type checker looks for them there.
    started: float
    head: float | None
    ended: float
    status: int | None
    reason: str
    http_version: str | None
    response_headers: RawHeaders
    stream_id: int | None
    error: str | None
    server_address: str | None
    tls_version: str | None

    def __init__(self, reporter: Reporter, request: Request) -> None:
        super().__init__(
            request.method,
            request.url,
            # A copy: authentication adds to the headers of the same request before it repeats it.
            request.headers.raw,
            started_at=time(),
            sent=Kept(reporter.bodies),
            received=Kept(reporter.bodies),
            is_finished=False,
        )
        self._reporter = reporter
        reporter.begin(self.beginning)
        self.started = perf_counter()

    def beginning(self) -> Record:
        """What is known before the request goes out."""
        return Record(
            self.method,
            self.url,
            self.request_headers,
            started_at=self.started_at,
            is_finished=False,
        )

    def knows_body(self, request: Request) -> bool:
        """Take down the body that is sent, unless it has to be counted as it streams by."""
        stream: Any = request.stream
        if is_a(stream, "ByteStream"):
            for chunk in stream:
                self.sent.add(chunk)
        else:
            length = request.headers.get("Content-Length", "")
            if self._reporter.bodies or not length.isdecimal():
                return False
            self.sent.size = int(length)
        self.sent.is_ended = True
        return True

    def hear(self, event: str, info: Mapping[str, object]) -> None:
        """Take down one of httpcore's events."""
        if self.is_finished:
            return
        if event == _REQUEST:
            if getattr(info.get("request"), "method", b"") == b"CONNECT" != self.method.encode():
                event = TUNNEL + event
        elif event in _CONNECTED:
            self._see_connection(info.get("return_value"))
        self.events.append((event, perf_counter()))

    def is_over_with(self, response: Response) -> bool:
        """Take down the head of the response; whether there is no body to be waited for."""
        self.head = perf_counter()
        self.status = response.status_code
        self.response_headers = response.headers.raw
        told = response.extensions
        if isinstance(reason := told.get("reason_phrase"), bytes):
            self.reason = reason.decode("ascii", "replace")
        if isinstance(version := told.get("http_version"), bytes):
            self.http_version = version.decode("ascii", "replace")
        if isinstance(stream_id := told.get("stream_id"), int):
            self.stream_id = stream_id
        if isinstance(attempts := told.get("attempts"), tuple):
            self.attempts = attempts
        if "network_stream" in told:
            self._see_connection(told["network_stream"])
        if response.is_closed:
            self._take_read_body(response)
        elif response.status_code != 101:
            self._reporter.wait_for(self)
            return False
        self.report()
        return True

    def end(self, error: BaseException | None = None) -> None:
        """The body of the response has ended, was closed, or failed. Only the first time counts."""
        if self._reporter.is_waited_for(self):
            self.report(error)

    def drop(self) -> None:
        """Nobody holds the body of the response any more."""
        if not self.is_finished:
            self.ended = perf_counter()
            self._reporter.drop(self)

    def report(self, error: BaseException | None = None) -> None:
        """It is over."""
        self.ended = self.ended or perf_counter()
        self.is_finished = True
        if error is not None:
            self.error = error_text(error)
        self._reporter.report(self)

    def _take_read_body(self, response: Response) -> None:
        kept = self.received
        kept.is_ended = response.is_stream_consumed
        stream: Any = response.stream
        if is_a(stream, "ByteStream"):
            for chunk in stream:
                kept.add(chunk)
            return
        kept.size = response.num_bytes_downloaded
        if kept.limit:
            try:
                content = response.content
            except Exception as error:
                if not is_a(error, "ResponseNotRead"):
                    raise
            else:
                kept.content = content[: kept.limit]
                kept.decoded_size = len(content)

    def _see_connection(self, stream: object) -> None:
        known = self._reporter.connections
        try:
            ends = known.get(stream)
            if ends is None:
                ends = known[stream] = ends_of(stream)
        except Exception:  # noqa: BLE001 - the peer may have left already
            return
        self.server_address, self.tls_version = ends


class TraceCapture(Capture):
    """Listens to httpcore, and passes on to the caller's own trace callback.

    Arguments:
        reporter: whom to tell.
        request: what is sent.
    """

    __slots__ = ("_trace",)

    def __init__(self, reporter: Reporter, request: Request) -> None:
        super().__init__(reporter, request)
        self._trace: Trace | None = request.extensions.get("trace")

    def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else self._trace(event, info)


class AsyncTraceCapture(Capture):
    """Listens to httpcore, and passes on to the caller's own trace callback.

    Arguments:
        reporter: whom to tell.
        request: what is sent.
    """

    __slots__ = ("_trace",)

    def __init__(self, reporter: Reporter, request: Request) -> None:
        super().__init__(reporter, request)
        self._trace: AsyncTrace | None = request.extensions.get("trace")

    async def __call__(self, event: str, info: Mapping[str, object]) -> object:
        self.hear(event, info)
        return None if self._trace is None else await self._trace(event, info)


def error_text(error: BaseException) -> str:
    """The name of an error, and what it says, or what its cause says if it says nothing.

    >>> import httpx
    >>> error_text(httpx.ReadTimeout("timed out"))
    'ReadTimeout: timed out'
    """
    # anyio's time-outs are cancellations inside, whose text is of no use; nor is that of one.
    text = str(error) if isinstance(error, Exception) else ""
    cause = error.__cause__ or error.__context__
    while not text and isinstance(cause, Exception):
        text, cause = str(cause), cause.__cause__ or cause.__context__
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def ends_of(stream: object) -> tuple[str | None, str | None]:
    """The address of the peer, and the version of TLS, of one of httpcore's streams."""
    get_extra_info = stream.get_extra_info  # type: ignore[attr-defined] # httpcore is not imported
    tls = get_extra_info("ssl_object")
    return address_text(get_extra_info("server_addr")), None if tls is None else tls.version()


def address_text(address: object) -> str | None:
    """The address of a peer, as one writes it.

    >>> address_text(("::1", 443, 0, 0))
    '[::1]:443'
    """
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if isinstance(address, bytes):
        address = address.decode(errors="replace")
    return str(address) if address else None
