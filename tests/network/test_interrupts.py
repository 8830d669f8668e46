"""Ctrl-C in the middle of a handshake or a wait: no place is lost."""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support import proxies
from support.library import httpx, shell
from support.networks import Queued, limits, taken
from support.proxies import raw_proxy
from support.raw import Talk, raw_server, read_head, respond

NetworkTransport = shell("network").NetworkTransport

# Before 3.13, Python leaves a socket that was interrupted in its TLS handshake to the garbage
# collector, and out of reach of all others.
LEFT_BY_PYTHON = (
    [pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")]
    if sys.version_info < (3, 13)
    else []
)


@contextmanager
def interrupted() -> Iterator[Callable[[], None]]:
    """Ctrl-C at once, or a little later, when what it yields has been called."""
    main = threading.main_thread().ident
    assert main is not None
    is_time, is_over = threading.Event(), threading.Event()

    def interrupt() -> None:
        is_time.wait(30)
        while not is_over.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            # One that came on the way into a system call has not ended it; another one will.
            is_over.wait(0.01)

    def once(*_: object) -> None:
        if not is_over.is_set():
            is_over.set()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, once)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield is_time.set
    finally:
        is_over.set()
        is_time.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("scheme", "talk", "step"),
    [
        ("http", proxies.hanging, "receive_response_headers"),
        pytest.param("http", proxies.tunnel_mute, "start_tls", marks=LEFT_BY_PYTHON),
        ("socks5", proxies.mute, "setup_socks5_connection"),
        ("socks5", proxies.socks_hanging, "setup_socks5_connection"),
    ],
)
def test_of_a_handshake_leaves_no_trace(scheme: str, talk: Talk, step: str) -> None:
    with raw_proxy(talk, scheme) as proxy:
        transport = NetworkTransport(proxy=proxy.url, limits=limits(1))
        with httpx.Client(transport=transport, timeout=30) as client:
            for _ in range(3):
                with interrupted() as interrupt:

                    def trace(event: str, _: object) -> None:
                        if event.endswith(f".{step}.started"):
                            interrupt()

                    client.get("https://shop.example/", extensions={"trace": trace})
                assert taken(transport) == "0 connections, 0 idle, 0 waiting"


def test_of_a_wait_leaves_the_queue() -> None:
    def talk(connection: socket.socket) -> None:
        while True:
            read_head(connection)
            respond(connection, "200 OK", body=b"fine")

    with raw_server(talk) as url:
        transport = NetworkTransport(limits=limits(1))
        with httpx.Client(transport=transport, timeout=30) as client:
            with client.stream("GET", url):
                with interrupted() as interrupt:
                    client.get(url, extensions={"timeout": {"pool": Queued(interrupt)}})
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert client.get(url).text == "fine"
