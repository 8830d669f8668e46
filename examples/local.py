"""Servers and proxies on this machine, for the examples beside this file. Nobody has to read it.

An answer is a function from `httpx.Request` to `httpx.Response`, as for `httpx.MockTransport`, but
here it answers over real connections. One that raises ConnectionError hangs up, and so does the
iterator of a body. Importing this makes the process trust the servers' certificate, and forget the
proxies of the environment, which would be asked for 127.0.0.1 too.
"""

import os
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import cycle
from pathlib import Path
from socket import IPPROTO_TCP, MSG_PEEK, TCP_NODELAY, socket
from socketserver import BaseServer, TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any, TypeVar

import anyio
import httpx

Answer = Callable[[httpx.Request], httpx.Response]
AnyServer = TypeVar("AnyServer", bound=BaseServer)

NOBODY = "http://127.0.0.1:1"
"""A URL where nobody listens."""

CERTIFICATE = Path(__file__).with_name("localhost.pem")

for _name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)
os.environ["SSL_CERT_FILE"] = str(CERTIFICATE)


def hello(request: httpx.Request) -> httpx.Response:
    """Say which URL was asked for, and through which proxy."""
    via = request.headers.get("Via")
    return httpx.Response(200, text=f"{request.url}{f' through {via[4:]}' if via else ''}")


def in_turn(*answers: int | httpx.Response | None) -> Answer:
    """Give these answers one after the other, and then again; None hangs up.

    A status alone comes with its name as text, and an error asks to be tried again at once.
    """
    turns = cycle(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        turn = next(turns)
        if turn is None:
            raise ConnectionResetError
        if isinstance(turn, int):
            headers = {"Retry-After": "0"} if turn >= 400 else {}
            return httpx.Response(turn, headers=headers, text=httpx.codes.get_reason_phrase(turn))
        return turn

    return answer


def breaking(content: bytes, pieces: int = 4) -> Answer:
    """Give a file in as many ranges: each time the connection breaks after the next piece of it."""
    size = len(content)

    def body(start: int) -> Iterator[bytes]:
        end = start + size // pieces
        yield content[start:end]
        if end < size:
            raise ConnectionResetError

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(
            request.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0]
        )
        headers = {"ETag": '"1"', "Content-Length": str(size - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        return httpx.Response(206 if start else 200, headers=headers, content=body(start))

    return answer


@contextmanager
def server(answer: Answer = hello) -> Iterator[str]:
    """An origin, by its http:// URL. It speaks TLS at the same port, to those who do."""
    with serving(TCP(("127.0.0.1", 0), answer)) as running:
        yield running.url


@contextmanager
def https_server(answer: Answer = hello) -> Iterator[str]:
    """The same by its https:// URL."""
    with server(answer) as url:
        yield url.replace("http", "https")


@contextmanager
def proxies(count: int, answer: Answer = hello) -> Iterator[list[str]]:
    """Proxies that answer in place of every host, over http and https.

    The request has a Via header, `1.1 proxy 1` and so on.
    """
    with ExitStack() as stack:
        made = [TCP(("127.0.0.1", 0), answer, f"proxy {n + 1}") for n in range(count)]
        yield [stack.enter_context(serving(proxy)).url for proxy in made]


@contextmanager
def internet(answer: Answer = hello) -> Iterator[None]:
    """All hosts: the environment's proxy is one that answers in their place."""
    with server(answer) as url:
        os.environ["ALL_PROXY"] = url
        try:
            yield
        finally:
            del os.environ["ALL_PROXY"]


@contextmanager
def unix_server(answer: Answer = hello) -> Iterator[str]:
    """An origin at a Unix socket, by its path."""
    from socketserver import UnixStreamServer

    class UnixServer(Server, UnixStreamServer):
        pass

    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "server.sock"))
        with serving(UnixServer(path, answer)):
            yield path


@contextmanager
def http2_server(answer: Answer = hello) -> Iterator[str]:
    """An origin, by its https:// URL, that speaks HTTP/2 and HTTP/1.1: Hypercorn's."""
    import asyncio

    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode()
        request = httpx.Request(
            scope["method"], f"https://{host}{scope['raw_path'].decode()}", headers=scope["headers"]
        )
        while (await receive())["more_body"]:
            pass
        response = answer(request)
        start = {"status": response.status_code, "headers": response.headers.raw}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": response.content})

    async def main() -> None:
        await serve(app, config, shutdown_trigger=stop.wait)

    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = Config.from_mapping(
            bind=[f"fd://{os.dup(listening.fileno())}"],
            certfile=str(CERTIFICATE),
            keyfile=str(CERTIFICATE),
            loglevel="ERROR",
        )
        thread = Thread(target=loop.run_until_complete, args=(main(),))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


def get(client: httpx.Client, *urls: str) -> list[httpx.Response]:
    """Ask for some URLs, and close the client."""
    with client:
        return [client.get(url) for url in urls]


def get_async(client: httpx.AsyncClient, *urls: str) -> list[httpx.Response]:
    """The same in an event loop."""

    async def main() -> list[httpx.Response]:
        async with client:
            return [await client.get(url) for url in urls]

    return anyio.run(main)


@contextmanager
def serving(server: AnyServer) -> Iterator[AnyServer]:
    with server:
        # The end waits for the next poll, so polls are short.
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
TLS.load_cert_chain(CERTIFICATE)


class Server(ThreadingMixIn, BaseServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: Any, answer: Answer, name: str = "") -> None:
        self.answer, self.name = answer, name
        super().__init__(address, Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The first byte of a connection tells whether it is TLS.
        if request.recv(1, MSG_PEEK) == b"\x16":
            with TLS.wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is nothing to report.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class TCP(Server, TCPServer):
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Connections that were left open end, too.
    timeout = 5
    server: Server

    def setup(self) -> None:
        if self.client_address:  # that of a Unix socket is empty
            self.request.setsockopt(IPPROTO_TCP, TCP_NODELAY, True)
        super().setup()

    def do_GET(self) -> None:
        is_tls = isinstance(self.connection, ssl.SSLSocket)
        is_absolute = not self.path.startswith(("/", "*"))
        host = self.headers.get("Host", "127.0.0.1")
        url = self.path if is_absolute else f"http{'s' * is_tls}://{host}{self.path}"
        via = [("Via", f"1.1 {self.server.name}")] if self.server.name else []
        headers = [*self.headers.items(), *via]
        request = httpx.Request(self.command, url, headers=headers, content=self.read_body())
        request.extensions["client"] = self.client_address
        try:
            self.send(self.server.answer(request))
        except ConnectionError:
            self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        if self.connection.recv(1, MSG_PEEK):
            with TLS.wrap_socket(self.connection, server_side=True) as tls:
                type(self)(tls, self.client_address, self.server)

    def read_body(self) -> bytes:
        if "Transfer-Encoding" not in self.headers:
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def send(self, response: httpx.Response) -> None:
        self.send_response_only(response.status_code)
        is_chunked = "Transfer-Encoding" in response.headers
        if not is_chunked:
            response.headers.setdefault("Content-Length", "0")
        for name, value in response.headers.multi_items():
            self.send_header(name, value)
        self.end_headers()
        assert isinstance(response.stream, httpx.SyncByteStream)
        if self.command != "HEAD":
            for data in response.stream:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if is_chunked else data)
            self.wfile.write(b"0\r\n\r\n" if is_chunked else b"")

    def log_message(self, *args: object) -> None:
        """Leave the output to the example."""
