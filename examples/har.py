"""Record what a program sends and gets in a HAR file, for the network panel of a browser.

    python examples/har.py exchanges.har

It needs no network: a TLS server on this machine answers, slowly in many ways. Its certificate
is `localhost.pem`, which has to lie beside this file. The HAR goes to a temporary directory
without a name. `examples/waterfall.py` draws a picture of it. Ends with status 1 when something
went another way than stated.
"""

import json
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, AsyncRetryTransport, HARRecorder

CERTIFICATE = Path(__file__).with_name("localhost.pem")
# It is here for the server below. Without it, what your system trusts is trusted.
VERIFY = ssl.create_default_context(cafile=CERTIFICATE)


def record(path: Path, url: str) -> None:
    """A HAR of all that a client does; it is whole after the `with`."""
    with HARRecorder(path) as recorder:
        anyio.run(session, recorder, url)


async def session(recorder: HARRecorder, url: str) -> None:
    """Around the DebuggingTransport, so that each attempt is an entry of its own."""
    transport = AsyncRetryTransport(
        AsyncDebuggingTransport(None, recorder, bodies=512, verify=VERIFY)
    )
    async with (
        httpx.AsyncClient(transport=transport, follow_redirects=True, base_url=url) as client,
        anyio.create_task_group() as tasks,
    ):
        await client.post("/login", data={"name": "scott", "password": "tiger"})
        tasks.start_soon(client.get, "/style.css")
        tasks.start_soon(client.get, "/orders?page=2")
        tasks.start_soon(client.get, "/report.pdf")
        tasks.start_soon(give_up, client)
        await client.put("/photo.jpg", content=photo())


async def give_up(client: httpx.AsyncClient) -> None:
    """A request that fails is an entry, too."""
    with suppress(httpx.ReadTimeout):
        timeout = httpx.Timeout(5, read=0.25)
        await client.get("/slow", timeout=timeout, extensions={"retry": None})


async def photo() -> AsyncIterator[bytes]:
    """Of an upload, as of a download, no more than `bodies` is kept."""
    for _ in range(64):
        yield b"\xff" * 100_000


def show(path: Path) -> bool:
    """Read the file, and say whether it tells what happened."""
    content = path.read_text("utf-8")
    entries = json.loads(content)["log"]["entries"]
    for entry in entries:
        request, response = entry["request"], entry["response"]
        outcome = response.get("_error") or response["status"]
        print(f"{entry['time']:7.1f} ms  {request['method']:4} {request['url']}  {outcome}")
    statuses = sorted(entry["response"]["status"] for entry in entries)
    return statuses == [0, 200, 200, 200, 200, 201, 302, 503] and "tiger" not in content


# From here on: a server that is slow. None of it is needed to use transportkit.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A connection that is kept open would hold up the end.
    timeout = 5
    is_busy = True

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/orders" and Handler.is_busy:
            Handler.is_busy = False
            self.answer(503, "text/plain", b"busy", ("Retry-After", "0"), wait=0.03)
        elif path == "/orders":
            self.answer(200, "application/json", b'{"orders": [7, 8, 9]}', wait=0.09)
        elif path == "/report.pdf":
            self.answer(200, "application/pdf", b"%PDF-1.7\n\xff" * 20_000, wait=0.05, steps=6)
        elif path == "/slow":
            # The client gives up first.
            self.rfile.read(1)
        elif path == "/style.css":
            self.answer(200, "text/css", b"body { color: teal }\n", wait=0.02)
        else:
            self.answer(200, "text/html", b"<h1>Hello, Scott</h1>\n", wait=0.06)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        cookie = ("Set-Cookie", "session=tiger; Path=/; Secure; HttpOnly")
        self.answer(302, "text/plain", b"", cookie, ("Location", "/account"), wait=0.04)

    def do_PUT(self) -> None:
        for _ in range(8):
            time.sleep(0.01)
            self.rfile.read(800_000)
        # The last chunk, and what is around the chunks.
        self.close_connection = True
        while not self.rfile.readline().startswith(b"0\r\n"):
            pass
        self.answer(201, "text/plain", b"thanks", wait=0.04)

    def answer(
        self,
        status: int,
        kind: str,
        body: bytes,
        *headers: tuple[str, str],
        wait: float,
        steps: int = 1,
    ) -> None:
        time.sleep(wait)
        self.send_response(status)
        for name, value in (("Content-Type", kind), *headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for step in range(steps):
            self.wfile.write(body[len(body) * step // steps : len(body) * (step + 1) // steps])
            time.sleep(0.02 if steps > 1 else 0)

    def log_message(self, *args: object) -> None:
        """Leave the output to the client."""


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        # Small, so that an upload has to wait for its reader.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERTIFICATE)

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        time.sleep(0.02)
        with self.context.wrap_socket(request, server_side=True) as tls:
            super().finish_request(tls, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that gives up is nothing to report.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def server() -> Iterator[str]:
    with Server() as running:
        thread = Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"https://localhost:{running.server_address[1]}"
        finally:
            running.shutdown()
            thread.join()


def main() -> int:
    with tempfile.TemporaryDirectory() as directory, server() as url:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else Path(directory, "exchanges.har"))
        record(path, url)
        went_well = show(path)
    print("as stated" if went_well else "ANOTHER WAY THAN STATED")
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main())
