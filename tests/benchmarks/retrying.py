"""What a retry layer costs when nothing fails, against the bare transport and the peers.

    pip install httpx-retries && python tests/benchmarks/retrying.py

Exits with status 1 when a bar is missed.
"""

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import httpx
import httpx_retries
import tenacity
from ratios import BARE, Report, medians

from transportkit import AsyncRetryTransport, RetryPolicy, RetryTransport

Send = Callable[[httpx.Request], Any]


def request() -> httpx.Request:
    # One for each contestant: httpx-retries leaves its own state in the extensions.
    return httpx.Client().build_request("GET", "https://api.example.com/users")


def hello(request: httpx.Request) -> httpx.Response:
    """The handler of httpx's own documentation of MockTransport."""
    return httpx.Response(200, json={"text": "Hello, world!"})


def calling(send: Send) -> Callable[[], object]:
    return partial(send, request())


def in_a_loop(send: Send) -> Callable[[], object]:
    """Calls an async transport many times in one turn of a loop, so that the call is measured."""
    own = request()

    async def many() -> None:
        for _ in range(100):
            await send(own)

    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(many())


def success(report: Report) -> None:
    mock = httpx.MockTransport(hello)
    policy = tenacity.retry(stop=tenacity.stop_after_attempt(4))
    once = medians(
        {
            "bare": calling(mock.handle_request),
            "transportkit": calling(RetryTransport(mock).handle_request),
            "httpx-retries": calling(httpx_retries.RetryTransport(mock).handle_request),
            "tenacity": calling(policy(mock.handle_request)),
        }
    )
    looped = medians(
        {
            "bare": in_a_loop(mock.handle_async_request),
            "transportkit": in_a_loop(AsyncRetryTransport(mock).handle_async_request),
            "httpx-retries": in_a_loop(httpx_retries.RetryTransport(mock).handle_async_request),
            "tenacity": in_a_loop(policy(mock.handle_async_request)),
        }
    )
    for kind, times in (("sync", once), ("async", looped)):
        report.heading(f"Success over MockTransport, {kind}, against the bare transport", to=BARE)
        for name in ("transportkit", "httpx-retries", "tenacity"):
            bar = 1.05 if name == "transportkit" else 0
            is_peer = name != "transportkit"
            report.ratio(name, times[name] / times["bare"], at_most=bar, is_peer=is_peer)
        report.ratio(
            "transportkit against httpx-retries",
            times["transportkit"] / times["httpx-retries"],
            at_most=1,
            to="httpx-retries",
        )


def after_a_503(report: Report) -> None:
    def flaky() -> httpx.MockTransport:
        busy = False

        def answer(request: httpx.Request) -> httpx.Response:
            nonlocal busy
            busy = not busy
            return httpx.Response(503 if busy else 200)

        return httpx.MockTransport(answer)

    policy = RetryPolicy(wait=lambda state: 0)
    ours = RetryTransport(flaky(), policy, budget=None)
    theirs = httpx_retries.RetryTransport(flaky(), httpx_retries.Retry(backoff_factor=0))
    decorated = tenacity.retry(retry=tenacity.retry_if_result(lambda r: r.status_code == 503))(
        flaky().handle_request
    )
    times = medians(
        {
            "transportkit": calling(ours.handle_request),
            "httpx-retries": calling(theirs.handle_request),
            "tenacity": calling(decorated),
        }
    )
    report.heading("503, then 200, against httpx-retries", to="httpx-retries")
    report.ratio("transportkit", times["transportkit"] / times["httpx-retries"], at_most=1)
    report.ratio("tenacity", times["tenacity"] / times["httpx-retries"], is_peer=True)


@contextmanager
def busy_every_other_time(body: bytes) -> Iterator[str]:
    """The URL of a server on loopback that answers 503 and 200 by turns, on one connection."""

    def serve(peer: socket.socket) -> None:
        answers = [
            b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
            for status in (b"200 OK", b"503 Busy")
        ]
        with peer:
            while peer.recv(65536):
                peer.sendall(answers[-1])
                answers.reverse()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def after_a_503_on_loopback(report: Report) -> None:
    """A retried call against two calls of a bare transport, which wait for nothing either."""
    for what, body in (("without a body", b""), ("with a body", b"busy" * 100)):
        with busy_every_other_time(body) as url, ExitStack() as stack:

            def client(transport: httpx.BaseTransport | None, stack: ExitStack = stack) -> Any:
                return stack.enter_context(httpx.Client(transport=transport))

            policy = RetryPolicy(wait=lambda state: 0)
            retry = httpx_retries.Retry(backoff_factor=0)
            bare = client(httpx.HTTPTransport())
            ours = client(RetryTransport(httpx.HTTPTransport(), policy, budget=None))
            theirs = client(httpx_retries.RetryTransport(httpx.HTTPTransport(), retry))

            def twice(url: str = url, bare: Any = bare) -> None:
                bare.get(url)
                bare.get(url)

            times = medians(
                {
                    "two bare calls": twice,
                    "transportkit": partial(ours.get, url),
                    "httpx-retries": partial(theirs.get, url),
                }
            )
        report.heading(f"503 {what}, then 200, on loopback, against two bare calls", to=BARE)
        report.ratio("transportkit", times["transportkit"] / times["two bare calls"], at_most=1)
        theirs = times["httpx-retries"] / times["two bare calls"]
        report.ratio("httpx-retries", theirs, is_peer=True)


def connections_used(make: Callable[[httpx.HTTPTransport], Any]) -> int:
    """TCP connections for ten times 503 and then 200."""
    accepted = 0
    left = [b"503 Busy"] * 10

    def serve(peer: socket.socket) -> None:
        with peer:
            while data := peer.recv(65536):
                if data.endswith(b"\r\n\r\n"):
                    status = left.pop() if left else b"200 OK"
                    peer.sendall(b"HTTP/1.1 %s\r\nContent-Length: 4\r\n\r\nbody" % status)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            nonlocal accepted
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                accepted += 1
                threading.Thread(target=serve, args=(peer,)).start()

        thread = threading.Thread(target=accept)
        thread.start()
        with httpx.Client(transport=make(httpx.HTTPTransport())) as client:
            client.get(f"http://127.0.0.1:{listener.getsockname()[1]}/").raise_for_status()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    return accepted


def connections(report: Report) -> None:
    patient = RetryPolicy(stop=tenacity.stop_after_attempt(11), wait=lambda state: 0)
    retry = httpx_retries.Retry(total=10, backoff_factor=0)
    report.heading("TCP connections for 10 x 503, then 200", to="connections")
    report.ratio(
        "transportkit", connections_used(lambda inner: RetryTransport(inner, patient)), at_most=1
    )
    report.ratio(
        "httpx-retries",
        connections_used(lambda inner: httpx_retries.RetryTransport(inner, retry)),
        is_peer=True,
    )


def main() -> None:
    report = Report()
    success(report)
    after_a_503(report)
    after_a_503_on_loopback(report)
    connections(report)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
