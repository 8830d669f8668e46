"""OpenTelemetry's own instrumentation beneath a RetryTransport: which span is which attempt.

    pip install transportkit opentelemetry-instrumentation-httpx
    python examples/tracing.py

Each attempt is a span. Beneath the transport `request.extensions["attempt"]` is 2, 3 and so on in the
repeats, from which a hook sets `http.request.resend_count`, as the semantic conventions want it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.trace import NonRecordingSpan, NoOpTracer, NoOpTracerProvider, Span, Tracer
from opentelemetry.trace.span import INVALID_SPAN_CONTEXT
from opentelemetry.util.types import AttributeValue

from transportkit import RetryTransport


def count_resends(span: Span, request: RequestInfo) -> None:
    """A request hook: the first attempt has no such attribute, the second one has 1."""
    if request.extensions is not None and "attempt" in request.extensions:
        span.set_attribute("http.request.resend_count", request.extensions["attempt"] - 1)


async def async_count_resends(span: Span, request: RequestInfo) -> None:
    """The same for an AsyncRetryTransport."""
    count_resends(span, request)


def main() -> int:
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(
        tracer_provider=Spans(),
        request_hook=count_resends,
        async_request_hook=async_count_resends,
    )
    try:
        with server() as url, httpx.Client(transport=RetryTransport(trust_env=False)) as client:
            client.get(url)
    finally:
        instrumentor.uninstrument()
    counts = [span.attributes.get("http.request.resend_count") for span in spans]
    statuses = [span.attributes.get("http.status_code") for span in spans]
    print(f"spans with statuses {statuses}, resend counts {counts}")
    return counts != [None, 1, 2]


# From here on: what stands for OpenTelemetry's SDK, and a server that is busy twice.


class KeptSpan(NonRecordingSpan):
    def __init__(self) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.attributes: dict[str, AttributeValue] = {}

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self.attributes[key] = value


spans: list[KeptSpan] = []


class Spans(NoOpTracerProvider):
    def get_tracer(self, *_: object, **__: object) -> Tracer:
        return KeepingTracer()


class KeepingTracer(NoOpTracer):
    @contextmanager
    def start_as_current_span(self, *_: object, **__: object) -> Iterator[Span]:  # type: ignore[override]
        spans.append(KeptSpan())
        yield spans[-1]


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        Server.asked += 1
        self.send_response(200 if Server.asked == 3 else 503)
        self.send_header("Retry-After", "0.05")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Leave the output to the client."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}/"
        finally:
            running.shutdown()
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
