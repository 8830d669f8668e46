"""Never again in the clear to a host that asked not to: HSTS for httpx.

    pip install . && python examples/hsts.py

It needs no network: a plain and a TLS server run on this machine while it lasts. They are
behind one port, as HSTS changes `http` to `https` and leaves a port that is not 80 as it is.
Both count what reaches them, and the exit status is 1 when the counts are not as stated.
"""

import ssl
import sys
import tempfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import MSG_PEEK, socket
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Self

import anyio
import httpx

from transportkit import (
    AsyncHSTSTransport,
    HSTSStore,
    HSTSTransport,
    HTTPSRedirect,
    Mounts,
    RefusingTransport,
)

CERTIFICATE = Path(__file__).with_name("localhost.pem")
# It is here for the server below. Without it, what your system trusts is trusted.
VERIFY = ssl.create_default_context(cafile=CERTIFICATE)


def remember(store: HSTSStore, url: str) -> None:
    """Ask three times in the clear, the way people write URLs."""
    transport = HSTSTransport(store=store, verify=VERIFY)
    with httpx.Client(transport=transport, follow_redirects=True) as client:
        for _ in range(3):
            show(client.get(url))


async def remember_async(store: HSTSStore, url: str) -> None:
    """The same with an async client; the store may be the same, too."""
    transport = AsyncHSTSTransport(store=store, verify=VERIFY)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        for _ in range(3):
            show(await client.get(url))


def redirected_back(transport: httpx.BaseTransport, url: str) -> None:
    """Ask for a page over https that a forgetful server redirects to http."""
    with httpx.Client(transport=transport, follow_redirects=True) as client:
        try:
            show(client.get(url.replace("http://", "https://") + "/forgetful"))
        except httpx.TransportError as error:
            print(f"  {type(error).__name__}: {error}")


def show(last: httpx.Response) -> None:
    """Print each hop, and who answered it."""
    for hop in last.history:
        # No answer from a server is without this, as there is a connection that it came over.
        by = "from the server" if "network_stream" in hop.extensions else "from inside the client"
        reason = hop.headers.get("Non-Authoritative-Reason", "")
        print(f"  {hop.url}  {hop.status_code} {by} {reason}")
    print(f"  {last.url}  {last.status_code} {last.text}")


def main() -> int:
    """Run each step, and compare how many requests went in the clear with what is stated."""
    wrong = 0
    with Servers() as servers, tempfile.TemporaryDirectory() as directory:
        url = f"http://localhost:{servers.port}"
        path = Path(directory) / "hsts.txt"

        def step(what: str, in_clear: int, run: Callable[[], object]) -> None:
            nonlocal wrong
            print(f"\n{what}")
            servers.in_clear = 0
            run()
            print(f"  -> {servers.in_clear} request in the clear")
            if servers.in_clear != in_clear:
                print(f"  BUT STATED WAS {in_clear}")
                wrong += 1

        step("A new store: one request goes in the clear, and never again.", 1,
             lambda: remember(HSTSStore(path), url))  # fmt: skip
        step("The file remembers, also for an async client.", 0,
             lambda: anyio.run(remember_async, HSTSStore(path), url))  # fmt: skip
        print(
            f"\nIt is a file of curl's: curl --hsts {path.name} {url}\n{path.read_text()}", end=""
        )

        preloaded = HSTSStore()
        preloaded.preload(["localhost"])
        step("A list of one's own: not even the first one.", 0,
             lambda: remember(preloaded, url))  # fmt: skip

        step("Redirected back to http, HSTSTransport goes over https instead.", 0,
             lambda: redirected_back(HSTSTransport(store=preloaded, verify=VERIFY), url))  # fmt: skip

        # The strict alternatives need no memory: they are for every host.
        # httpx sends ws:// as plain HTTP, too.
        refusing = RefusingTransport("https only")
        strict = Mounts({"http://": refusing, "ws://": refusing}, verify=VERIFY)
        step("Redirected back to http, RefusingTransport raises.", 0,
             lambda: redirected_back(strict, url))  # fmt: skip
        turning = HTTPSRedirect()
        turned = Mounts({"http://": turning, "ws://": turning}, verify=VERIFY)
        step("Redirected back to http, HTTPSRedirect goes over https, known host or not.", 0,
             lambda: redirected_back(turned, url))  # fmt: skip
    print(f"\n{f'{wrong} steps were' if wrong else 'Nothing was'} other than stated.")
    return 1 if wrong else 0


# From here on: what answers. None of it is needed to use transportkit.

Request = socket | tuple[bytes, socket]


class Handler(BaseHTTPRequestHandler):
    """Answers for both servers."""

    protocol_version = "HTTP/1.1"
    # The server waits for its connections at the end, also for those that never say a word.
    timeout = 5

    def do_GET(self) -> None:
        assert isinstance(self.server, Servers)
        is_secure = isinstance(self.connection, ssl.SSLSocket)
        self.server.in_clear += not is_secure
        there = f"://localhost:{self.server.port}"
        if not is_secure:
            self.answer(301, "", Location=f"https{there}{self.path}")
        elif self.path == "/forgetful":
            self.answer(302, "", Location=f"http{there}/")
        else:
            year = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
            self.answer(200, "from the TLS server", **year)

    def answer(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Keep the output free of an access log."""


class Servers(ThreadingTCPServer):
    """A plain and a TLS server: the first byte of a connection tells which one it is for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.in_clear = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERTIFICATE)

    def finish_request(self, request: Request, client_address: object) -> None:
        assert isinstance(request, socket)
        if request.recv(1, MSG_PEEK) == b"\x16":
            with self.context.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        else:
            super().finish_request(request, client_address)

    def __enter__(self) -> Self:
        # The end of the block waits for the next poll, so polls are short.
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Request, client_address: object) -> None:
        # A client that goes away in the middle (Ctrl-C) is nothing to report.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
