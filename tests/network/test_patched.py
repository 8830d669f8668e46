"""What patches the stock transport, or httpcore, sees and mocks the requests of ours."""

from pathlib import Path
from typing import Any

import pytest
import tenacity
from support.flavours import Flavour
from support.library import httpx
from support.networks import limits, network
from support.servers import Origin
from support.transportkit import RetryPolicy

URL = "http://shop.example/"


def needs(package: str, *, knows_httpx2: bool = True) -> Any:
    """The module, if there is one that can be used with the library of this run."""
    if httpx.__name__ != "httpx" and not knows_httpx2:
        pytest.skip(f"{package} knows httpx alone")
    return pytest.importorskip(package)


async def test_the_stock_transport_sees_each_request(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[httpx.Request] = []

    def handle_request(self: Any, request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="mocked")

    async def handle_async_request(self: Any, request: httpx.Request) -> httpx.Response:
        return handle_request(self, request)

    transport = network(flavour, limits=limits(1))
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async_request)
    async with flavour.client(transport=transport) as client:
        for _ in range(3):
            response = await client.post(URL, content=b"a")
            assert response.text == "mocked"
    assert [request.content for request in seen] == [b"a"] * 3


@pytest.mark.parametrize("proxy", [None, "http://proxy.example:8080"])
async def test_pytest_httpx_answers(
    proxy: str | None, flavour: Flavour, request: pytest.FixtureRequest
) -> None:
    needs("pytest_httpx", knows_httpx2=False)
    mock = request.getfixturevalue("httpx_mock")
    mock.add_response(url=URL, status_code=503)
    mock.add_response(url=URL, text="mocked")
    policy = RetryPolicy(wait=tenacity.wait_none())
    transport = flavour.RetryTransport(policy=policy, proxy=proxy)
    async with flavour.client(transport=transport) as client:
        response = await client.get(URL)
        assert (response.status_code, response.text) == (200, "mocked")
    assert [each.url for each in mock.get_requests()] == [URL, URL]


@pytest.mark.parametrize("mode", ["httpx", "httpcore"])
async def test_respx_answers(mode: str, flavour: Flavour) -> None:
    respx = needs("respx", knows_httpx2=False)
    with respx.mock(using=mode) as router:
        route = router.get(URL).respond(text="mocked")
        async with flavour.client(transport=flavour.RetryTransport()) as client:
            for _ in range(3):
                assert (await client.get(URL)).text == "mocked"
        assert route.call_count == 3


async def test_opentelemetry_sees_each_attempt(flavour: Flavour, origin: Origin) -> None:
    instrumentation = needs("opentelemetry.instrumentation.httpx")
    trace = needs("opentelemetry.sdk.trace")
    export = needs("opentelemetry.sdk.trace.export")
    memory = needs("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    kind = "HTTPX2" if httpx.__name__ == "httpx2" else "HTTPX"
    instrumentor = getattr(instrumentation, f"{kind}ClientInstrumentor")()
    exporter = memory.InMemorySpanExporter()
    provider = trace.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    transport = flavour.RetryTransport()
    instrumentor.instrument(tracer_provider=provider)
    try:
        async with flavour.client(transport=transport) as client:
            for _ in range(3):
                seen = (await client.get(f"{origin.http}/a")).json()
                assert "traceparent" in dict(seen["headers"])
    finally:
        instrumentor.uninstrument()
        provider.shutdown()
    urls = [span.attributes["http.url"] for span in exporter.get_finished_spans()]
    assert urls == [f"{origin.http}/a"] * 3


async def test_vcrpy_records_and_plays(flavour: Flavour, origin: Origin, tmp_path: Path) -> None:
    vcr = needs("vcr")
    answers = []
    for _ in range(2):
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as cassette:
            async with flavour.client(transport=flavour.RetryTransport()) as client:
                answers.append((await client.get(f"{origin.http}/a")).json())
    assert answers[0] == answers[1]
    assert (len(cassette), cassette.play_count) == (1, 1)
