"""Transports around transports: shown as a line and as a tree, and warned of in wrong orders."""

import re
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import tenacity
from support import transportkit
from support.flavours import Flavour
from support.library import LIBRARY, httpx
from support.raw import raw_server, read_head
from support.transportkit import (
    Cooldown,
    HSTSStore,
    RetryBudget,
    RetryPolicy,
    StackWarning,
    retry_if_status,
    set_retries,
)

THREE_ON_503 = RetryPolicy(retry_if_status(503), stop=tenacity.stop_after_attempt(3))
PROXIES = ["http://scott:tiger@a.example:8080", "http://b.example:8080", "http://c.example"]


def stub(status_code: int = 200) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status_code))


@pytest.fixture
def make(flavour: Flavour) -> Any:
    """Makes transports for one kind of client."""
    return flavour


@pytest.fixture
def prefix(flavour: Flavour) -> str:
    return "Async" if flavour.is_async else ""


def test_a_stack_is_a_line_and_a_tree(make: Any, prefix: str) -> None:
    routes = {
        "all://*.internal.example": None,
        "all://": make.ProxyRoundRobin(PROXIES),
        "file://": make.FileSystemTransport("/"),
    }
    mounts = make.Mounts(routes, trust_env=False)
    retry = make.RetryTransport(mounts, THREE_ON_503)
    stack = make.HSTSTransport(make.DebuggingTransport(make.ResumeTransport(retry, max_resumes=20)))
    names = ("HSTSTransport", "DebuggingTransport", "ResumeTransport", "RetryTransport")
    assert repr(stack) == "".join(f"{prefix}{name}(" for name in names) + f"{mounts!r}))))"
    assert str(stack).splitlines() == [
        f"{prefix}HSTSTransport",
        f"└─ {prefix}DebuggingTransport  ConsoleLog",
        f"   └─ {prefix}ResumeTransport  max_resumes=20",
        f"      └─ {prefix}RetryTransport  3 attempts on 503",
        f"         └─ {prefix}Mounts",
        "            ├─ all://*.internal.example  direct",
        f"            ├─ file://                   {prefix}FileSystemTransport  '/'",
        f"            ├─ all://                    {prefix}ProxyRoundRobin  3 of 3 up",
        "            ├─ (anything else)           direct (never reached)",
        "            └─ (arguments)               trust_env=False",
    ]


def test_a_stack_in_a_route_hangs_from_it(make: Any, prefix: str) -> None:
    inner = make.ResumeTransport(make.RetryTransport(stub(), budget=None))
    mounts = make.Mounts({"all://a.example": inner, "all://": stub()}, default=stub())
    assert str(make.Wrapper(mounts)).splitlines()[1:] == [
        f"└─ {prefix}Mounts",
        f"   ├─ all://a.example  {prefix}ResumeTransport",
        f"   │  └─ {prefix}RetryTransport  budget=None",
        "   │     └─ MockTransport",
        "   ├─ all://           MockTransport",
        "   └─ (anything else)  MockTransport (never reached)",
    ]
    # What hangs from nothing is a table.
    assert str(mounts).splitlines() == [
        f"all://a.example  {prefix}ResumeTransport",
        f"   └─ {prefix}RetryTransport  budget=None",
        "      └─ MockTransport",
        "all://           MockTransport",
        "(anything else)  MockTransport (never reached)",
    ]


# Each transport, and what the first line of its tree says.
ALONE = {
    "plain": (lambda make, _: make.Wrapper(stub()), "Wrapper"),
    "store": (
        lambda make, path: make.HSTSTransport(stub(), HSTSStore(path / "hsts")),
        "HSTSTransport  in '{path}/hsts'",
    ),
    "observers": (
        lambda make, _: make.DebuggingTransport(stub(), print, bodies=9),
        "DebuggingTransport  print, bodies=9",
    ),
    "retries": (lambda make, _: make.RetryTransport(stub()), "RetryTransport"),
    "policy": (
        lambda make, _: make.RetryTransport(stub(), RetryPolicy(deadline=3), budget=RetryBudget(1)),
        "RetryTransport  deadline=3, budget=RetryBudget(capacity=1, per_success=0.2, per_second=10)",
    ),
    "resumes": (lambda make, _: make.ResumeTransport(stub()), "ResumeTransport"),
    "files": (
        lambda make, path: make.FileSystemTransport(path, index="i.html", allow_localhost=True),
        "FileSystemTransport  '{path}', index='i.html', allow_localhost=True",
    ),
    "proxies": (
        lambda make, _: make.ProxyRoundRobin(PROXIES, cooldown=Cooldown(5, 60)),
        "ProxyRoundRobin  3 of 3 up",
    ),
    "network": (
        lambda make, _: make.default_transport(proxy=PROXIES[0], verify=False, trust_env=False),
        "NetworkTransport  verify=False, trust_env=False, proxy=http://****@a.example:8080",
    ),
    "network, not as by default": (
        lambda make, _: make.default_transport(
            http2=True, retries=2, limits={"max_connections": 3}, trust_env=False
        ),
        (
            "NetworkTransport  trust_env=False, http2=True, limits=Limits(max_connections=3, "
            "max_keepalive_connections=None, keepalive_expiry=5.0), retries=2"
        ),
    ),
}


@pytest.mark.parametrize("name", ALONE)
def test_each_transport_tells_what_differs_from_the_defaults(
    make: Any, prefix: str, name: str, tmp_path: Path
) -> None:
    build: Any
    build, title = ALONE[name]
    assert str(build(make, tmp_path)).splitlines()[0] == prefix + title.format(path=tmp_path)


def test_those_that_send_nothing_tell_what_they_answer() -> None:
    assert str(transportkit.HTTPSRedirect()) == "HTTPSRedirect"
    assert repr(transportkit.HTTPSRedirect(308)) == "<HTTPSRedirect, 308>"
    assert str(transportkit.RefusingTransport("no http:// with token=abc")) == (
        "RefusingTransport  no http:// with token=****"
    )


def test_a_wrapper_of_ones_own_shows_what_it_wraps(make: Any) -> None:
    class Signing(make.Wrapper):  # type: ignore[misc] # one of two
        pass

    assert repr(Signing(stub())) == "Signing(MockTransport)"
    assert str(Signing(stub())) == "Signing\n└─ MockTransport"


def test_a_client_of_the_other_kind_is_told_what_to_write() -> None:
    class Signing(transportkit.Wrapper):
        pass

    # Type checkers say so too.
    retrying: Any = transportkit.RetryTransport(stub())
    signing: Any = Signing(stub())
    asynchronous: Any = transportkit.AsyncMounts({"all://": stub()})
    with pytest.raises(
        AttributeError, match=r"^RetryTransport is for sync .* AsyncRetryTransport$"
    ):
        anyio.run(httpx.AsyncClient(transport=retrying).get, "https://example.com/")
    with pytest.raises(AttributeError, match=r"^Signing is for sync .*, write AsyncWrapper$"):
        anyio.run(httpx.AsyncClient(transport=signing).__aenter__)
    with pytest.raises(AttributeError, match=r"^AsyncMounts is for async .*, write Mounts$"):
        httpx.Client(transport=asynchronous).get("https://example.com/")
    stock: Any = transportkit.default_transport(trust_env=False)
    with pytest.raises(
        AttributeError, match=r"^NetworkTransport .*, write async_default_tr\w*\(\)$"
    ):
        anyio.run(httpx.AsyncClient(transport=stock).get, "https://example.com/")
    stock = transportkit.async_default_transport(trust_env=False)
    with pytest.raises(
        AttributeError, match=r"^AsyncNetworkTransport .*, write default_tr\w*\(\)$"
    ):
        httpx.Client(transport=stock).get("https://example.com/")


def test_what_only_clients_have_is_told_to_be_asked_of_one() -> None:
    retrying: Any = transportkit.RetryTransport(stub())
    asynchronous: Any = transportkit.AsyncMounts({"all://": stub()})
    text = f"RetryTransport is a transport: write {LIBRARY}.Client(transport=...).get(...)"
    with pytest.raises(AttributeError, match=f"^{re.escape(text)}$"):
        retrying.get("https://example.com/")
    text = f"AsyncMounts is a transport: write {LIBRARY}.AsyncClient(transport=...).post(...)"
    with pytest.raises(AttributeError, match=f"^{re.escape(text)}$"):
        asynchronous.post("https://example.com/")
    with pytest.raises(
        AttributeError, match=r"^AsyncMounts .*: write transport=\.\.\., not mounts="
    ):
        httpx.AsyncClient(mounts=asynchronous)
    with pytest.raises(AttributeError, match=r"^'RetryTransport' object has no attribute 'pool'$"):
        retrying.pool  # noqa: B018


@pytest.fixture
def warned() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


class TestAWarning:
    def test_of_retries_around_resumes(self, make: Any, warned: Any) -> None:
        make.RetryTransport(make.Mounts({"all://": make.ResumeTransport(stub())}, trust_env=False))
        assert [str(each.message).partition(":")[0] for each in warned] == [
            "RetryTransport around ResumeTransport"
        ]
        assert warned[0].category is StackWarning
        assert warned[0].filename == __file__

    def test_of_a_memory_for_hsts_in_a_route(self, make: Any, warned: Any) -> None:
        make.Mounts({"all://": make.RetryTransport(make.HSTSTransport(stub()))}, trust_env=False)
        assert [str(each.message).partition(":")[0] for each in warned] == [
            "HSTSTransport in the route 'all"
        ]
        assert warned[0].filename == __file__

    def test_of_arguments_that_do_not_reach_a_transport(self, make: Any, warned: Any) -> None:
        make.Mounts({"all://": make.RetryTransport(http1=True)}, http2=True, trust_env=False)
        make.Mounts({"all://": make.HTTPTransport()}, verify=False)
        texts = [str(each.message) for each in warned]
        assert ["http2 of Mounts does not reach it" in texts[0], "verify of" in texts[1]] == [
            True,
            True,
        ]

    def test_is_not_given_where_nothing_is_lost(self, make: Any, warned: Any) -> None:
        make.ResumeTransport(make.RetryTransport(make.Mounts({"all://": None}, http2=True)))
        make.HSTSTransport(make.Mounts({"all://": make.RetryTransport()}, trust_env=False))
        make.Mounts({"all://a.example": make.RetryTransport(stub()), "all://": None}, http2=True)
        make.RetryTransport(make.RetryTransport(stub()))
        assert warned == []


class TestRetriesInTests:
    async def test_are_made_at_once(self, flavour: Flavour) -> None:
        policy = RetryPolicy(wait=tenacity.wait_fixed(3600))
        transport = flavour.RetryTransport(stub(503), policy)
        with set_retries("immediate"):
            async with flavour.client(transport=transport) as client:
                response = await client.get("https://api.example.com/")
        assert [each.waited for each in response.extensions["attempts"]] == [0, 0, 0, 0]

    async def test_are_not_made(self, flavour: Flavour) -> None:
        async with flavour.client(transport=flavour.RetryTransport(stub(503))) as client:
            with set_retries("off"):
                response = await client.get("https://api.example.com/")
        (attempt,) = response.extensions["attempts"]
        assert attempt.reason == "retries are switched off"

    async def test_are_as_before_behind_the_block(self, flavour: Flavour) -> None:
        with set_retries("off"):
            with set_retries("immediate"):
                pass
            async with flavour.client(transport=flavour.RetryTransport(stub(503))) as client:
                response = await client.get("https://api.example.com/")
        assert len(response.extensions["attempts"]) == 1

    async def test_are_not_made_of_a_body_that_breaks(self, flavour: Flavour) -> None:
        def talk(connection: socket.socket) -> None:
            read_head(connection)
            head = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nAccept-Ranges: bytes\r\nContent-Length: 9\r\n'
            connection.sendall(head + b"\r\nhalf")

        with raw_server(talk) as url, set_retries("off"):
            async with flavour.client(transport=flavour.ResumeTransport()) as client:
                with pytest.raises(httpx.RemoteProtocolError) as raised:
                    await client.get(url)
        assert raised.value.__notes__ == [
            "transportkit: the body cannot be resumed: retries are switched off"
        ]

    async def test_stay_so_without_a_block(self, flavour: Flavour) -> None:
        set_retries("immediate")
        try:
            async with flavour.client(transport=flavour.RetryTransport(stub(503))) as client:
                response = await client.get("https://api.example.com/")
        finally:
            set_retries("normal")
        assert len(response.extensions["attempts"]) == 4
