"""See what goes over the wire: four patterns against a server on this machine.

    python examples/debugging.py

On the console; through logging; as curl commands; to a function of one's own. Ends with status 1
when a secret was shown. For HAR files see har.py beside this one.
"""

import contextlib
import io
import logging
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from transportkit import (
    ConsoleLog,
    CurlLog,
    DebuggingTransport,
    Exchange,
    RedactingFilter,
    RetryTransport,
)

SECRET = "tiger"


def on_the_console(url: str) -> None:
    """`DebuggingTransport()` alone shows a line for each way."""
    console = ConsoleLog(headers=True)
    transport = DebuggingTransport(None, console, bodies=4096, trust_env=False)
    with httpx.Client(transport=transport, auth=("scott", SECRET)) as client:
        client.post(f"{url}/login?session={SECRET}", json={"user": "scott", "password": SECRET})
        client.get(f"{url}/missing")
        with contextlib.suppress(httpx.ConnectError):  # The console shows it.
            client.get("http://127.0.0.1:1/nobody-listens-here")


def through_logging(url: str) -> None:
    """To a logger; what httpx itself logs goes to the same handler, which masks it."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("  %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactingFilter())
    for name in ("example", "httpx"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.DEBUG)
    transport = DebuggingTransport(
        None, ConsoleLog(logging.getLogger("example").debug), trust_env=False
    )
    with httpx.Client(transport=transport) as client:
        client.get(f"{url}/?api_key={SECRET}&page=2")
    logging.getLogger("httpx").removeHandler(handler)


def as_curl_commands(url: str) -> None:
    """Outside of a RetryTransport a request is shown once, inside of it each attempt is."""
    debugging = DebuggingTransport(None, CurlLog(), bodies=100_000, trust_env=False)
    with httpx.Client(transport=RetryTransport(debugging)) as client:
        client.put(f"{url}/busy-once", data={"name": "it's me", "token": SECRET})


def to_a_function(url: str) -> None:
    """Any function of an exchange: here, which connections were new."""

    def show(exchange: Exchange) -> None:
        timings = exchange.timings
        print(f"  {exchange.method} {exchange.url}: {exchange.status}")
        print(f"    connected anew: {timings.connect is not None}, to {exchange.server_address}")

    with httpx.Client(transport=DebuggingTransport(None, show, trust_env=False)) as client:
        client.get(url)
        client.get(url)


# From here on: the server. None of it is needed to use transportkit.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5
    is_busy = True

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = 404 if self.path == "/missing" else 200
        if self.path == "/busy-once" and Handler.is_busy:
            Handler.is_busy, status = False, 503
        body = b'{"greeting": "hello", "token": "tiger"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "sid=tiger; HttpOnly")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output free of an access log."""


class Tee(io.StringIO):
    """Passes on what is printed, and keeps it."""

    def write(self, text: str) -> int:
        assert sys.__stdout__ is not None
        sys.__stdout__.write(text)
        return super().write(text)


def main() -> int:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        contextlib.redirect_stdout(Tee()) as printed,
    ):
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for pattern in (on_the_console, through_logging, as_curl_commands, to_a_function):
            print(f"\n{pattern.__name__.replace('_', ' ')}:")
            pattern(url)
        server.shutdown()
    return 1 if SECRET in printed.getvalue() else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
