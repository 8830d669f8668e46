"""OpenTelemetry: a span for each attempt, with `http.request.resend_count` in the repeats.

Its instrumentation patches the transports of httpx, and so stands beneath a `RetryTransport`, which
says in `request.extensions["attempt"]` that this is the second attempt, the third and so on.
"""

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span

from transportkit import AsyncRetryTransport, RetryTransport

from local import get, get_async, in_turn, internet


# To copy (both)
def count(span: Span, request: RequestInfo) -> None:
    if request.extensions and "attempt" in request.extensions:
        span.set_attribute("http.request.resend_count", request.extensions["attempt"] - 1)


async def async_count(span: Span, request: RequestInfo) -> None:
    count(span, request)


def instrument(provider: TracerProvider) -> None:
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(
        tracer_provider=provider, request_hook=count, async_request_hook=async_count
    )


# To run
if __name__ == "__main__":
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrument(provider)
    with internet(in_turn(503, 503, 200)):
        get(httpx.Client(transport=RetryTransport()), "http://example.com/")
        get_async(httpx.AsyncClient(transport=AsyncRetryTransport()), "http://example.com/")
    for span in spans.get_finished_spans():
        attributes = span.attributes or {}
        print(*[attributes.get(f"http.{name}") for name in ("status_code", "request.resend_count")])

# It prints
#
#     503 None
#     503 1
#     200 2
#     503 None
#     503 1
#     200 2
