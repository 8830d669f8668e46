"""A connection that did not come to life gives its place back, at once and whatever ended it."""

import asyncio
import pickle
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest
from support import proxies
from support.cancelling import a_moment_after, cancelled_when, is_cancelled_at
from support.flavours import Flavour
from support.library import httpx
from support.matrices import thinned
from support.networks import Stalling, limits, network, socks_forwarding, taken, tls_mute
from support.proxies import Target, raw_proxy, target
from support.raw import raw_server, wait_for_end


def socks_mute(connection: Any) -> None:
    connection.recv(262)
    connection.sendall(b"\x05\x00")
    connection.recv(262)
    connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
    wait_for_end(connection)


ASYNC_ONLY = pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)

# Where a handshake stands still: the proxy, where, and what goes through it.
STALLS = {
    "plain": ("", proxies.hanging, "http"),
    "tls": ("", tls_mute, "https"),
    "forward": ("http", proxies.hanging, "http"),
    "connect": ("http", proxies.hanging, "https"),
    "tls in a tunnel": ("http", proxies.tunnel_mute, "https"),
    "socks greeting": ("socks5", wait_for_end, "https"),
    "socks connect": ("socks5", proxies.socks_hanging, "https"),
    "tls through socks": ("socks5", socks_mute, "https"),
}


@contextmanager
def stalling(at: str, it: Target) -> Iterator[tuple[Stalling, str | None, str]]:
    """What stalls, the proxy's URL, and what to ask for."""
    proxy, stall, scheme = STALLS[at]
    with ExitStack() as stack:
        if proxy:
            healthy = socks_forwarding if proxy == "socks5" else proxies.forwarding()
            place = Stalling(stall, healthy)
            url = stack.enter_context(raw_proxy(place, proxy)).url
            if proxy == "socks5" and at != "socks connect":
                url = url.replace(f"{proxies.CREDENTIALS}@", "")
            yield place, url, it.url[scheme]
        else:
            place = Stalling(stall, lambda peer: relay(peer, it))
            plain = stack.enter_context(raw_server(place))
            yield place, None, plain.replace("http:", f"{scheme}:")


def relay(connection: Any, it: Target) -> None:
    port = int(it.url["http"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        proxies._carry(connection, upstream, None)


@pytest.mark.parametrize(("at", "most"), thinned(STALLS, [1, 3]))
@ASYNC_ONLY
async def test_a_caller_who_gives_up_leaves_no_trace(
    at: str, most: int, flavour: Flavour, certificates: Path
) -> None:
    with target(certificates) as it, stalling(at, it) as (place, proxy, url):
        transport = network(flavour, limits=limits(most), proxy=proxy)
        async with flavour.client(transport=transport, timeout=30) as client:
            for number in range(4):
                arrived = place.arrived
                async with cancelled_when(lambda: place.arrived > arrived):  # noqa: B023 - used at once
                    await client.get(url)
                assert place.arrived == number + 1
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            place.is_healed = True
            if "socks" in at and "@" in (proxy or ""):
                return  # The one that wants a password does not forward.
            response = await client.get(url)
            assert response.text == "fine"


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("at", ["tls", "tls in a tunnel", "tls through socks"])
@pytest.mark.parametrize("flavour", ["asyncio"], indirect=True)
async def test_a_caller_who_gives_up_twice_leaves_no_trace(
    at: str, turns: int, flavour: Flavour, certificates: Path
) -> None:
    with target(certificates) as it, stalling(at, it) as (place, proxy, url):
        transport = network(flavour, limits=limits(1), proxy=proxy)
        async with flavour.client(transport=transport, timeout=30) as client:
            asking = asyncio.create_task(client.get(url))
            await a_moment_after(lambda: place.arrived > 0)
            asking.cancel()
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"


@pytest.mark.parametrize(("at", "most"), thinned(STALLS, [3, 1]))
async def test_a_timeout_leaves_no_trace(
    at: str, most: int, flavour: Flavour, certificates: Path
) -> None:
    with target(certificates) as it, stalling(at, it) as (_, proxy, url):
        transport = network(flavour, limits=limits(most), proxy=proxy)
        short = httpx.Timeout(30, connect=0.05, read=0.05)
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(most + 1):
                with pytest.raises((httpx.ConnectTimeout, httpx.ReadTimeout)) as caught:
                    await client.get(url, timeout=short)
                assert caught.value.request.url == url
                assert pickle.dumps(caught.value)  # As a process of a pool hands it back.
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"


@pytest.mark.parametrize("through", ["", "http", "socks5"])
async def test_a_certificate_that_is_not_trusted_leaves_no_trace(
    through: str, flavour: Flavour, certificates: Path
) -> None:
    forward = socks_forwarding if through == "socks5" else proxies.forwarding()
    with target(certificates) as it, raw_proxy(forward, through or "http") as proxy:
        url = proxy.url.replace(f"{proxies.CREDENTIALS}@", "") if through else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = network(flavour, limits=limits(3), proxy=url, verify=context)
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(4):
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get(it.url["https"])
                assert caught.value.request.url == it.url["https"]
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            context.load_verify_locations(certificates / "ca.pem")
            assert (await client.get(it.url["https"])).text == "fine"


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.slow)])
async def test_no_place_is_lost_in_any_number_of_handshakes_that_fail_or_are_cancelled(
    count: int, flavour: Flavour, certificates: Path
) -> None:
    place = Stalling(proxies.tunnel_mute, proxies.forwarding())
    trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with target(certificates) as it, raw_proxy(place) as proxy:
        url = it.url["https"]
        transport = network(flavour, limits=limits(4), proxy=proxy.url, verify=trusts_nobody)

        async def fail() -> None:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)

        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(count // 40):
                if flavour.is_async:
                    place.is_healed = False
                    due = place.arrived + 4
                    async with (
                        cancelled_when(lambda: place.arrived == due),  # noqa: B023 - used at once
                        anyio.create_task_group() as group,
                    ):
                        for _ in range(20):
                            group.start_soon(client.get, url)
                place.is_healed = True
                for _ in range(20):
                    await fail()
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"
            trusts_nobody.load_verify_locations(certificates / "ca.pem")
            assert (await client.get(url)).text == "fine"


@pytest.mark.parametrize(
    ("scheme", "talk", "error"),
    [
        ("http", proxies.saying("502 Bad Gateway"), httpx.ProxyError),
        ("http", proxies.closing, httpx.RemoteProtocolError),
        ("http", proxies.tunnel_closed, httpx.ConnectError),
        ("http", proxies.tunnel_reset, httpx.ConnectError),
        ("socks5", proxies.socks_refusing, httpx.ProxyError),
        ("socks5", proxies.socks_no_method, httpx.ProxyError),
        ("socks5", proxies.socks_wrong_password, httpx.ProxyError),
        ("socks5", proxies.socks_closing, httpx.ProxyError),
        ("socks5", proxies.socks_not_socks, httpx.ProxyError),
        ("socks5", proxies.socks_tunnel_closed, httpx.ConnectError),
    ],
)
async def test_a_dead_target_behind_a_proxy_leaves_no_trace(
    scheme: str, talk: Callable[[Any], None], error: type[Exception], flavour: Flavour
) -> None:
    with raw_proxy(talk, scheme) as proxy:
        transport = network(flavour, limits=limits(3), proxy=proxy.url)
        async with flavour.client(transport=transport, timeout=30) as client:
            for _ in range(4):
                with pytest.raises(error) as caught:
                    await client.get("https://shop.example/")
                failed: Any = caught.value
                assert failed.request.url == "https://shop.example/"
                assert failed.extensions["proxy"] == proxy.shown
            assert taken(transport) == "0 connections, 0 idle, 0 waiting"


@pytest.mark.parametrize(
    ("through", "scheme", "most"), thinned(["", "http", "socks5"], ["https", "http"], [1, 3])
)
@ASYNC_ONLY
async def test_a_cancellation_at_every_step_leaves_no_trace(
    through: str, scheme: str, most: int, flavour: Flavour, certificates: Path
) -> None:
    forward = socks_forwarding if through == "socks5" else proxies.forwarding()
    with target(certificates) as it, raw_proxy(forward, through or "http") as proxy:
        url = proxy.url.replace(f"{proxies.CREDENTIALS}@", "") if through else None
        for step in count(1):
            transport = network(flavour, limits=limits(most), proxy=url)
            async with flavour.client(transport=transport, timeout=30) as client:
                asked = it.url[scheme]
                cancelled = [await is_cancelled_at(step, client.get(asked)) for _ in range(most)]
                assert (await client.get(asked)).text == "fine"
            if not any(cancelled):
                assert step > 2  # It has waited for a connection, at least, and for an answer.
                break
