"""A raw HTTP/2 origin over TLS, for faults that no well-behaved server commits."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
from hyperframe.frame import GoAwayFrame

from .raw import raw_server


@dataclass
class H2Request:
    """One request, as far as it arrived."""

    stream: int
    headers: dict[str, str]
    body: bytes = b""
    is_whole: bool = False
    # Sent before the answer, in one segment with it.
    prefix: bytes = b""


# Sends what it likes; returns whether the connection goes on.
Answer = Callable[[h2.connection.H2Connection, H2Request], bool]


@dataclass
class H2Origin:
    """What answers each request when it is whole, or when its head is there, and who came."""

    certificate: Path
    answer: Answer
    at_head: Answer
    requests: list[H2Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._context.set_alpn_protocols(["h2"])

    def talk(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._context.wrap_socket(connection, server_side=True) as tls:
            self.connections += 1
            config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
            http = h2.connection.H2Connection(config)
            http.initiate_connection()
            tls.sendall(http.data_to_send())
            with contextlib.suppress(OSError):
                self._serve(tls, http)

    def _serve(self, tls: ssl.SSLSocket, http: h2.connection.H2Connection) -> None:
        coming: dict[int, H2Request] = {}
        while data := tls.recv(65536):
            for event in http.receive_data(data):
                goes_on = True
                if isinstance(event, h2.events.RequestReceived):
                    headers = {str(name): str(value) for name, value in event.headers}
                    request = coming[event.stream_id] = H2Request(event.stream_id, headers)
                    self.requests.append(request)
                    goes_on = self.at_head(http, request)
                elif isinstance(event, h2.events.DataReceived):
                    coming[event.stream_id].body += event.data
                    http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    request = coming[event.stream_id]
                    request.is_whole = True
                    goes_on = self.answer(http, request)
                    tls.sendall(request.prefix + http.data_to_send())
                if not goes_on:
                    tls.sendall(http.data_to_send())
                    # What the client still says would turn the end into a reset.
                    tls.shutdown(socket.SHUT_WR)
                    while tls.recv(65536):
                        pass
                    return
            tls.sendall(http.data_to_send())


@contextmanager
def h2_origin(
    certificates: Path, answer: Answer, at_head: Answer = lambda http, request: True
) -> Iterator[tuple[H2Origin, str]]:
    """An origin with the certificate of the session, and its URL."""
    origin = H2Origin(certificates / "server.pem", answer, at_head)
    with raw_server(origin.talk) as url:
        yield origin, url.replace("http:", "https:")


def reset_stream(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """RST_STREAM: the stream ends, the connection goes on."""
    http.reset_stream(request.stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
    return True


def go_away(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """GOAWAY, and the connection ends."""
    http.close_connection(h2.errors.ErrorCodes.NO_ERROR)
    return False


def refuse_stream(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """RST_STREAM that says that nothing was processed; the connection goes on."""
    http.reset_stream(request.stream, h2.errors.ErrorCodes.REFUSED_STREAM)
    return True


def go_away_unprocessed(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """GOAWAY that says that no stream was processed, and the connection ends."""
    http.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=0)
    return False


def go_away_and_answer(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """GOAWAY and the last answer in one segment, as nginx sends them."""
    request.prefix = GoAwayFrame(0, last_stream_id=request.stream).serialize()
    http.send_headers(request.stream, [(":status", "200")], end_stream=True)
    return False


def cut(http: h2.connection.H2Connection, request: H2Request) -> bool:
    """The connection ends without a word, TLS's included."""
    return False
