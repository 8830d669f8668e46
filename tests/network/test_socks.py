"""SOCKS handshakes that go wrong: httpx's errors, in time, and no socket left open."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from support import proxies
from support.flavours import Flavour
from support.library import httpx
from support.proxies import raw_proxy
from support.raw import Talk, wait_for_end

from transportkit.network.handshake import Handshake, TimedStream

LONG = {"connect": 30.0, "read": 30.0, "write": 30.0, "pool": 30.0}


class Impatient(dict[str, float]):
    """Time-outs that are long but for what is read after so many answers."""

    def __init__(self, answers: int) -> None:
        super().__init__(LONG)
        self._left = answers

    def get(self, name: str, default: object = None) -> float:
        if name == "read":
            self._left -= 1
        return 0.05 if name == "read" and self._left < 0 else 30.0


async def get(flavour: Flavour, talk: Talk, **extensions: Any) -> httpx.Response:
    """Ask through a SOCKS proxy; the check of each test is that no socket is left."""
    with raw_proxy(talk, "socks5") as proxy:
        transport = flavour.NetworkTransport(proxy=proxy.url)
        request = httpx.Request("GET", "http://example.com/", extensions=extensions)
        extensions = request.extensions
        async with flavour.entered(transport):
            try:
                response = await flavour.send(transport, request)
                await flavour.read(response)
            finally:
                assert request.extensions is extensions
        return response


def wordless(connection: socket.socket) -> None:
    connection.recv(3)
    connection.sendall(b"what?")
    wait_for_end(connection)


@pytest.mark.parametrize(
    ("talk", "answers"),
    # How to log in, and that one is.
    [(proxies.mute, 0), (proxies.socks_hanging, 2)],
    ids=["at once", "before the target"],
)
async def test_a_proxy_that_stalls_is_waited_for_no_longer_than_the_timeout(
    talk: Talk, answers: int, flavour: Flavour
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await get(flavour, talk, timeout=Impatient(answers))


def test_a_proxy_that_takes_no_word_is_waited_for_no_longer_than_the_timeout() -> None:
    class Stream:
        def write(self, buffer: bytes, timeout: float | None) -> float | None:
            return timeout

    assert TimedStream(Stream(), {"write": 3.0}).write(b"word") == 3


def test_what_fails_behind_the_proxy_is_no_error_of_the_proxy() -> None:
    error, handshake = ValueError("not a name for TLS"), Handshake({})
    handshake.hear("socks.setup_socks5_connection.started", {"stream": None})
    handshake.hear("socks.start_tls.started", {})
    handshake.hear("socks.start_tls.failed", {"exception": error})
    assert handshake.error_name(error) == "ConnectError"


async def test_a_proxy_that_stalls_ends_by_the_clients_timeout(flavour: Flavour) -> None:
    with raw_proxy(proxies.mute, "socks5") as proxy:
        mounts = flavour.Mounts({"all://": proxy.url})
        timeout = httpx.Timeout(30, read=0.05)
        async with flavour.client(transport=mounts, timeout=timeout) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get("http://example.com/")


@pytest.mark.parametrize("extensions", [{"timeout": LONG}, {}], ids=["timeout", "none"])
async def test_a_handshake_that_succeeds_is_as_ever(
    extensions: dict[str, Any], flavour: Flavour
) -> None:
    response = await get(flavour, proxies.socks_accepting, **extensions)
    assert response.content == b"fine"


@pytest.mark.parametrize(
    "talk",
    [wordless, proxies.socks_closing, proxies.socks_not_socks],
    ids=["nonsense", "nothing", "HTTP"],
)
async def test_what_is_no_socks_is_a_proxy_error(talk: Talk, flavour: Flavour) -> None:
    with pytest.raises(httpx.ProxyError, match=r"^the SOCKS handshake broke: \w+$") as failed:
        await get(flavour, talk, timeout=LONG)
    assert failed.value.__cause__ is not None
    assert not isinstance(failed.value.__cause__, httpx.HTTPError)


@pytest.mark.parametrize(
    "talk", [proxies.socks_refusing, proxies.socks_no_method], ids=["the target", "the account"]
)
async def test_a_refusal_keeps_httpxs_own_words(talk: Talk, flavour: Flavour) -> None:
    with pytest.raises(httpx.ProxyError, match=r"could not connect|but got"):
        await get(flavour, talk, timeout=LONG)


def tracing(flavour: Flavour, hear: Callable[[str], None]) -> Callable[..., Any]:
    def trace(event: str, info: Any) -> None:
        hear(event)

    async def async_trace(event: str, info: Any) -> None:
        hear(event)

    return async_trace if flavour.is_async else trace


async def test_the_callers_trace_hears_all_of_it(flavour: Flavour) -> None:
    heard: list[str] = []
    await get(flavour, proxies.socks_accepting, timeout=LONG, trace=tracing(flavour, heard.append))
    assert heard[:4] == [
        "socks.connect_tcp.started",
        "socks.connect_tcp.complete",
        "socks.setup_socks5_connection.started",
        "socks.setup_socks5_connection.complete",
    ]
    assert heard[-1] == "http11.response_closed.complete"


@pytest.mark.parametrize("step", ["started", "failed"])
async def test_what_the_callers_trace_raises_comes_back_as_it_is(
    step: str, flavour: Flavour
) -> None:
    def raising(event: str) -> None:
        if event == f"socks.setup_socks5_connection.{step}":
            raise LookupError("a bug of the caller's")

    with pytest.raises(LookupError, match="a bug of the caller's"):
        await get(flavour, wordless, timeout=LONG, trace=tracing(flavour, raising))


async def test_an_interrupt_is_no_error_of_the_proxy(flavour: Flavour) -> None:
    def interrupting(event: str) -> None:
        if event == "socks.setup_socks5_connection.started":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await get(flavour, wordless, timeout=LONG, trace=tracing(flavour, interrupting))
