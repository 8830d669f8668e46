"""An origin, and a proxy, that costs as little as it can: for benchmarks. And one with HTTP/2."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Quick(asyncio.Protocol):
    """Answers as soon as it can, or after a moment, so that many have to be open at once.

    It is an origin, and also a proxy that answers itself.
    """

    opened: ClassVar[Counter[str]] = Counter()
    is_counted = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.is_counted:
            self.is_counted = True
            self.opened[data.lower().partition(b"x-by: ")[2].partition(b"\r")[0].decode()] += 1
        if data.startswith(b"GET /opened"):
            body = json.dumps(self.opened).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
        elif data.startswith(b"GET /wait"):
            loop = asyncio.get_running_loop()
            loop.call_later(1, self._transport.write, _ANSWER)
        else:
            self._transport.write(_ANSWER)


async def _serve(certificate: str, *listening: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    for descriptor in listening:
        peer = socket.socket(fileno=int(descriptor))
        await loop.create_server(Quick, sock=peer, ssl=context, backlog=1024)
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - who started it may be killed, and say nothing
        await asyncio.sleep(1)


@contextlib.contextmanager
def quick_server(certificate: str = "", count: int = 1) -> Iterator[list[str]]:
    """The URLs of a server, in a process of its own, that listens on so many ports."""
    from support.servers import process

    with contextlib.ExitStack() as stack:
        listening = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            for _ in range(count)
        ]
        descriptors = tuple(each.fileno() for each in listening)
        command = (sys.executable, __file__, certificate, *map(str, descriptors))
        stack.enter_context(process(*command, pass_fds=descriptors))
        scheme = "https" if certificate else "http"
        yield [f"{scheme}://127.0.0.1:{each.getsockname()[1]}/" for each in listening]


@contextlib.contextmanager
def http2_server(certificate: str) -> Iterator[str]:
    origin = Path(__file__).parents[1] / "support" / "origin.py"
    from support.servers import process

    with contextlib.ExitStack() as stack:
        listening = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            for _ in range(3)
        ]
        descriptors = tuple(each.fileno() for each in listening)
        command = (sys.executable, str(origin), certificate, *map(str, descriptors))
        stack.enter_context(process(*command, pass_fds=descriptors))
        yield f"https://127.0.0.1:{listening[1].getsockname()[1]}"


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
