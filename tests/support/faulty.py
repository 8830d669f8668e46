"""An origin that fails as it is told, on real sockets, and counts what reaches it.

It follows a script: each step takes one connection or one request. When the script is at its
end, every request is answered with 200.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import h11


@dataclass
class Seen:
    """One request, as far as it arrived."""

    method: str
    headers: dict[str, str]
    body: bytes = b""
    is_whole: bool = False


class Connection:
    """One accepted connection, and the HTTP/1.1 on it."""

    def __init__(self, peer: socket.socket, origin: "FaultyOrigin") -> None:
        self.peer = peer
        self._origin = origin
        self._http = h11.Connection(h11.SERVER)

    def _next(self) -> h11.Event:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._http.receive_data(self.peer.recv(65536))

    def read_head(self) -> Seen | None:
        """The head of the next request, None when the client has left."""
        event = self._next()
        if not isinstance(event, h11.Request):
            return None
        headers = {name.decode(): value.decode() for name, value in event.headers}
        seen = Seen(event.method.decode(), headers)
        self._origin.requests.append(seen)
        return seen

    def read_some(self, seen: Seen) -> None:
        """A part of the body."""
        event = self._next()
        if isinstance(event, h11.Data):
            seen.body += bytes(event.data)
        seen.is_whole = isinstance(event, h11.EndOfMessage)

    def read_request(self) -> Seen | None:
        """The next request, whole."""
        seen = self.read_head()
        while seen is not None and not seen.is_whole:
            self.read_some(seen)
        return seen

    def send(self, data: bytes) -> None:
        self.peer.sendall(data)

    def respond(self, status: int, headers: dict[str, str], body: bytes = b"") -> bool:
        """A whole response. Returns whether the connection can go on."""
        fields = [("Content-Length", str(len(body))), *headers.items()]
        data = self._http.send(h11.Response(status_code=status, headers=fields))
        data = (data or b"") + (self._http.send(h11.Data(data=body)) or b"")
        self.send(data + (self._http.send(h11.EndOfMessage()) or b""))
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def reset(self) -> None:
        """Close with a RST instead of a FIN."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_for_end(self) -> None:
        """Say nothing until the client has closed the connection."""
        self._origin.has_stalled = True
        while self.peer.recv(65536):
            pass


# A step returns whether the connection goes on.
Step = Callable[[Connection], bool]


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Step:
    """Read a request whole, and answer it."""

    def step(connection: Connection) -> bool:
        if connection.read_request() is None:
            return False
        return connection.respond(status, headers or {}, body)

    return step


def reset_on_accept(connection: Connection) -> bool:
    connection.reset()
    return False


def reset_after_head(connection: Connection) -> bool:
    connection.read_head()
    connection.reset()
    return False


def reset_in_request_body(connection: Connection) -> bool:
    seen = connection.read_head()
    if seen is not None:
        connection.read_some(seen)
    connection.reset()
    return False


def reset_after_request(connection: Connection) -> bool:
    connection.read_request()
    connection.reset()
    return False


def close_after_request(connection: Connection) -> bool:
    connection.read_request()
    return False


def stall(connection: Connection) -> bool:
    connection.read_request()
    connection.wait_for_end()
    return False


def half_a_chunk(status: int) -> Step:
    """A chunked response that ends in the middle of a chunk."""

    def step(connection: Connection) -> bool:
        connection.read_request()
        head = f"HTTP/1.1 {status} Whatever\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.send(head.encode() + b"20\r\nnot twenty bytes")
        return False

    return step


def reset_in_response_body(status: int) -> Step:
    """A response of which only half comes."""

    def step(connection: Connection) -> bool:
        connection.read_request()
        connection.send(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 20\r\n\r\nhalf".encode())
        connection.reset()
        return False

    return step


@dataclass
class FaultyOrigin:
    """What a script did, and who came.

    Attributes:
        url: of a host on loopback; nobody listens there until `listen` was called.
        requests: every request whose head arrived, in order.
        connections: how many were accepted.
        has_stalled: whether a step waits, or has waited, for the client to leave.
    """

    listener: socket.socket
    script: list[Step]
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0
    has_stalled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _peers: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def listen(self) -> None:
        """Accept connections from now on."""
        if not self._threads:
            self.listener.listen()
            self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.settimeout(10)
            with self._lock:
                self.connections += 1
                self._peers.append(peer)
            self._start(self._serve, peer)

    def _next_step(self) -> Step:
        with self._lock:
            return self.script.pop(0) if self.script else answer(200, {}, b"fine")

    def _serve(self, peer: socket.socket) -> None:
        connection = Connection(peer, self)
        with peer:
            try:
                # The step is chosen when a request comes, not when the last one was answered.
                while peer.recv(1, socket.MSG_PEEK) and self._next_step()(connection):
                    pass
            except (OSError, h11.RemoteProtocolError):
                pass

    def stop(self) -> None:
        # What waits in accept() or recv() of another thread wakes by a shutdown, not by a close.
        for waiting in (self.listener, *self._peers):
            try:
                waiting.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()


@contextmanager
def faulty_origin(*script: Step, listening: bool = True) -> Iterator[FaultyOrigin]:
    """An origin that follows a script; it refuses connections until it listens."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        origin = FaultyOrigin(listener, list(script))
        if listening:
            origin.listen()
        try:
            yield origin
        finally:
            origin.stop()
