"""What looking on costs `client.get`, against the bare transport and OpenTelemetry.

    pip install opentelemetry-instrumentation-httpx && python tests/benchmarks/debugging.py

OpenTelemetry has a tracer that does nothing, ours has observers that do less and less little.
Exits with status 1 when a bar is missed.
"""

import asyncio
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.instrumentation.httpx import (
    AsyncOpenTelemetryTransport,
    SyncOpenTelemetryTransport,
)
from opentelemetry.trace import NoOpTracerProvider
from ratios import BARE, Report, medians

from transportkit import (
    AsyncDebuggingTransport,
    ConsoleLog,
    CurlLog,
    DebuggingTransport,
    Exchange,
    HARRecorder,
)

URL = "https://api.example.com/users"
BARS = {"null observer": 1.15, "console to a null writer": 1.9, "curl to a null writer": 1.9}


def hello(request: httpx.Request) -> httpx.Response:
    """The handler of httpx's own documentation of MockTransport."""
    return httpx.Response(200, json={"text": "Hello, world!"})


def ignore(shown: object) -> None:
    """A null observer, and a null writer."""


def read_all(exchange: Exchange) -> None:
    """Somebody who wants to know everything."""
    for name in dir(exchange):
        if not name.startswith("_"):
            getattr(exchange, name)


def observed(inner: httpx.BaseTransport) -> dict[str, httpx.BaseTransport]:
    """The contestants: who looks on, and what at."""
    return {
        "bare": inner,
        "null observer": DebuggingTransport(inner, ignore),
        "null observer, bodies": DebuggingTransport(inner, ignore, bodies=4096),
        "everything read": DebuggingTransport(inner, read_all, bodies=4096),
        "console to a null writer": DebuggingTransport(inner, ConsoleLog(ignore)),
        "curl to a null writer": DebuggingTransport(inner, CurlLog(ignore), bodies=4096),
        "OpenTelemetry, no-op": SyncOpenTelemetryTransport(inner, NoOpTracerProvider()),
    }


def compare(report: Report, what: str, calls: dict[str, Callable[[], object]]) -> None:
    times = medians(calls)
    report.heading(f"{what}, against bare", to=BARE)
    for name, time in times.items():
        if name != "bare":
            is_peer = name.startswith("OpenTelemetry")
            bar = BARS.get(name, 0)
            report.ratio(name, time / times["bare"], at_most=bar, is_peer=is_peer)
    ratio = times["null observer"] / times["OpenTelemetry, no-op"]
    report.ratio("null observer against OpenTelemetry, no-op", ratio, at_most=1, to="OpenTelemetry")


def getting(stack: ExitStack, transport: httpx.BaseTransport, url: str) -> Callable[[], object]:
    client = stack.enter_context(httpx.Client(transport=transport))
    return lambda: client.get(url)


def on_a_stub(report: Report) -> None:
    with ExitStack() as stack:
        contestants = observed(httpx.MockTransport(hello))
        calls = {name: getting(stack, each, URL) for name, each in contestants.items()}
        compare(report, "client.get on a stub", calls)


def on_a_stub_in_a_loop(report: Report) -> None:
    """Calls an async client many times in one turn of a loop, so that the call is measured."""
    inner = httpx.MockTransport(hello)
    loop = asyncio.new_event_loop()

    def many(transport: httpx.AsyncBaseTransport) -> Callable[[], object]:
        client = httpx.AsyncClient(transport=transport)

        async def get() -> None:
            for _ in range(20):
                await client.get(URL)

        return lambda: loop.run_until_complete(get())

    calls = {
        "bare": many(inner),
        "null observer": many(AsyncDebuggingTransport(inner, ignore)),
        "OpenTelemetry, no-op": many(AsyncOpenTelemetryTransport(inner, NoOpTracerProvider())),
    }
    compare(report, "AsyncClient.get on a stub", calls)
    loop.close()


def in_a_file(report: Report, requests: int = 20) -> None:
    """Whole recordings, as the thread of one would work on while others are measured."""
    stub = httpx.MockTransport(hello)

    def get(transport: httpx.BaseTransport) -> None:
        with httpx.Client(transport=transport) as client:
            for _ in range(requests):
                client.get(URL)

    with tempfile.TemporaryDirectory() as directory:

        def record(bodies: int) -> None:
            with HARRecorder(Path(directory) / "stub.har") as recorder:
                get(DebuggingTransport(stub, recorder, bodies=bodies))

        calls: dict[str, Callable[[], object]] = {
            "bare": lambda: get(stub),
            "HAR": lambda: record(0),
            "HAR, bodies": lambda: record(4096),
        }
        times = medians(calls)
    report.heading(
        f"A recording of {requests} requests on a stub, from its start to its end, against bare",
        to=BARE,
    )
    for name in ("HAR", "HAR, bodies"):
        report.ratio(name, times[name] / times["bare"])


@contextmanager
def server() -> Iterator[str]:
    """A server on loopback that does next to nothing, so that the client is what is measured."""

    def serve(peer: socket.socket) -> None:
        with peer:
            while data := peer.recv(65536):
                if data.endswith(b"\r\n\r\n"):
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def on_loopback(report: Report) -> None:
    with server() as url, ExitStack() as stack:
        # A pool for each: what one leaves behind is not another's.
        names = observed(httpx.MockTransport(hello))
        calls = {name: getting(stack, observed(httpx.HTTPTransport())[name], url) for name in names}
        compare(report, "client.get on loopback", calls)


def on_loopback_in_a_loop(report: Report) -> None:
    loop = asyncio.new_event_loop()
    clients: list[httpx.AsyncClient] = []

    def get(wrap: Callable[[httpx.AsyncHTTPTransport], Any], url: str) -> Callable[[], object]:
        clients.append(httpx.AsyncClient(transport=wrap(httpx.AsyncHTTPTransport())))
        client = clients[-1]
        return lambda: loop.run_until_complete(client.get(url))

    with server() as url:
        calls = {
            "bare": get(lambda inner: inner, url),
            "null observer": get(lambda inner: AsyncDebuggingTransport(inner, ignore), url),
            "OpenTelemetry, no-op": get(
                lambda inner: AsyncOpenTelemetryTransport(inner, NoOpTracerProvider()), url
            ),
        }
        compare(report, "AsyncClient.get on loopback", calls)
        for client in clients:
            loop.run_until_complete(client.aclose())
    loop.close()


def main() -> None:
    report = Report()
    on_a_stub(report)
    in_a_file(report)
    on_a_stub_in_a_loop(report)
    on_loopback(report)
    on_loopback_in_a_loop(report)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
