"""Every way a proxy fails, on real sockets: the one that takes over, and what the caller gets."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from support import proxies
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.proxies import RawProxy, Target, raw_proxy
from support.raw import Talk, read_head
from support.transportkit import Cooldown, ProxyStatus

pytestmark = [
    # httpcore drops a request body in the middle when a send fails, and trio tells of each
    # generator of httpx's own that is left suspended then.
    pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning"),
]

BODY = b"what is to arrive once, " * 700
# Longer than any test takes: a proxy that is ejected stays so to its end.
LONG = Cooldown(first=1000, max=1000)
NEXT = "the next proxy answers"


class Failure(NamedTuple):
    """How a proxy fails, and what is to come of it.

    Attributes:
        proxy: starts one.
        plain: what the caller gets for an `http://` target: the answer of the next proxy, a
            status, or an error, because the target may have seen the request.
        tunnel: the same for an `https://` target; None if it cannot happen there.
        ejected: at once, or only when another proxy succeeds for the same request; None if that
            depends on how far the reset has come.
        stalls: what it is waited for in vain: an answer, a connection, or TLS in its tunnel.
    """

    proxy: Callable[[], AbstractContextManager[RawProxy]]
    plain: str | int | type[Exception] | None
    tunnel: str | None
    ejected: Literal["at once", "if another succeeds"] | None
    stalls: Literal["read", "connect", "TLS"] | None = None


def failing(talk: Talk, scheme: str = "http") -> Any:
    return partial(raw_proxy, talk, scheme)


FAILURES = {
    "refuses": Failure(proxies.refusing_proxy, NEXT, NEXT, "at once"),
    "has no address": Failure(
        lambda: nullcontext(proxies.unresolvable_proxy()), NEXT, NEXT, "at once"
    ),
    "says 407": Failure(
        failing(proxies.saying("407 Proxy Authentication Required")), NEXT, NEXT, "at once"
    ),
    "says 502": Failure(
        failing(proxies.saying("502 Bad Gateway")), 502, NEXT, "if another succeeds"
    ),
    "hangs": Failure(
        failing(proxies.hanging), httpx.ReadTimeout, NEXT, "if another succeeds", "read"
    ),
    "closes": Failure(
        failing(proxies.closing), httpx.RemoteProtocolError, NEXT, "if another succeeds"
    ),
    "resets": Failure(
        failing(proxies.resetting), httpx.TransportError, NEXT, "if another succeeds"
    ),
    "closes at once": Failure(
        failing(proxies.closing_at_once), httpx.TransportError, NEXT, "if another succeeds"
    ),
    "resets at once": Failure(failing(proxies.resetting_at_once), None, NEXT, None),
    "opens a tunnel and closes it": Failure(
        failing(proxies.tunnel_closed), None, NEXT, "if another succeeds"
    ),
    "opens a tunnel and resets it": Failure(
        failing(proxies.tunnel_reset), None, NEXT, "if another succeeds"
    ),
    "opens a tunnel and hangs": Failure(
        failing(proxies.tunnel_mute), None, NEXT, "if another succeeds", "TLS"
    ),
    "hangs before TLS": Failure(failing(proxies.mute, "https"), NEXT, NEXT, "at once", "connect"),
    "closes before TLS": Failure(failing(proxies.closing_at_once, "https"), NEXT, NEXT, "at once"),
    "speaks no TLS": Failure(failing(proxies.not_tls, "https"), NEXT, NEXT, "at once"),
    "SOCKS, refuses": Failure(partial(proxies.refusing_proxy, "socks5"), NEXT, NEXT, "at once"),
    "SOCKS, cannot reach the target": Failure(
        failing(proxies.socks_refusing, "socks5"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, takes no password": Failure(
        failing(proxies.socks_no_method, "socks5"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, wants another password": Failure(
        failing(proxies.socks_wrong_password, "socks5h"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, closes": Failure(
        failing(proxies.socks_closing, "socks5"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, resets": Failure(
        failing(proxies.socks_resetting, "socks5"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, closes later": Failure(
        failing(proxies.socks_closing_after_greeting, "socks5h"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, hangs": Failure(
        failing(proxies.mute, "socks5"), NEXT, NEXT, "if another succeeds", "read"
    ),
    "SOCKS, hangs later": Failure(
        failing(proxies.socks_hanging, "socks5h"), NEXT, NEXT, "if another succeeds", "read"
    ),
    "SOCKS, speaks HTTP": Failure(
        failing(proxies.socks_not_socks, "socks5"), NEXT, NEXT, "if another succeeds"
    ),
    "SOCKS, opens a tunnel and closes it": Failure(
        failing(proxies.socks_tunnel_closed, "socks5"),
        httpx.TransportError,
        NEXT,
        "if another succeeds",
    ),
}


class Patience(dict[str, float]):
    """Time-outs that are short where the first proxy stalls, and long for all that succeeds.

    Arguments:
        stalls: what the first proxy is waited for in vain.
    """

    def __init__(self, stalls: str | None) -> None:
        super().__init__()
        # httpcore asks for this one once for each proxy, before all others.
        self._asked = {"pool": 0, "connect": 0}
        self._stalls = stalls

    def get(self, name: str, default: object = None) -> float:
        self._asked[name] = self._asked.get(name, 0) + 1
        # Of a tunnel it asks first, and then for what leads to the proxy.
        is_tls = name == "connect" and self._asked["connect"] == 1
        is_stalled = name == self._stalls or (is_tls and self._stalls == "TLS")
        return 0.05 if is_stalled and self._asked["pool"] == 1 else 60


@pytest.fixture(scope="module")
def trust(certificates: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates / "ca.pem")


@pytest.fixture
def there(certificates: Path) -> Iterator[Target]:
    with proxies.target(certificates) as it:
        yield it


async def ask(
    client: Any, failure: Failure, method: str, url: str, **kwargs: Any
) -> httpx.Response | Exception:
    """What comes back from a client whose first proxy fails like this."""
    if method == "POST":
        kwargs.setdefault("content", BODY)
    try:
        response = await client.request(
            method, url, extensions={"timeout": Patience(failure.stalls)}, **kwargs
        )
        assert isinstance(response, httpx.Response)
    except httpx.TransportError as error:
        assert error.request.url == url
        return error
    else:
        return response


def is_up(rotation: Any) -> dict[str, bool]:
    found: tuple[ProxyStatus, ...] = rotation.status()
    assert [status.in_flight for status in found] == [0] * len(found)
    return {status.proxy: status.up for status in found}


def notes_of(outcome: object) -> str:
    assert isinstance(outcome, Exception)
    notes = "\n".join(getattr(outcome, "__notes__", ()))
    assert "tiger" not in notes + str(outcome)
    return notes


# Each failure for targets in the clear and over TLS; what makes no difference is quick for one only.
MATRIX = [
    (failure, scheme)
    if (scheme == "https") == bool(number % 2) or row.plain != row.tunnel
    else pytest.param(failure, scheme, marks=pytest.mark.slow)
    for number, (failure, row) in enumerate(FAILURES.items())
    for scheme, outcome in (("http", row.plain), ("https", row.tunnel))
    if outcome is not None
]


@pytest.mark.parametrize(
    ("failure", "scheme", "method", "flavour"),
    thinned(MATRIX, product(["GET", "POST"], NAMES)),
    indirect=["flavour"],
)
async def test_a_failure_before_the_request_was_sent_goes_to_the_next(
    failure: str,
    scheme: str,
    method: str,
    flavour: Flavour,
    there: Target,
    trust: ssl.SSLContext,
) -> None:
    row = FAILURES[failure]
    expected = row.plain if scheme == "http" else row.tunnel
    with row.proxy() as faulty, raw_proxy(proxies.forwarding()) as healthy:
        rotation = flavour.ProxyRoundRobin(
            [faulty.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation) as client:
            outcome = await ask(client, row, method, there.url[scheme])
            up = is_up(rotation)
            knocked = faulty.connections
            afterwards = (
                [await client.get(there.url[scheme], timeout=30) for _ in range(3)]
                if (expected == NEXT)
                else []
            )

    if expected == NEXT:
        assert isinstance(outcome, httpx.Response), outcome
        assert (outcome.status_code, outcome.text) == (200, "fine")
        assert outcome.extensions["proxy"] == healthy.shown
        assert there.requests[0] == (method, BODY if method == "POST" else b"")
        assert up == {faulty.shown: False, healthy.shown: True}
        assert [response.status_code for response in afterwards] == [200] * 3
        assert len(there.requests) == 4
        assert faulty.connections == knocked
    else:
        assert there.requests == []
        assert up == {faulty.shown: True, healthy.shown: True}
        assert healthy.connections == 0
        if isinstance(expected, int):
            assert isinstance(outcome, httpx.Response)
            assert (outcome.status_code, outcome.text) == (expected, "says the proxy")
            assert outcome.extensions["proxy"] == faulty.shown
        else:
            assert isinstance(expected, type)
            assert isinstance(outcome, expected), outcome
            notes_of(outcome)


@pytest.mark.parametrize(
    ("method", "scheme", "flavour"),
    thinned(list(product(["GET", "POST"], ["http", "https"])), NAMES),
    indirect=["flavour"],
)
async def test_a_failure_after_the_request_was_sent_comes_back(
    method: str, scheme: str, flavour: Flavour, there: Target, trust: ssl.SSLContext
) -> None:
    there.is_silent = True
    with (
        raw_proxy(proxies.forwarding(until=there.reached)) as dying,
        raw_proxy(proxies.forwarding()) as healthy,
    ):
        rotation = flavour.ProxyRoundRobin(
            [dying.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            with pytest.raises(httpx.TransportError) as failed:
                await client.request(
                    method, there.url[scheme], content=BODY if method == "POST" else None
                )
            assert is_up(rotation) == {dying.shown: True, healthy.shown: True}
    notes_of(failed.value)
    assert failed.value.request.url == there.url[scheme]
    assert there.requests == [(method, BODY if method == "POST" else b"")]
    assert (dying.connections, healthy.connections) == (1, 0)


async def test_a_failure_in_the_response_body_comes_back(
    flavour: Flavour, trust: ssl.SSLContext
) -> None:
    def half(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of it")

    with raw_proxy(half) as dying, raw_proxy(proxies.forwarding()) as healthy:
        rotation = flavour.ProxyRoundRobin(
            [dying.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("http://target.example/")
            assert is_up(rotation) == {dying.shown: True, healthy.shown: True}
        assert (dying.connections, healthy.connections) == (1, 0)


@pytest.mark.parametrize(
    ("failure", "scheme", "flavour"), thinned(MATRIX, NAMES), indirect=["flavour"]
)
async def test_one_that_is_alone_is_ejected_only_when_it_is_to_blame(
    failure: str, scheme: str, flavour: Flavour, there: Target, trust: ssl.SSLContext
) -> None:
    row = FAILURES[failure]
    with row.proxy() as faulty:
        rotation = flavour.ProxyRoundRobin(
            [faulty.url], cooldown=LONG, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation) as client:
            outcome = await ask(client, row, "POST", there.url[scheme])
            up = is_up(rotation)[faulty.shown]
            assert up == (row.ejected == "if another succeeds") or row.ejected is None
    assert there.requests == []
    if isinstance(outcome, httpx.Response):
        # Nobody else could answer: it is the caller's to read, as it came.
        assert scheme == "http"
        assert outcome.text == "says the proxy"
        assert outcome.extensions["proxy"] == faulty.shown
    elif (row.plain if scheme == "http" else row.tunnel) == NEXT:
        assert faulty.shown in notes_of(outcome)


class TestADeadTarget:
    """A healthy proxy cannot reach it either, and is not to blame."""

    @pytest.fixture
    def dead(self) -> Iterator[str]:
        with proxies.refusing_proxy() as nobody:
            yield nobody.url.rpartition("@")[2]

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_behind_a_tunnel_is_tried_through_each_and_none_is_ejected(
        self, method: str, flavour: Flavour, dead: str, trust: ssl.SSLContext
    ) -> None:
        with ExitStack() as stack:
            healthy = [stack.enter_context(raw_proxy(proxies.forwarding())) for _ in range(2)]
            socks = stack.enter_context(raw_proxy(proxies.socks_refusing, "socks5"))
            all_three = [*healthy, socks]
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in all_three], cooldown=LONG, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(2):
                    with pytest.raises(httpx.ProxyError) as failed:
                        await client.request(method, f"https://{dead}/", content=BODY)
                    notes = notes_of(failed.value)
                    assert all(each.shown in notes for each in all_three)
                    assert "502" in notes
                    assert is_up(rotation) == {each.shown: True for each in all_three}
            assert [each.connections for each in all_three] == [2, 2, 2]

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_in_clear_is_told_by_the_first(
        self, method: str, flavour: Flavour, dead: str, trust: ssl.SSLContext
    ) -> None:
        with (
            raw_proxy(proxies.forwarding()) as first,
            raw_proxy(proxies.forwarding()) as second,
        ):
            rotation = flavour.ProxyRoundRobin(
                [first.url, second.url], cooldown=LONG, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                response = await client.request(method, f"http://{dead}/", content=BODY)
                assert is_up(rotation) == {first.shown: True, second.shown: True}
        assert response.status_code == 502
        assert response.extensions["proxy"] == first.shown
        assert (first.connections, second.connections) == (1, 0)

    async def test_in_clear_is_told_by_the_last_and_proves_nothing_of_the_others(
        self, flavour: Flavour, dead: str
    ) -> None:
        with (
            raw_proxy(proxies.socks_refusing, "socks5") as first,
            raw_proxy(proxies.forwarding()) as last,
        ):
            rotation = flavour.ProxyRoundRobin([first.url, last.url], cooldown=LONG)
            async with flavour.client(transport=rotation, timeout=30) as client:
                assert (await client.get(f"http://{dead}/")).status_code == 502
                assert is_up(rotation) == {first.shown: True, last.shown: True}

    async def test_ejects_none_but_the_one_that_cannot_be_reached(
        self, flavour: Flavour, dead: str, trust: ssl.SSLContext
    ) -> None:
        with (
            proxies.refusing_proxy() as refusing,
            raw_proxy(proxies.forwarding()) as healthy,
        ):
            rotation = flavour.ProxyRoundRobin(
                [refusing.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                with pytest.raises(httpx.ProxyError, match="502") as failed:
                    await client.get(f"https://{dead}/")
                assert is_up(rotation) == {refusing.shown: False, healthy.shown: True}
        assert refusing.shown in notes_of(failed.value)
        assert healthy.shown in notes_of(failed.value)

    async def test_without_a_proxy_is_no_proxys_fault(
        self, flavour: Flavour, dead: str, trust: ssl.SSLContext
    ) -> None:
        with raw_proxy(proxies.saying("502 Bad Gateway")) as healthy:
            rotation = flavour.ProxyRoundRobin(
                [None, healthy.url], cooldown=LONG, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                with pytest.raises(httpx.ProxyError, match="502") as failed:
                    await client.get(f"https://{dead}/")
                assert list(is_up(rotation).values()) == [True, True]
        assert "direct" in notes_of(failed.value)


@pytest.mark.parametrize(
    ("talk", "proxy_scheme", "scheme"),
    [
        (proxies.forwarding(), "http", "https"),
        (proxies.socks_saying("407 Proxy Authentication Required"), "socks5", "http"),
    ],
    ids=["CONNECT", "SOCKS"],
)
async def test_a_407_inside_of_a_tunnel_is_the_origins_own(
    talk: Talk,
    proxy_scheme: str,
    scheme: str,
    flavour: Flavour,
    there: Target,
    trust: ssl.SSLContext,
) -> None:
    there.status = "407 Proxy Authentication Required"
    with raw_proxy(talk, proxy_scheme) as first, raw_proxy(talk, proxy_scheme) as second:
        rotation = flavour.ProxyRoundRobin(
            [first.url, second.url], cooldown=LONG, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            response = await client.get(there.url[scheme])
            assert is_up(rotation) == {first.shown: True, second.shown: True}
    assert response.status_code == 407
    assert response.extensions["proxy"] == first.shown
    assert (first.connections, second.connections) == (1, 0)


class TestAllAreDead:
    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_the_last_error_tells_what_each_one_said(
        self, scheme: str, flavour: Flavour, there: Target, trust: ssl.SSLContext
    ) -> None:
        with (
            proxies.refusing_proxy() as refusing,
            raw_proxy(proxies.socks_closing, "socks5") as socks,
            raw_proxy(proxies.not_tls, "https") as not_tls,
        ):
            dead = [refusing, socks, not_tls]
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in dead], cooldown=LONG, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                with pytest.raises(httpx.ConnectError) as failed:
                    await client.post(there.url[scheme], content=BODY)
                assert is_up(rotation) == {
                    refusing.shown: False,
                    socks.shown: True,
                    not_tls.shown: False,
                }
        notes = notes_of(failed.value)
        assert sorted(each.shown for each in dead if each.shown in notes) == sorted(
            each.shown for each in dead
        )
        assert failed.value.request.url == there.url[scheme]
        assert there.requests == []

    async def test_a_407_of_the_last_comes_back_unread(
        self, flavour: Flavour, there: Target, trust: ssl.SSLContext
    ) -> None:
        talk = proxies.saying("407 Proxy Authentication Required")
        with raw_proxy(talk) as first, raw_proxy(talk) as second:
            rotation = flavour.ProxyRoundRobin(
                [first.url, second.url], cooldown=LONG, verify=trust, trust_env=False
            )
            async with (
                flavour.client(transport=rotation, timeout=30) as client,
                client.stream("GET", there.url["http"]) as response,
            ):
                assert response.status_code == 407
                assert not response.is_stream_consumed
                assert await flavour.read(response) == b"says the proxy"
        assert response.extensions["proxy"] == second.shown
        assert is_up(rotation) == {first.shown: False, second.shown: False}

    async def test_no_more_than_max_tries_are_asked(
        self, flavour: Flavour, there: Target, trust: ssl.SSLContext
    ) -> None:
        with ExitStack() as stack:
            dead = [
                stack.enter_context(raw_proxy(proxies.saying("503 No"), "http")) for _ in range(4)
            ]
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in dead], max_tries=2, verify=trust, trust_env=False
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(2):
                    with pytest.raises(httpx.ProxyError, match="503"):
                        await client.get(there.url["https"])
            assert [each.connections for each in dead] == [1, 1, 1, 1]


async def test_no_proxy_is_tried_twice_for_one_request(
    flavour: Flavour, there: Target, trust: ssl.SSLContext
) -> None:
    with raw_proxy(proxies.closing) as first, raw_proxy(proxies.closing) as second:
        rotation = flavour.ProxyRoundRobin(
            [first.url, second.url], max_tries=10, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(there.url["https"])
        assert (first.connections, second.connections) == (1, 1)


def in_pieces() -> Iterator[bytes]:
    for start in range(0, len(BODY), 4096):
        yield BODY[start : start + 4096]


async def async_in_pieces() -> AsyncIterator[bytes]:
    for piece in in_pieces():
        yield piece


@pytest.mark.parametrize(
    ("failure", "scheme", "flavour"),
    thinned(
        list(
            product(
                ["refuses", "says 407", "closes before TLS", "SOCKS, cannot reach the target"],
                ["http", "https"],
            )
        ),
        NAMES,
    ),
    indirect=["flavour"],
)
async def test_a_body_that_can_be_read_once_arrives_whole_or_not_at_all(
    failure: str, scheme: str, flavour: Flavour, there: Target, trust: ssl.SSLContext
) -> None:
    with FAILURES[failure].proxy() as faulty, raw_proxy(proxies.forwarding()) as healthy:
        rotation = flavour.ProxyRoundRobin(
            [faulty.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
        )
        content = async_in_pieces() if flavour.is_async else in_pieces()
        headers = {"Content-Length": str(len(BODY))}
        async with flavour.client(transport=rotation, timeout=30) as client:
            response = await client.post(there.url[scheme], content=content, headers=headers)
    assert response.status_code == 200
    assert there.requests == [("POST", BODY)]


@pytest.mark.parametrize(
    ("failure", "flavour"),
    thinned([("refuses",), ("SOCKS, cannot reach the target",), ("says 407",)], NAMES),
    indirect=["flavour"],
)
async def test_the_request_and_its_extensions_are_left_as_found(
    failure: str, flavour: Flavour, there: Target, trust: ssl.SSLContext
) -> None:
    events: list[str] = []

    def hear(event: str, info: object) -> None:
        events.append(event)

    async def async_hear(event: str, info: object) -> None:
        events.append(event)

    with FAILURES[failure].proxy() as faulty, raw_proxy(proxies.forwarding()) as healthy:
        rotation = flavour.ProxyRoundRobin(
            [faulty.url, healthy.url], cooldown=LONG, verify=trust, trust_env=False
        )
        trace = async_hear if flavour.is_async else hear
        extensions = {"trace": trace, "timeout": httpx.Timeout(30).as_dict()}
        request = httpx.Request("POST", there.url["http"], content=BODY, extensions=extensions)
        found, stream = request.extensions, request.stream
        response = await flavour.send(rotation, request)
        assert await flavour.read(response) == b"fine"
        await flavour.close(response)
        await flavour.close(rotation)
        assert request.extensions is found
        assert found == extensions
        assert request.stream is stream
    # Both proxies were heard.
    assert sum(event.endswith("connect_tcp.started") for event in events) == 2
    assert "http11.receive_response_headers.complete" in events
