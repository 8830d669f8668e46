"""A plain and a TLS server behind one port: HSTS keeps a port that is not 80.

The first byte of a connection tells which of the two it is for.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.raw import raw_server, read_head, respond

YEAR = "Strict-Transport-Security: max-age=31536000"
_HANDSHAKE = b"\x16"


@dataclass
class Pair:
    """What the two servers say and have seen.

    Attributes:
        port: where both are, on localhost.
        script: a status line and headers for `scheme /path`; without one, the plain server
            moves everybody to the other, which answers 200 and asks for HTTPS for a year.
        plain: the heads of the requests that came in the clear.
        tls: the heads of those that came over TLS.
    """

    port: int = 0
    script: dict[str, tuple[str, ...]] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)
    tls: list[str] = field(default_factory=list)

    @property
    def http(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def https(self) -> str:
        return f"https://localhost:{self.port}"

    def answer(self, scheme: str, connection: socket.socket) -> None:
        while True:
            head = read_head(connection).decode()
            (self.plain if scheme == "http" else self.tls).append(head)
            path = head.split(" ", 2)[1]
            moved = ("301 Moved Permanently", f"Location: {self.https}{path}")
            answer = self.script.get(
                f"{scheme} {path}", moved if scheme == "http" else ("200", YEAR)
            )
            length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
            left = int(length or "0")
            while left:
                left -= len(connection.recv(left))
            respond(connection, *answer)


@contextmanager
def pair(certificate: Path) -> Iterator[Pair]:
    """Both servers on a free port of localhost, each connection in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    servers = Pair()

    def talk(connection: socket.socket) -> None:
        try:
            if connection.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
                with context.wrap_socket(connection, server_side=True) as tls:
                    servers.answer("https", tls)
            else:
                servers.answer("http", connection)
        except (ssl.SSLError, ConnectionError):
            pass  # The client has gone, perhaps because it does not trust the certificate.

    with raw_server(talk) as url:
        servers.port = int(url.rpartition(":")[2])
        yield servers
