"""OpenTelemetry's instrumentation beneath: each attempt is a span that can be told from the first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.trace import NonRecordingSpan, NoOpTracer, NoOpTracerProvider
from opentelemetry.trace.span import INVALID_SPAN_CONTEXT
from support.faulty import answer, faulty_origin
from support.flavours import Flavour
from support.library import LIBRARY
from support.transportkit import RetryPolicy

pytestmark = pytest.mark.skipif(LIBRARY != "httpx", reason="what is instrumented is httpx")

RESENDS = "http.request.resend_count"


class KeptSpan(NonRecordingSpan):
    def __init__(self) -> None:
        super().__init__(INVALID_SPAN_CONTEXT)
        self.attributes: dict[str, Any] = {}

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value


class Spans(NoOpTracerProvider, NoOpTracer):
    def __init__(self) -> None:
        self.kept: list[KeptSpan] = []

    def get_tracer(self, *_: Any, **__: Any) -> "Spans":
        return self

    @contextmanager
    def start_as_current_span(self, *_: Any, **__: Any) -> Iterator[KeptSpan]:  # type: ignore[override]
        self.kept.append(KeptSpan())
        yield self.kept[-1]


def count(span: Any, request: Any) -> None:
    if "attempt" in request.extensions:
        span.set_attribute(RESENDS, request.extensions["attempt"] - 1)


async def async_count(span: Any, request: Any) -> None:
    count(span, request)


@pytest.fixture
def spans() -> Iterator[Spans]:
    found = Spans()
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(
        tracer_provider=found, request_hook=count, async_request_hook=async_count
    )
    yield found
    instrumentor.uninstrument()


async def test_each_attempt_is_a_span_with_its_number(flavour: Flavour, spans: Spans) -> None:
    with faulty_origin(answer(503), answer(503)) as origin:
        policy = RetryPolicy(wait=lambda state: 0)
        transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
        async with flavour.client(transport=transport) as client:
            await client.get(origin.url)
    assert [span.attributes.get(RESENDS) for span in spans.kept] == [None, 1, 2]
