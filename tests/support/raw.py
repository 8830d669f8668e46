"""A server that says what a test wants, byte for byte."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_END = b"\r\n\r\n"

Talk = Callable[[socket.socket], None]


class _Handler(socketserver.BaseRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        # A client that never lets go fails its test instead of holding up all others.
        self.request.settimeout(10)
        self.server.talk(self.request)


class _Server(socketserver.ThreadingTCPServer):
    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._is_stopping = False
        super().__init__(("127.0.0.1", 0), _Handler)

    def serve(self) -> None:
        """Serve until `stop`; unlike `serve_forever`, without looking for it now and then."""
        while not self._is_stopping:
            self.handle_request()

    def stop(self) -> None:
        self._is_stopping = True
        with socket.create_connection(self.socket.getsockname()):
            pass

    def verify_request(self, request: object, client_address: object) -> bool:
        return not self._is_stopping


@contextmanager
def raw_server(talk: Talk) -> Iterator[str]:
    """The URL of a server on loopback that hands each connection to `talk`, in a thread."""
    with _Server(talk) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.stop()
            thread.join()


def read_head(connection: socket.socket) -> bytes:
    """What the client says, up to the empty line."""
    head = b""
    while not head.endswith(_END):
        received = connection.recv(_up_to_the_end(connection, head))
        if not received:
            raise ConnectionError(f"the client left after {head!r}")
        head += received
    return head


def _up_to_the_end(connection: socket.socket, head: bytes) -> int:
    """The number of bytes to read: all that came, but nothing behind the head."""
    if isinstance(connection, ssl.SSLSocket):  # It does not tell what came before it is read.
        return 1
    coming = connection.recv(65536, socket.MSG_PEEK)
    end = (head + coming).find(_END)
    return max(len(coming), 1) if end < 0 else end + len(_END) - len(head)


def wait_for_end(connection: socket.socket) -> None:
    """Say nothing until the client has closed the connection."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass


def respond(connection: socket.socket, status: str, *headers: str, body: bytes = b"") -> None:
    """A whole response; the client may send another request."""
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", "")
    connection.sendall("\r\n".join(lines).encode("ascii") + body)


def answering(status: str, *headers: str) -> Talk:
    """Answers one request with a response without a body."""

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        respond(connection, status, *headers)
        wait_for_end(connection)

    return talk
