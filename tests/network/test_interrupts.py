"""Ctrl-C in the middle of a handshake or a wait: no place is lost."""

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support import proxies
from support.library import httpx, shell
from support.networks import limits, taken
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
def interrupted_when(is_time: Callable[[], bool]) -> Iterator[None]:
    """Ctrl-C, once it is known to come in time."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        while not is_time():
            time.sleep(0.001)
        # The one who waits may still be on its way there; being late changes nothing.
        time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("scheme", "talk"),
    [
        ("http", proxies.hanging),
        pytest.param("http", proxies.tunnel_mute, marks=LEFT_BY_PYTHON),
        ("socks5", proxies.mute),
        ("socks5", proxies.socks_hanging),
    ],
)
def test_of_a_handshake_leaves_no_trace(scheme: str, talk: Talk) -> None:
    with raw_proxy(talk, scheme) as proxy:
        transport = NetworkTransport(proxy=proxy.url, limits=limits(1))
        with httpx.Client(transport=transport, timeout=30) as client:
            for number in range(3):
                with interrupted_when(lambda: proxy.connections > number):  # noqa: B023 - used at once
                    client.get("https://shop.example/")
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
                with interrupted_when(lambda: "1 waiting" in taken(transport)):
                    client.get(url)
                assert taken(transport) == "1 connections, 0 idle, 0 waiting"
            assert client.get(url).text == "fine"
