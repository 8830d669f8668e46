"""No credential of a proxy in any repr, log line, error text, note or status."""

import base64
import logging
import ssl
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support import proxies
from support.flavours import NAMES, Flavour
from support.library import LIBRARY, httpx
from support.matrices import thinned
from support.proxies import raw_proxy, refusing_proxy
from support.raw import Talk, read_head, respond
from support.transportkit import Cooldown, Mounts, ProxyRoundRobin

USERS = ["scott-the-user", "jane-the-user"]
PASSWORDS = ["tiger-the-word", "lion:@/the-word", "panther-the-word"]
ESCAPED = "lion%3A%40%2Fthe-word"
HEADER = "a-token-in-a-header"
CORPUS = [
    *USERS,
    *PASSWORDS,
    ESCAPED,
    HEADER,
    *(
        base64.b64encode(f"{user}:{password}".encode()).decode()
        for user in USERS
        for password in PASSWORDS
    ),
]
ACCOUNTS = [f"{USERS[0]}:{PASSWORDS[0]}", f"{USERS[1]}:{ESCAPED}"]
BLABBING = f"407 Not for http://{ACCOUNTS[0]}@gateway.example"


def search(*texts: object) -> None:
    for text in texts:
        found = [secret for secret in CORPUS if secret in str(text)]
        assert not found, f"{found} in {text}"


def search_error(error: BaseException) -> None:
    """All that a traceback would show of it, and of what led to it."""
    search(*getattr(error, "__notes__", ()))
    # What others have put into their own texts is not ours to change.
    if "gateway.example" not in str(error) or isinstance(error, (TypeError, ValueError)):
        search(*traceback.format_exception(error), repr(error))


def search_rotation(rotation: Any) -> None:
    search(repr(rotation), str(rotation), rotation.status(), repr(rotation.status()))
    for status in rotation.status():
        search(status, *(getattr(status, name) for name in dir(status) if name[0] != "_"))


def with_headers(address: str) -> httpx.Proxy:
    return httpx.Proxy(
        f"http://{address}",
        auth=(USERS[1], PASSWORDS[2]),
        headers={"X-Gateway-Session": HEADER},
    )


class Rude(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport of somebody else's whose repr and errors tell everything."""

    def __repr__(self) -> str:
        return f"Rude(proxy='socks4://{ACCOUNTS[0]}@gateway.example')"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"socks4://{ACCOUNTS[0]}@gateway.example refused")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.fixture
def failing() -> Iterator[list[str | httpx.URL | httpx.Proxy]]:
    """Proxies with credentials of every kind, each failing in its own way."""

    def blab(connection: Any) -> None:
        read_head(connection)
        respond(connection, BLABBING)

    with ExitStack() as stack:

        def address(talk: Talk) -> str:
            return stack.enter_context(raw_proxy(talk)).url.rpartition("@")[2]

        refusing = stack.enter_context(refusing_proxy()).url.rpartition("@")[2]
        yield [
            f"http://{ACCOUNTS[0]}@{refusing}",
            httpx.URL(f"http://{ACCOUNTS[1]}@{address(proxies.closing)}"),
            with_headers(address(proxies.saying("407 No"))),
            f"http://{ACCOUNTS[1]}@{address(blab)}",
            f"https://{ACCOUNTS[0]}@{address(proxies.not_tls)}",
            f"socks5://{ACCOUNTS[0]}@{address(proxies.socks_wrong_password)}",
            f"socks5h://{ACCOUNTS[1]}@{address(proxies.socks_refusing)}",
            httpx.Proxy(
                f"socks5://{address(proxies.socks_closing)}", auth=(USERS[0], PASSWORDS[1])
            ),
            f"http://{ACCOUNTS[0]}@no-such-host.invalid:8080",
        ]


@pytest.mark.parametrize(
    ("scheme", "flavour"),
    [
        ("http", "sync"),
        pytest.param("https", "sync", marks=pytest.mark.slow),
        pytest.param("http", "asyncio", marks=pytest.mark.slow),
        ("https", "asyncio"),
        ("http", "trio"),
        pytest.param("https", "trio", marks=pytest.mark.slow),
    ],
    indirect=["flavour"],
)
async def test_nothing_is_told_while_all_fail(
    scheme: str,
    flavour: Flavour,
    failing: list[str | httpx.URL | httpx.Proxy],
    certificates: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # httpcore's own lines at DEBUG hold everything, and are httpcore's.
    caplog.set_level(logging.DEBUG, "transportkit")
    trust = ssl.create_default_context(cafile=certificates / "ca.pem")
    entries = [*failing, Rude()]
    rotations = [
        flavour.ProxyRoundRobin(
            entries,
            cooldown=Cooldown(first=1000, max=1000),
            when_all_down=when_all_down,
            max_tries=len(entries),
            verify=trust,
            trust_env=False,
        )
        for when_all_down in ("try", "raise")
    ]
    for rotation in rotations:
        search_rotation(rotation)
        async with flavour.client(transport=rotation, timeout=30) as client:
            with proxies.target(Path(certificates)) as there:
                for _ in range(3):
                    try:
                        response = await client.get(there.url[scheme])
                    except httpx.TransportError as error:
                        search_error(error)
                    else:
                        assert response.status_code == 407
                        search(repr(response.extensions["proxy"]))
                    search_rotation(rotation)
    assert any(status.last_error for status in rotations[0].status())
    assert any(record.name == "transportkit.rotation" for record in caplog.records)
    for record in caplog.records:
        search(record.getMessage(), *vars(record).values())
    search(caplog.text, *capfd.readouterr())


async def test_when_all_rest_the_error_does_not_tell(flavour: Flavour) -> None:
    with refusing_proxy() as refusing:
        address = refusing.url.rpartition("@")[2]
        rotation = flavour.ProxyRoundRobin(
            [f"http://{account}@{address}" for account in ACCOUNTS],
            when_all_down="raise",
            verify=False,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            for _ in range(2):
                with pytest.raises(httpx.TransportError) as failed:
                    await client.get("http://target.example/")
                search_error(failed.value)
    assert isinstance(failed.value, httpx.ProxyError)


async def test_response_extensions_do_not_tell(flavour: Flavour, certificates: Path) -> None:
    with (
        proxies.target(certificates) as there,
        raw_proxy(proxies.forwarding()) as plain,
    ):
        address = plain.url.rpartition("@")[2]
        rotation = flavour.ProxyRoundRobin(
            [f"http://{ACCOUNTS[0]}@{address}", with_headers(address)],
            verify=False,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            for name in (f"http://****@{address}", f"http://****@{address}#2"):
                response = await client.get(there.url["http"])
                assert response.extensions["proxy"] == name
                search(response.extensions)


REFUSED: list[Any] = [
    f"http://{ACCOUNTS[0]}@gateway.example",
    httpx.URL(f"http://{ACCOUNTS[0]}@gateway.example"),
    httpx.Proxy("http://gateway.example", auth=(USERS[0], PASSWORDS[0])),
    [f"socks4://{ACCOUNTS[0]}@gateway.example"],
    [f"ftp://{ACCOUNTS[0]}@gateway.example"],
    [f"{ACCOUNTS[0]}@gateway.example"],
    [f"http://{USERS[0]}:{PASSWORDS[1]}@gateway.example"],
    [f"http://{ACCOUNTS[0]}@gateway.example:port"],
    [f"http://{ACCOUNTS[0]}@gateway.example"] * 2,
    [with_headers("gateway.example"), with_headers("gateway.example")],
    {f"http://{ACCOUNTS[0]}@gateway.example": 0},
    {f"http://{ACCOUNTS[0]}@gateway.example": "heavy"},
    {httpx.URL(f"http://{ACCOUNTS[0]}@gateway.example"): True},
    [[f"http://{ACCOUNTS[0]}@gateway.example"]],
    [(f"http://{ACCOUNTS[0]}@gateway.example", 2)],
    [f"http://{ACCOUNTS[0]}@gateway.example".encode()],
    [httpx.Client(base_url=f"http://{ACCOUNTS[0]}@gateway.example")],
]


@pytest.mark.parametrize(
    ("number", "flavour"),
    thinned([(number,) for number in range(len(REFUSED))], NAMES),
    indirect=["flavour"],
)
async def test_what_is_refused_is_not_told(number: int, flavour: Flavour) -> None:
    refused = REFUSED[number]
    with pytest.raises((TypeError, ValueError)) as failed:
        flavour.ProxyRoundRobin(refused, verify=False)
    search_error(failed.value)
    if isinstance(refused, Sequence) and not isinstance(refused, str):
        # The same in a routing dict, and when it is to join or leave later.
        with pytest.raises((TypeError, ValueError)) as failed:
            flavour.Mounts({"all://": refused}, verify=False)
        search_error(failed.value)
        rotation = flavour.ProxyRoundRobin([f"http://{ACCOUNTS[1]}@gateway.example"], verify=False)
        for method in (rotation.add, rotation.add, rotation.remove, rotation.remove):
            try:
                await flavour.call(method, refused[0])
            except (TypeError, ValueError) as error:
                search_error(error)
            search_rotation(rotation)
        await flavour.close(rotation)


def test_other_arguments_that_are_refused_do_not_tell() -> None:
    proxy = f"http://{ACCOUNTS[0]}@gateway.example"
    wrong: list[dict[str, Any]] = [
        {"proxy": proxy},
        {"order": proxy},
        {"sticky": proxy},
        {"banned": proxy},
        {"when_all_down": proxy},
        {"uds": proxy, "local_address": proxy},
    ]
    for kwargs in wrong:
        with pytest.raises((TypeError, ValueError)) as failed:
            ProxyRoundRobin([proxy], **kwargs)
        if "proxy" in kwargs:
            search_error(failed.value)


def test_socks_without_its_package_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ImportError, match=rf"pip install '{LIBRARY}\[socks\]'") as failed:
        ProxyRoundRobin([f"socks5://{ACCOUNTS[0]}@gateway.example"])
    search_error(failed.value)


def test_a_route_does_not_tell() -> None:
    urls = [f"http://{account}@gateway{number}.example" for number, account in enumerate(ACCOUNTS)]
    mounts = Mounts({"all://": urls, "http://a.example": [with_headers("gateway.example")]})
    search(repr(mounts), mounts.routes, *(route.target for route in mounts.routes))
    for url in ("https://b.example/", "http://a.example/"):
        search(mounts.route_for(httpx.URL(url)))
    mounts.close()
