"""One client, and every request takes its own way: a routing dict at work.

    pip install . && python examples/quickstart.py

It needs no network: two origin servers (http and https) and two proxies run on this machine
while it lasts, and the proxies lead every host name to those origins. The same requests are
sent with `httpx.Client` and with `httpx.AsyncClient`, and tables show which pattern took each
URL and who answered. The exit status is 1 when one went another way than `expected` says.
"""

import base64
import select
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any, Self
from wsgiref.types import StartResponse, WSGIEnvironment

import anyio
import httpx

from transportkit import AsyncMounts, HTTPSRedirect, Mounts, RefusingTransport

CERTIFICATE = Path(__file__).with_name("localhost.pem")


def make_mounts(proxy_a: str, proxy_b: str) -> Mounts:
    return Mounts(
        {
            "all://": f"http://{proxy_a}",
            "all://*.partner.example": f"http://scott:tiger@{proxy_b}",
            "https://shop.example/api": f"http://scott:tiger@{proxy_b}",
            "all://127.0.0.1": None,
            "http://secure.example": HTTPSRedirect(),
            "all://mock.example": httpx.MockTransport(mock),
            "http://app.example": httpx.WSGITransport(wsgi_app),
            "all://*ads.example": RefusingTransport("no ads, please"),
        },
        # Both are here for the servers below. Without them, what your system trusts is trusted,
        # and what no pattern takes goes through the proxies of your environment.
        verify=ssl.create_default_context(cafile=CERTIFICATE),
        trust_env=False,
    )


def make_async_mounts(proxy_a: str, proxy_b: str) -> AsyncMounts:
    # Written out again to be copied from: only the transport of the app is another one.
    return AsyncMounts(
        {
            "all://": f"http://{proxy_a}",
            "all://*.partner.example": f"http://scott:tiger@{proxy_b}",
            "https://shop.example/api": f"http://scott:tiger@{proxy_b}",
            "all://127.0.0.1": None,
            "http://secure.example": HTTPSRedirect(),
            "all://mock.example": httpx.MockTransport(mock),
            "http://app.example": httpx.ASGITransport(asgi_app),
            "all://*ads.example": RefusingTransport("no ads, please"),
        },
        verify=ssl.create_default_context(cafile=CERTIFICATE),
        trust_env=False,
    )


# A URL, the pattern that takes it, and what answers.
Hop = tuple[str, str | None, str]


def expected(origin: str) -> list[list[Hop]]:
    """The requests to send, each with its hops: one, or more where it is redirected."""
    return [
        [("http://shop.example/", "all://", "http origin, via proxy A")],
        [("https://shop.example/", "all://", "https origin, via proxy A")],
        [("https://shop.example/api/1", "https://shop.example/api", "https origin, via proxy B")],
        [("http://eu.partner.example/", "all://*.partner.example", "http origin, via proxy B")],
        [(f"http://{origin}/", "all://127.0.0.1", "http origin, no proxy")],
        [
            ("http://secure.example/", "http://secure.example", "307 to https://secure.example/"),
            ("https://secure.example/", "all://", "https origin, via proxy A"),
        ],
        [("https://mock.example/", "all://mock.example", "mock, no network")],
        [("http://app.example/", "http://app.example", "app, no network")],
        [("https://my.ads.example/", "all://*ads.example", "UnsupportedProtocol: no ads, please")],
    ]


def send(mounts: Mounts, urls: list[str]) -> list[list[Hop]]:
    seen = []
    with httpx.Client(transport=mounts, follow_redirects=True) as client:
        for url in urls:
            try:
                seen.append(hops(mounts, client.get(url)))
            except httpx.TransportError as error:
                seen.append([failed(mounts, url, error)])
    return seen


async def send_async(mounts: AsyncMounts, urls: list[str]) -> list[list[Hop]]:
    seen = []
    async with httpx.AsyncClient(transport=mounts, follow_redirects=True) as client:
        for url in urls:
            try:
                seen.append(hops(mounts, await client.get(url)))
            except httpx.TransportError as error:
                seen.append([failed(mounts, url, error)])
    return seen


def hops(mounts: Mounts | AsyncMounts, last: httpx.Response) -> list[Hop]:
    seen = []
    for response in [*last.history, last]:
        location = response.headers.get("Location")
        answer = f"{response.status_code} to {location}" if location else response.text
        seen.append((str(response.url), mounts.route_for(response.url).pattern, answer))
    return seen


def failed(mounts: Mounts | AsyncMounts, url: str, error: httpx.TransportError) -> Hop:
    return url, mounts.route_for(url).pattern, f"{type(error).__name__}: {error}"


def print_table(title: str, seen: list[list[Hop]], stated: list[list[Hop]]) -> int:
    """Print each hop, and what was stated where it differs. Returns how many requests did."""
    wrong = 0
    print(f"\n{title:<28}{'taken by':<26}answer")
    for seen_hops, stated_hops in zip(seen, stated, strict=True):
        for url, pattern, answer in seen_hops:
            print(f"{url:<28}{pattern or '(anything else)':<26}{answer}")
        if seen_hops != stated_hops:
            print(f"  BUT STATED WAS: {stated_hops}")
            wrong += 1
    return wrong


def main() -> int:
    with (
        Origin("http origin") as http,
        Origin("https origin", tls=True) as https,
        Proxy("proxy A", http, https) as proxy_a,
        Proxy("proxy B", http, https, credentials="scott:tiger") as proxy_b,
    ):
        stated = expected(http.address)
        urls = [first_hop[0] for first_hop, *_ in stated]
        mounts = make_mounts(proxy_a.address, proxy_b.address)
        print(mounts)
        wrong = print_table("httpx.Client", send(mounts, urls), stated)
        async_mounts = make_async_mounts(proxy_a.address, proxy_b.address)
        seen = anyio.run(send_async, async_mounts, urls)
        wrong += print_table("httpx.AsyncClient", seen, stated)
    if wrong:
        print(f"\n{wrong} of {2 * len(stated)} requests went another way than stated.")
        return 1
    print(f"\nAll {2 * len(stated)} requests went as stated.")
    return 0


# From here on: what answers. None of it is needed to use transportkit.


def mock(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="mock, no network")


def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"app, no network"]


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def asgi_app(scope: Message, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"app, no network"})


class Server(ThreadingTCPServer):
    """Serves on a free port of this machine, in threads, until its `with` block ends."""

    def __init__(self, name: str, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.name = name
        self.address = f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        # The end of the block waits for the next poll, so polls are short.
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle (Ctrl-C) is nothing to report.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    # The server waits for its connections at the end, also for those that never say a word.
    timeout = 5

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tables free of an access log."""


class Origin(Server):
    def __init__(self, name: str, tls: bool = False) -> None:
        super().__init__(name, OriginHandler)
        # No header gets into a tunnel, so proxies leave a note of the port they send from.
        self.proxies: dict[int, str] = {}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            # Handshakes happen in the threads of the connections: here they would stop others.
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )


class OriginHandler(Handler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Origin)
        proxy = self.server.proxies.pop(self.client_address[1], None)
        self.answer(200, f"{self.server.name}, {f'via {proxy}' if proxy else 'no proxy'}")


class Proxy(Server):
    def __init__(self, name: str, http: Origin, https: Origin, credentials: str = "") -> None:
        super().__init__(name, ProxyHandler)
        self.http, self.https = http, https
        token = base64.b64encode(credentials.encode()).decode()
        self.authorization = f"Basic {token}" if credentials else None


class ProxyHandler(Handler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Proxy)
        if self.headers["Proxy-Authorization"] != self.server.authorization:
            self.answer(407, f"{self.server.name} lets nobody through without the password")
            return
        is_tunnel = self.command == "CONNECT"
        origin = self.server.https if is_tunnel else self.server.http
        with socket.create_connection(origin.socket.getsockname()) as upstream:
            origin.proxies[upstream.getsockname()[1]] = self.server.name
            if is_tunnel:
                self.send_response(200)
                self.end_headers()
            else:
                upstream.sendall(f"{self.requestline}\r\n\r\n".encode())
            relay(self.connection, upstream)

    do_CONNECT = do_GET


def relay(client: socket.socket, upstream: socket.socket) -> None:
    """Pass on what either side sends, until one of them closes."""
    other = {client: upstream, upstream: client}
    while True:
        for sender in select.select(other, [], [])[0]:
            data = sender.recv(65536)
            if not data:
                return
            other[sender].sendall(data)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
