"""Try again, safely: four patterns against a server on this machine that fails on purpose.

    python examples/retrying.py

Retry on 503; a policy of one's own in tenacity's words; a policy for one request; a download
that goes on where its connection broke. Ends with status 1 when something went another way.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import httpx
import tenacity

from transportkit import (
    ResumeTransport,
    RetryPolicy,
    RetryTransport,
    retry_if_status,
    retry_if_transport_error,
)

FILE = bytes(range(256)) * 4000


def retry_on_503(url: str) -> bool:
    """As it comes: 429, 502, 503, 504 and broken connections, up to four attempts."""
    with httpx.Client(transport=RetryTransport(trust_env=False)) as client:
        response = client.get(f"{url}/busy-twice")
    for attempt in response.extensions["attempts"]:
        print(f"  {attempt.outcome}, then waited {attempt.waited:.1f} s")
    return response.status_code == 200


def policy_in_tenacity_words(url: str) -> bool:
    """Any strategy of tenacity's goes, and its logging too."""
    policy = RetryPolicy(
        retry=retry_if_status(500, 503) | retry_if_transport_error(),
        stop=tenacity.stop_after_attempt(5) | tenacity.stop_after_delay(10),
        wait=tenacity.wait_fixed(0.05) + tenacity.wait_random(0, 0.05),
        before_sleep=tenacity.before_sleep_log(logging.getLogger("example"), logging.INFO),
        deadline=20,
    )
    with httpx.Client(transport=RetryTransport(policy=policy, trust_env=False)) as client:
        return client.get(f"{url}/broken-twice").status_code == 200


def policy_for_one_request(url: str) -> bool:
    """A POST that may be repeated, and a GET that may not."""
    with httpx.Client(transport=RetryTransport(trust_env=False)) as client:
        # The server knows a repeat by its key; without one a POST is sent once.
        headers = {"Idempotency-Key": "order-1"}
        order = client.post(f"{url}/busy-twice", json={"item": 1}, headers=headers)
        once = client.get(f"{url}/busy-twice", extensions={"retry": None})
        patient = RetryPolicy(stop=tenacity.stop_after_attempt(9))
        health = client.get(f"{url}/busy-often", extensions={"retry": patient})
    print(f"  POST with a key: {order.status_code}, GET sent once: {once.status_code}")
    return (order.status_code, once.status_code, health.status_code) == (200, 503, 200)


def resume_a_download(url: str) -> bool:
    """Around a RetryTransport, so that the requests for the rest are tried again too."""
    transport = ResumeTransport(RetryTransport(trust_env=False), max_resumes=10)
    received = b""
    with (
        httpx.Client(transport=transport) as client,
        client.stream("GET", f"{url}/file") as response,
    ):
        for chunk in response.iter_bytes():
            received += chunk
    print(f"  {len(received)} bytes, in spite of {Server.breaks} broken connections")
    return received == FILE


# From here on: a server that fails. None of it is needed to use transportkit.


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: ClassVar[dict[tuple[str, str], int]] = {}
    breaks = 0

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = (self.command, self.path)
        count = self.asked[key] = self.asked.get(key, 0) + 1
        failures = {"/busy-twice": 2, "/broken-twice": 2, "/busy-often": 7}.get(self.path, 0)
        if self.path == "/file":
            self.send_part()
        elif count % (failures + 1) == 0:
            self.answer(200, b"fine")
        elif self.path.startswith("/busy"):
            self.answer(503, b"busy", ("Retry-After", "0.1"))
        else:
            self.close_connection = True

    do_POST = do_GET

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_part(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", '"v1"')
        self.send_header("Content-Length", str(len(FILE) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(FILE) - 1}/{len(FILE)}")
        self.end_headers()
        part = FILE[start : start + 300_000]
        self.wfile.write(part)
        if start + len(part) < len(FILE):
            Server.breaks += 1
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Leave the output to the client."""


@contextmanager
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def main() -> int:
    logging.basicConfig(format="  %(name)s: %(message)s")
    logging.getLogger("example").setLevel(logging.INFO)
    wrong = 0
    with server() as url:
        for pattern in (
            retry_on_503,
            policy_in_tenacity_words,
            policy_for_one_request,
            resume_a_download,
        ):
            print(f"{pattern.__name__.replace('_', ' ')}:")
            went_well = pattern(url)
            print("  as stated" if went_well else "  ANOTHER WAY THAN STATED")
            wrong += not went_well
    return wrong


if __name__ == "__main__":
    sys.exit(main())
