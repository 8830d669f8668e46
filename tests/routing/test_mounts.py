"""Requests through `Mounts`: real origins, real proxies, one test body for all three flavours."""

import pickle
import re
import socket
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from support.flavours import NAMES, Flavour, SpyTransport
from support.library import httpx
from support.matrices import named, thinned
from support.raw import answering, raw_server, read_head, respond, wait_for_end
from support.servers import Origin, Proxy
from support.transportkit import Mounts, RefusingTransport, Route, environment_routes

ASYNC_ONLY = pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)

REFUSED = RefusingTransport("no route should have led here")


def _peer(response: httpx.Response) -> int | str:
    """The port, or the Unix socket, that the other end of the connection has."""
    address = response.extensions["network_stream"].get_extra_info("server_addr")
    return address if isinstance(address, str) else int(address[1])


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _answer(name: str) -> Callable[..., httpx.Response]:
    return lambda transport, request: httpx.Response(200, text=name)


# Every kind of target


SCHEMES = ["http", "https"]

Target = Callable[[Flavour, Proxy], object]

DIRECT: dict[str, Target] = {
    "transport": lambda flavour, proxy: flavour.HTTPTransport(),
    "none": lambda flavour, proxy: None,
    "direct": lambda flavour, proxy: "direct",
    "dict": lambda flavour, proxy: {"retries": 1},
    "empty dict": lambda flavour, proxy: {},
    "mounts": lambda flavour, proxy: flavour.Mounts({}, default="direct"),
}
PROXIED: dict[str, Target] = {
    "str": lambda flavour, proxy: proxy.url,
    "URL": lambda flavour, proxy: httpx.URL(proxy.url),
    "Proxy": lambda flavour, proxy: httpx.Proxy(proxy.url),
    "dict": lambda flavour, proxy: {"proxy": proxy.url},
    "transport": lambda flavour, proxy: flavour.HTTPTransport(proxy=proxy.url),
}
LOCKED: dict[str, Target] = {
    **PROXIED,
    "Proxy with auth": lambda flavour, proxy: httpx.Proxy(
        f"http://127.0.0.1:{proxy.port}", auth=("scott", "tiger")
    ),
}


@pytest.mark.parametrize(
    ("target", "scheme", "flavour"),
    thinned(named(DIRECT), product(SCHEMES, NAMES)),
    indirect=["flavour"],
)
async def test_direct_targets_reach_the_origin(
    flavour: Flavour, origin: Origin, proxy: Proxy, scheme: str, target: Target
) -> None:
    routes = {"all://127.0.0.1": target(flavour, proxy)}
    url = getattr(origin, scheme)
    async with flavour.client(transport=flavour.Mounts(routes, default=None)) as client:
        response = await client.post(f"{url}/a%2Fb?c=d", content=b"body")
        assert response.json()["method"] == "POST"
        assert response.json()["path"] == "/a%2Fb"
        assert response.json()["query"] == "c=d"
        assert _peer(response) == _port(url)


@pytest.mark.parametrize(
    ("target", "scheme", "flavour"),
    thinned(named(PROXIED), product(SCHEMES, NAMES)),
    indirect=["flavour"],
)
async def test_proxies_are_reached_for_plain_http_and_through_a_tunnel(
    flavour: Flavour, origin: Origin, proxy: Proxy, scheme: str, target: Target
) -> None:
    routes = {f"{scheme}://": target(flavour, proxy)}
    async with flavour.client(transport=flavour.Mounts(routes, default=REFUSED)) as client:
        response = await client.get(f"{getattr(origin, scheme)}/a?b")
        assert response.json()["path"] == "/a"
        assert response.json()["scheme"] == scheme
        assert _peer(response) == proxy.port


@pytest.mark.parametrize(
    ("target", "scheme", "flavour"),
    thinned(named(LOCKED), product(SCHEMES, NAMES)),
    indirect=["flavour"],
)
async def test_credentials_reach_a_proxy_that_asks_for_them(
    flavour: Flavour, origin: Origin, locked_proxy: Proxy, scheme: str, target: Target
) -> None:
    routes = {"all://": target(flavour, locked_proxy)}
    async with flavour.client(transport=flavour.Mounts(routes, default=REFUSED)) as client:
        response = await client.get(getattr(origin, scheme))
        assert response.status_code == 200
        assert _peer(response) == locked_proxy.port
        assert "proxy-authorization" not in dict(response.json()["headers"])


async def test_a_locked_proxy_refuses_who_has_no_credentials(
    flavour: Flavour, origin: Origin, locked_proxy: Proxy
) -> None:
    mounts = flavour.Mounts({"all://": f"http://127.0.0.1:{locked_proxy.port}"})
    async with flavour.client(transport=mounts) as client:
        assert (await client.get(origin.http)).status_code == 407
        with pytest.raises(httpx.ProxyError, match="407") as refusal:
            await client.get(origin.https)
        assert refusal.value.request.url == origin.https


async def test_http2_is_spoken_where_a_dict_asks_for_it_and_nowhere_else(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts(
        {
            "https://127.0.0.1": {"http2": True},
            "https://127.0.0.1/proxied": {"http2": True, "proxy": proxy.url},
            "https://127.0.0.1/plain": None,
        }
    )
    async with flavour.client(transport=mounts) as client:
        for path, version, port in (
            ("/", "HTTP/2", origin.https_port),
            ("/proxied", "HTTP/2", proxy.port),
            ("/plain", "HTTP/1.1", origin.https_port),
        ):
            response = await client.get(origin.https + path)
            assert (response.http_version, _peer(response)) == (version, port)
            assert response.json()["http_version"] == version.removeprefix("HTTP/")


async def test_a_unix_socket_is_reached_by_a_host_name_that_does_not_exist(
    flavour: Flavour, origin: Origin
) -> None:
    mounts = flavour.Mounts({"http://docker": {"uds": origin.unix_socket}}, default=REFUSED)
    async with flavour.client(transport=mounts) as client:
        response = await client.get("http://docker/info")
        assert response.json()["path"] == "/info"
        assert dict(response.json()["headers"])["host"] == "docker"
        assert _peer(response) == origin.unix_socket


async def test_certificates_are_checked_unless_a_dict_says_otherwise(
    flavour: Flavour, origin: Origin
) -> None:
    # The origin's certificate is for 127.0.0.1 and localhost, and its authority is unknown
    # to a transport that does not look at SSL_CERT_FILE.
    routes = {
        "https://127.0.0.1/trusting": {"verify": False},
        "https://127.0.0.1/ignorant": {"trust_env": False},
    }
    async with flavour.client(transport=flavour.Mounts(routes)) as client:
        assert (await client.get(f"{origin.https}/checked")).status_code == 200
        assert (await client.get(f"{origin.https}/trusting")).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{origin.https}/ignorant")


async def test_the_default_is_sent_through_for_what_no_pattern_takes(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    defaults = (
        (None, _port(origin.http)),
        ("direct", _port(origin.http)),
        (proxy.url, proxy.port),
        ({"proxy": proxy.url}, proxy.port),
        ({"uds": origin.unix_socket}, origin.unix_socket),
        (flavour.HTTPTransport(proxy=proxy.url), proxy.port),
    )
    for default, peer in defaults:
        mounts = flavour.Mounts({"http://elsewhere.example": REFUSED}, default=default)
        async with flavour.client(transport=mounts) as client:
            assert _peer(await client.get(origin.http)) == peer


async def test_mounts_without_routes_send_straight_to_the_network(
    flavour: Flavour, origin: Origin
) -> None:
    async with flavour.client(transport=flavour.Mounts({})) as client:
        assert _peer(await client.get(origin.http)) == _port(origin.http)


def _wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"WSGI ", environ["PATH_INFO"].encode(), b" ", environ["wsgi.input"].read()]


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ASGI " + scope["raw_path"] + b" " + body})


async def test_an_application_is_a_target(flavour: Flavour) -> None:
    transport: Any = httpx.ASGITransport(_asgi) if flavour.is_async else httpx.WSGITransport(_wsgi)
    mounts = flavour.Mounts({"https://app.example": transport}, default=REFUSED)
    async with flavour.client(transport=mounts) as client:
        response = await client.post("https://app.example/path", content=b"body")
    assert response.text == ("ASGI" if flavour.is_async else "WSGI") + " /path body"


# The environment's proxies


async def test_the_environments_proxies_stand_behind_all_routes(
    flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    # In a stock client HTTP_PROXY would beat the route for every scheme.
    mounts = flavour.Mounts({"all://*:1": REFUSED, "all://127.0.0.1": "direct"})
    async with flavour.client(transport=mounts) as client:
        for url in (origin.http, origin.https):
            assert _peer(await client.get(url)) == _port(url)
            assert _peer(await client.get(url.replace("127.0.0.1", "localhost"))) == proxy.port


async def test_a_route_for_everything_leaves_nothing_to_the_environment(
    flavour: Flavour, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with flavour.client(transport=flavour.Mounts({"all://": None})) as client:
        assert _peer(await client.get(origin.http)) == _port(origin.http)


async def test_no_proxy_excepts_from_the_environments_proxies(
    flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", f"127.0.0.0/8, localhost:{origin.https_port}")
    localhost = origin.http.replace("127.0.0.1", "localhost")
    for transport in (flavour.Mounts({}), flavour.default_transport()):
        async with flavour.client(transport=transport) as client:
            assert _peer(await client.get(origin.http)) == _port(origin.http)
            assert _peer(await client.get(localhost)) == proxy.port
            tunnel = await client.get(origin.https.replace("127.0.0.1", "localhost"))
            assert _peer(tunnel) == origin.https_port


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_the_default_transport_uses_the_environments_proxies(
    flavour: Flavour,
    origin: Origin,
    proxy: Proxy,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, proxy.url)
    async with flavour.client(transport=flavour.default_transport()) as client:
        assert _peer(await client.get(origin.http)) == proxy.port


async def test_without_proxies_in_the_environment_the_default_transport_goes_straight(
    flavour: Flavour, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    transport = flavour.default_transport()
    assert type(transport) is flavour.NetworkTransport
    async with flavour.client(transport=transport) as client:
        assert _peer(await client.get(origin.http)) == _port(origin.http)


async def test_trust_env_false_uses_none_of_the_environments_proxies(
    flavour: Flavour, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    # Nothing is to be verified, and the certificates of the system take long to load.
    for transport in (
        flavour.Mounts({}, trust_env=False, verify=False),
        flavour.default_transport(trust_env=False, verify=False),
    ):
        async with flavour.client(transport=transport) as client:
            assert _peer(await client.get(origin.http)) == _port(origin.http)


async def test_a_unix_socket_for_all_uses_none_of_the_environments_proxies(
    flavour: Flavour, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for transport in (
        flavour.Mounts({}, uds=origin.unix_socket),
        flavour.default_transport(uds=origin.unix_socket),
    ):
        async with flavour.client(transport=transport) as client:
            assert _peer(await client.get("http://docker/info")) == origin.unix_socket


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_for_all_is_used_instead_of_the_environments(
    flavour: Flavour,
    origin: Origin,
    proxy: Proxy,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for transport in (
        flavour.Mounts({}, proxy=proxy.url),
        flavour.default_transport(proxy=proxy.url),
    ):
        async with flavour.client(transport=transport) as client:
            assert _peer(await client.get(getattr(origin, scheme))) == proxy.port


@pytest.mark.parametrize("name", ["default", "routes"])
async def test_the_default_transport_has_no_arguments_but_those_of_httpx(
    flavour: Flavour, name: str
) -> None:
    text = f"^unknown argument '{name}': httpx.HTTPTransport takes verify, "
    with pytest.raises(TypeError, match=text):
        flavour.default_transport(**{name: {}})


async def test_direct_is_direct_although_there_is_a_proxy_for_all(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts({"http://127.0.0.1": "direct"}, proxy=proxy.url)
    async with flavour.client(transport=mounts) as client:
        assert _peer(await client.get(origin.http)) == _port(origin.http)


BAD_VARIABLES = {
    "scheme": ("quic://scott:tiger@proxy.example", "httpx speaks http, https, socks5, socks5h"),
    "socks4": ("socks4://scott:tiger@proxy.example", "httpx speaks http, https, socks5, socks5h"),
    "port": ("http://scott:tiger@proxy.example:port", "write its port as a number"),
    "no scheme": ("scott:tiger@proxy.example:port", "write its port as a number"),
    "slash": ("http://scott:ti/ger@proxy.example", "percent-encode"),
    "half a scheme": ("http:/proxy.example:80", "write 'http://proxy.example:80'"),
    "quotes": ("'http://proxy.example'", "has quotes around it: leave them out"),
    "none": ("none", "for no proxy, leave it out"),
    "direct": ("DIRECT://", "for no proxy, leave it out"),
    "two": ("http://a.example,http://b.example", "is not a proxy URL"),
}


@pytest.mark.parametrize(
    ("bad", "variable", "flavour"),
    thinned(named(BAD_VARIABLES), product(["HTTP_PROXY", "ALL_PROXY"], NAMES)),
    indirect=["flavour"],
)
async def test_a_variable_that_cannot_work_is_refused_when_a_request_needs_it(
    flavour: Flavour,
    variable: str,
    bad: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    value, problem = bad
    monkeypatch.setenv(variable, value)
    mounts = flavour.Mounts({"http://other.example": SpyTransport()}, verify=False)
    (warning,) = caplog.messages
    async with flavour.client(transport=mounts) as client:
        assert (await client.get("http://other.example/")).text == "spy"
        with pytest.raises(httpx.UnsupportedProtocol) as refusal:
            await client.get("http://elsewhere.example/")
    for text in (warning, str(refusal.value)):
        assert text.startswith(f"{variable} in the environment: ")
    for text in (warning, str(refusal.value), str(mounts)):
        assert problem in text
        assert not re.search("scott|tiger|ger@", text)


async def test_a_variable_that_cannot_work_kills_nothing(
    flavour: Flavour,
    origin: Origin,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "quic://proxy.example")
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    copied = pickle.loads(pickle.dumps(environment_routes()))
    for build in (
        lambda **kwargs: flavour.Mounts({}, **kwargs),
        flavour.default_transport,
        flavour.RetryTransport,
        lambda **kwargs: flavour.Mounts(environment_routes(), default="direct", **kwargs),
        lambda **kwargs: flavour.Mounts(copied, default="direct", **kwargs),
    ):
        transport = build(verify=False)
        assert len(caplog.messages) == 1
        caplog.clear()
        async with flavour.client(transport=transport) as client:
            assert _peer(await client.get(origin.http)) == _port(origin.http)
            localhost = origin.http.replace("127.0.0.1", "localhost")
            assert _peer(await client.get(localhost)) == proxy.port
            with pytest.raises(httpx.UnsupportedProtocol, match=r"^ALL_PROXY in the environment: "):
                await client.get(origin.https.replace("127.0.0.1", "localhost"))


async def test_a_variable_that_no_request_can_need_is_not_warned_about(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ALL_PROXY", "quic://proxy.example")
    await flavour.close(flavour.Mounts({"all://": SpyTransport()}))
    await flavour.close(flavour.Mounts({}, default="direct", verify=False))
    await flavour.close(flavour.Mounts({}, trust_env=False, verify=False))
    assert not caplog.messages


async def test_a_socks_variable_without_socksio_is_refused_when_a_request_needs_it(
    flavour: Flavour,
    origin: Origin,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(sys.modules, "socksio", None)
    async with flavour.client(transport=flavour.Mounts({})) as client:
        assert _peer(await client.get(origin.http)) == _port(origin.http)
        with pytest.raises(httpx.UnsupportedProtocol, match=r"^ALL_PROXY .*'socksio' package"):
            await client.get("http://elsewhere.example/")
    assert len(caplog.messages) == 1
    with pytest.raises(ImportError, match="'socksio' package"):
        flavour.Mounts({"all://": "socks5://127.0.0.1:1"})


async def test_the_desktops_socks_variable_is_socks5_with_names_for_the_proxy(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:7891/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:7890/")
    for mounts in (flavour.Mounts({}), flavour.Mounts(environment_routes(), default="direct")):
        proxies = [mounts.route_for(f"{scheme}://h").target for scheme in ("http", "https")]
        assert proxies == ["proxy http://127.0.0.1:7890/", "proxy socks5h://127.0.0.1:7891/"]
        await flavour.close(mounts)
    assert not caplog.messages


# Each request routes by itself


async def test_every_hop_of_a_redirect_routes_anew(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    with raw_server(answering("302 Found", "Location: http://middle.example/")) as first:
        middle = httpx.MockTransport(
            lambda request: httpx.Response(302, headers={"Location": f"{origin.https}/end"})
        )
        mounts = flavour.Mounts(
            {first: "direct", "http://middle.example": middle, origin.https: proxy.url},
            default=REFUSED,
        )
        async with flavour.client(transport=mounts, follow_redirects=True) as client:
            response = await client.get(first)
            assert response.json()["path"] == "/end"
            assert [hop.url.host for hop in response.history] == ["127.0.0.1", "middle.example"]
            assert _peer(response.history[0]) == _port(first)
            assert _peer(response) == proxy.port


class _TokenAuth(httpx.Auth):
    requires_response_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield httpx.Request("POST", "http://tokens.example/new")
        request.headers["Authorization"] = f"Bearer {response.json()['path']}"
        yield request


async def test_every_request_of_an_auth_flow_routes_by_itself(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts(
        {"http://tokens.example": {"uds": origin.unix_socket}, "http://127.0.0.1": proxy.url},
        default=REFUSED,
    )
    async with flavour.client(transport=mounts, auth=_TokenAuth()) as client:
        response = await client.get(origin.http)
        assert dict(response.json()["headers"])["authorization"] == "Bearer /new"
        assert _peer(response) == proxy.port


async def test_one_client_takes_many_routes_in_turn(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts(
        {
            "http://127.0.0.1": None,
            "http://127.0.0.1/proxied": proxy.url,
            "http://docker": {"uds": origin.unix_socket},
            "all://": REFUSED,
        }
    )
    async with flavour.client(transport=mounts) as client:
        for _ in range(2):
            assert _peer(await client.get(f"{origin.http}/direct")) == _port(origin.http)
            assert _peer(await client.get(f"{origin.http}/proxied/x")) == proxy.port
            assert _peer(await client.get(f"{origin.http}/proxiedx")) == _port(origin.http)
            assert _peer(await client.get("http://docker/")) == origin.unix_socket
            with pytest.raises(httpx.UnsupportedProtocol):
                await client.get("http://elsewhere.example/")


# Requests and responses pass as they are


async def test_a_body_streams_through_as_it_comes(flavour: Flavour) -> None:
    first_has_arrived = threading.Event()

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst")
        if first_has_arrived.wait(30):
            connection.sendall(b"last")
        wait_for_end(connection)

    with raw_server(talk) as url:
        async with (
            flavour.client(transport=flavour.Mounts({"http://": None})) as client,
            client.stream("GET", url) as response,
        ):
            chunks = flavour.chunks(response)
            assert await anext(chunks) == b"first"
            first_has_arrived.set()
            assert [chunk async for chunk in chunks] == [b"last"]


async def test_a_body_streams_out_as_it_is_made(flavour: Flavour) -> None:
    first_has_arrived = threading.Event()

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        if connection.recv(5) == b"first":
            first_has_arrived.set()
        assert connection.recv(4) == b"last"
        respond(connection, "200 OK")
        wait_for_end(connection)

    def body() -> Iterator[bytes]:
        yield b"first"
        assert first_has_arrived.wait(30)
        yield b"last"

    async def async_body() -> AsyncIterator[bytes]:
        for chunk in body():
            yield chunk

    with raw_server(talk) as url:
        async with flavour.client(transport=flavour.Mounts({"http://": None})) as client:
            content = async_body() if flavour.is_async else body()
            response = await client.post(url, content=content, headers={"Content-Length": "9"})
            assert response.status_code == 200


async def test_a_body_that_is_left_early_leaves_nothing(flavour: Flavour) -> None:
    left = threading.Event()

    def talk(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst")
        wait_for_end(connection)
        left.set()

    with raw_server(talk) as url:
        async with flavour.client(transport=flavour.Mounts({"http://": None})) as client:
            async with client.stream("GET", url) as response:
                assert response.status_code == 200
            assert left.wait(30), "the connection is let go with the response, not with the client"


async def test_an_upgraded_connection_passes_untouched(flavour: Flavour) -> None:
    def talk(connection: socket.socket) -> None:
        assert b"Upgrade: echo\r\n" in read_head(connection)
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
        connection.sendall(head)
        connection.sendall(connection.recv(4).upper())
        wait_for_end(connection)

    with raw_server(talk) as url:
        headers = {"Connection": "Upgrade", "Upgrade": "echo"}
        async with (
            flavour.client(transport=flavour.Mounts({"http://": None})) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            assert response.status_code == 101
            stream = response.extensions["network_stream"]
            await flavour.call(stream.write, b"ping")
            assert await flavour.call(stream.read, 4) == b"PING"


async def test_a_response_comes_through_as_the_inner_transport_made_it(flavour: Flavour) -> None:
    extensions = {"reason_phrase": b"Fine", "something": object()}
    made = httpx.Response(299, headers={"X-A": "b"}, content=b"body", extensions=extensions)
    mounts = flavour.Mounts({"http://": httpx.MockTransport(lambda request: made)})
    response = await flavour.send(mounts, httpx.Request("GET", "http://a.example/"))
    assert response is made
    assert response.extensions is made.extensions
    assert response.stream is made.stream


async def test_a_request_comes_through_as_the_client_made_it(flavour: Flavour) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    request = httpx.Request(
        "PUT", "http://scott:tiger@a.example/?b", content=b"c", extensions={"x": 1}
    )
    extensions, stream, headers = request.extensions, request.stream, request.headers.copy()
    await flavour.send(flavour.Mounts({"http://": httpx.MockTransport(handler)}), request)
    assert seen == [request]
    assert seen[0] is request
    assert request.extensions is extensions
    assert extensions == {"x": 1}
    assert request.stream is stream
    assert request.headers == headers
    assert request.url == "http://scott:tiger@a.example/?b"


async def test_a_request_that_no_client_built_has_no_timeout_and_is_sent(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts({"http://127.0.0.1": None, "https://127.0.0.1": proxy.url})
    async with flavour.entered(mounts):
        for url in (origin.http, origin.https):
            request = httpx.Request("GET", url)
            extensions = request.extensions
            assert extensions == {}
            response = await flavour.send(mounts, request)
            assert response.status_code == 200
            body = b"".join([chunk async for chunk in flavour.chunks(response)])
            assert b'"method": "GET"' in body
            await flavour.close(response)
            assert request.extensions is extensions
            assert extensions == {}


async def test_a_callers_trace_sees_what_happens_on_the_wire(
    flavour: Flavour, origin: Origin
) -> None:
    events: list[str] = []

    def trace(name: str, info: dict[str, Any]) -> None:
        events.append(name)

    async def async_trace(name: str, info: dict[str, Any]) -> None:
        events.append(name)

    extensions = {"trace": async_trace if flavour.is_async else trace}
    async with flavour.client(transport=flavour.Mounts({"http://": None})) as client:
        await client.get(origin.http, extensions=extensions)
    assert "connection.connect_tcp.complete" in events
    assert "http11.receive_response_body.complete" in events


async def test_timeouts_are_passed_on(flavour: Flavour) -> None:
    def talk(connection: socket.socket) -> None:
        read_head(connection)
        wait_for_end(connection)

    with raw_server(talk) as url:
        timeout = httpx.Timeout(30, read=0.05)
        mounts = flavour.Mounts({"http://": None})
        async with flavour.client(transport=mounts, timeout=timeout) as client:
            with pytest.raises(httpx.ReadTimeout) as error:
                await client.get(url)
            assert error.value.request.url == url


async def test_a_failed_connection_is_httpxs_error_with_its_request(flavour: Flavour) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    async with flavour.client(transport=flavour.Mounts({})) as client:
        with pytest.raises(httpx.ConnectError) as error:
            await client.get(f"http://127.0.0.1:{port}/")
        assert error.value.request.url.port == port


# Relative URLs


@pytest.mark.parametrize(
    ("url", "path"),
    [("/x", "/x"), ("users/1", "/users/1"), ("file:///srv/x", "/srv/x"), ("", "/")],
)
@pytest.mark.parametrize("with_file_route", [False, True])
async def test_a_relative_url_is_refused_with_the_likelier_advice_first(
    flavour: Flavour, url: str, path: str, with_file_route: bool
) -> None:
    routes: dict[str, object] = {"all://": REFUSED}
    if with_file_route:
        routes["FILE://"] = SpyTransport()
    async with flavour.client(transport=flavour.Mounts(routes)) as client:
        with pytest.raises(httpx.UnsupportedProtocol) as refusal:
            await client.get(url)
    text = str(refusal.value)
    assert text.startswith(f"{path!r} is a relative URL")
    base_url = text.index("give the client a base_url, or the request a whole URL")
    file_url = text.index("give the client base_url='file:///'")
    assert (file_url < base_url) is with_file_route
    assert f"httpx.Request('GET', 'file://{path}')" in text
    assert refusal.value.request.url == path


async def test_the_refusal_of_a_relative_url_has_its_request_without_a_client_too(
    flavour: Flavour,
) -> None:
    request = httpx.Request("GET", "/x")
    with pytest.raises(httpx.UnsupportedProtocol) as refusal:
        await flavour.send(flavour.Mounts({}, default=REFUSED), request)
    assert refusal.value.request is request


async def test_the_advice_for_relative_urls_works(flavour: Flavour, origin: Origin) -> None:
    mounts = flavour.Mounts({"file://": SpyTransport("file")}, default="direct")
    async with flavour.client(transport=mounts, base_url=origin.http) as client:
        assert (await client.get("/x")).json()["path"] == "/x"
        assert (await client.send(httpx.Request("GET", "file:///srv/x"))).text == "file"
    async with flavour.client(transport=mounts, base_url="file:///") as client:
        assert (await client.get("file:///srv/x")).text == "file"
        assert (await client.get("/srv/x")).text == "file"
        assert (await client.get(origin.http)).status_code == 200


@pytest.mark.parametrize(
    "url", ["/x?token=tiger", "/x;token=tiger", "/fetch/https://scott:tiger@h/x"]
)
async def test_a_secret_in_a_relative_url_is_not_in_the_text(url: str, flavour: Flavour) -> None:
    async with flavour.client(transport=flavour.Mounts({}, default="direct")) as client:
        with pytest.raises(httpx.UnsupportedProtocol) as refusal:
            await client.get(url)
    assert "tiger" not in str(refusal.value)


@pytest.mark.parametrize("url", ["/x", "x", "", "//example.com/x", "?a"])
def test_a_relative_url_has_no_route(url: str) -> None:
    with pytest.raises(httpx.UnsupportedProtocol, match="is a relative URL"):
        Mounts({"all://": SpyTransport()}, default=SpyTransport()).route_for(url)


# Threads and tasks


def _shared_routes(origin: Origin, proxy: Proxy, *, http2: bool) -> dict[str, Any]:
    return {
        "http://127.0.0.1": "direct",
        "http://127.0.0.1/proxied": proxy.url,
        "http://*.docker": {"uds": origin.unix_socket},
        "https://127.0.0.1": {"http2": http2},
        "all://": REFUSED,
    }


def _shared_urls(origin: Origin, number: int) -> list[tuple[str, str]]:
    """URLs of different routes, and what the path is that the origin has to have seen."""
    return [
        (f"{origin.http}/direct/{number}", f"/direct/{number}"),
        (f"{origin.http}/proxied/{number}", f"/proxied/{number}"),
        (f"http://host-{number}.docker/{number}", f"/{number}"),
        (f"{origin.https}/{number}", f"/{number}"),
    ]


def _check(response: httpx.Response, path: str, number: int) -> None:
    seen = response.json()
    assert seen["path"] == path
    assert dict(seen["headers"])["x-number"] == str(number)


@pytest.mark.parametrize("threads", [8, pytest.param(64, marks=pytest.mark.slow)])
def test_threads_share_one_mounts(origin: Origin, proxy: Proxy, threads: int) -> None:
    # httpcore's sync HTTP/2 connections are not safe to share between threads: they encode the
    # headers of two requests at once ("deque mutated during iteration").
    mounts = Mounts(_shared_routes(origin, proxy, http2=False))
    together = threading.Barrier(threads)

    def work(number: int) -> int:
        together.wait(30)
        for url, path in _shared_urls(origin, number):
            _check(client.get(url, headers={"X-Number": str(number)}), path, number)
        return number

    with httpx.Client(transport=mounts, timeout=60) as client, ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(work, range(threads))) == list(range(threads))


@ASYNC_ONLY
@pytest.mark.parametrize("count", [10, pytest.param(100, marks=pytest.mark.slow)])
async def test_tasks_share_one_mounts(
    flavour: Flavour, origin: Origin, proxy: Proxy, count: int
) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        for url, path in _shared_urls(origin, number):
            _check(await client.get(url, headers={"X-Number": str(number)}), path, number)
        done.append(number)

    mounts = flavour.Mounts(_shared_routes(origin, proxy, http2=True))
    async with (
        flavour.client(transport=mounts, timeout=60) as client,
        anyio.create_task_group() as tasks,
    ):
        for number in range(count):
            tasks.start_soon(work, number)
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("turns", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_look_ups_from_many_threads_find_their_own_route(turns: int) -> None:
    # More hosts than any memo holds, and threads that switch as often as they can.
    spies = {f"http://h{number}.example": SpyTransport(str(number)) for number in range(50)}
    wildcards = {f"all://*.w{number}.example": SpyTransport(f"w{number}") for number in range(50)}
    mounts = Mounts({**spies, **wildcards}, default=SpyTransport("default"))
    together = threading.Barrier(8)

    def look_up(thread: int) -> list[str]:
        together.wait(30)
        wrong = []
        for turn in range(turns):
            number = (turn * 7 + thread) % 50
            for url, key in (
                (f"http://h{number}.example/", f"http://h{number}.example"),
                (f"http://t{turn}.w{number}.example/", f"all://*.w{number}.example"),
                (f"https://t{turn}-{thread}.example/", None),
            ):
                if mounts.route_for(url).pattern != key:
                    wrong.append(url)
        return wrong

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(look_up, range(8))) == [[]] * 8
    finally:
        sys.setswitchinterval(interval)


@ASYNC_ONLY
@pytest.mark.parametrize("way", ["direct", "proxy", "tunnel"])
async def test_a_cancelled_request_leaves_nothing(
    flavour: Flavour, origin: Origin, way: str
) -> None:
    arrived = threading.Event()

    def stall(connection: socket.socket) -> None:
        read_head(connection)
        arrived.set()
        wait_for_end(connection)

    with raw_server(stall) as stalled:
        target = "direct" if way == "direct" else stalled
        scheme = "https" if way == "tunnel" else "http"
        mounts = flavour.Mounts(
            {f"{scheme}://stalled.example": target, stalled: "direct"}, default="direct"
        )
        url = stalled if way == "direct" else f"{scheme}://stalled.example/"
        async with flavour.client(transport=mounts) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.get, url)
                assert await anyio.to_thread.run_sync(arrived.wait, 30)
                tasks.cancel_scope.cancel()
            assert tasks.cancel_scope.cancelled_caught
            # The pool has got its place back, and the transport is still good.
            assert (await client.get(origin.http)).status_code == 200


@ASYNC_ONLY
async def test_a_deadline_around_a_request_is_kept(flavour: Flavour) -> None:
    def stall(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        wait_for_end(connection)

    with raw_server(stall) as url:
        async with flavour.client(transport=flavour.Mounts({"http://": None})) as client:
            with pytest.raises(TimeoutError):
                with anyio.fail_after(0.02):
                    await client.get(url)
            with anyio.move_on_after(0.02) as scope:
                await client.get(url)
            assert scope.cancelled_caught


# Mounts among other transports


async def test_mounts_are_a_target_of_mounts(
    flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    inner = flavour.Mounts({"http://x.docker": {"uds": origin.unix_socket}})
    outer = flavour.Mounts(
        {"all://*.docker": inner, "http://127.0.0.1/inner": inner, "all://": None}
    )
    async with flavour.client(transport=outer) as client:
        assert _peer(await client.get("http://x.docker/")) == origin.unix_socket
        assert _peer(await client.get(origin.http)) == _port(origin.http)
        # The environment stands behind the inner ones too.
        assert _peer(await client.get(f"{origin.http}/inner")) == proxy.port


async def test_mounts_on_several_keys_and_inside_mounts_are_opened_and_closed_once(
    flavour: Flavour,
) -> None:
    spy = SpyTransport()
    inner = flavour.Mounts({"http://": spy, "https://": spy}, default=spy)
    outer = flavour.Mounts({"all://a": inner, "all://b": inner, "all://c": None}, default=inner)
    async with flavour.client(mounts={"http://": outer, "https://": outer}) as client:
        for url in ("http://a/", "https://b/", "http://c/", "https://d/"):
            assert (await client.get(url)).text == "spy"
    assert spy.calls == ["spy enter", *["spy request"] * 4, "spy exit"]


async def test_mounts_work_in_the_mounts_of_a_stock_client(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    mounts = flavour.Mounts({"http://127.0.0.1": proxy.url}, default=SpyTransport("default"))
    async with flavour.client(mounts={"http://": mounts}) as client:
        assert _peer(await client.get(origin.http)) == proxy.port
        assert _peer(await client.get(origin.https)) == origin.https_port
        assert (await client.get("http://elsewhere.example/")).text == "default"


async def test_a_transport_class_that_is_patched_later_is_patched_in_mounts_too(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = flavour.Mounts({"http://a": None, "http://b": "http://127.0.0.1:1", "http://c": {}})
    handle = "handle_async_request" if flavour.is_async else "handle_request"
    patched: Any = _answer("patched")

    async def async_patched(*arguments: Any) -> Any:
        return patched(*arguments)

    async with flavour.client(transport=mounts) as client:
        # As respx and pytest-httpx do it.
        with monkeypatch.context() as patch:
            new = async_patched if flavour.is_async else patched
            patch.setattr(flavour.HTTPTransport, handle, new)
            for host in "abcd":
                assert (await client.get(f"http://{host}/")).text == "patched"
        with pytest.raises(httpx.ConnectError):
            await client.get("http://b/")


async def test_an_inner_transport_whose_method_is_replaced_is_called_by_the_new_one(
    flavour: Flavour,
) -> None:
    spy: Any = SpyTransport("before")
    async with flavour.client(transport=flavour.Mounts({"http://": spy})) as client:
        assert (await client.get("http://a/")).text == "before"
        replacement = SpyTransport("after")
        spy.handle_request = replacement.handle_request
        assert (await client.get("http://a/")).text == "after"


# What can be asked, and what is shown


ROUTES = [
    "https://api.example.com:8443/v2",
    "all://*:8080",
    "https://api.example.com/v2",
    "https://api.example.com",
    "all://api.example.com",
    "all://10.1.0.0/16",
    "all://10.0.0.0/8",
    "all://*.api.example.com",
    "all://*api.example.com",
    "all://*.example.com",
    "https://",
    "file://",
    "all://",
]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_routes_go_from_the_most_to_the_least_specific(turn: int) -> None:
    spies = {key: SpyTransport(key) for key in ROUTES[::turn]}
    mounts = Mounts(spies)
    assert isinstance(mounts.routes, tuple)
    keys = [route.pattern for route in mounts.routes]
    # Neither of two keys for one scheme is the more specific: they stand as they were given.
    given = ["https://", "file://"][::turn]
    assert keys == [*ROUTES[:10], *given, "all://"]
    assert {route.pattern: route.transport for route in mounts.routes} == spies


def test_the_route_for_a_url_is_the_one_that_is_listed() -> None:
    mounts = Mounts({"all://*.example.com": SpyTransport(), "HTTP://Other.example": "direct"})
    for url, route in (
        ("https://a.example.com/", mounts.routes[1]),
        (httpx.URL("http://other.example/"), mounts.routes[0]),
    ):
        assert isinstance(mounts.route_for(url), Route)
        assert mounts.route_for(url) == route
        assert mounts.route_for(url).transport is route.transport
    assert mounts.route_for("http://other.example/").pattern == "HTTP://Other.example"


def test_the_route_of_the_default_has_no_pattern() -> None:
    spy = SpyTransport()
    route = Mounts({"all://*.example.com": None}, default=spy).route_for("http://example.com/")
    assert (route.pattern, route.transport) == (None, spy)
    assert repr(route) == "<Route default to SpyTransport>"


async def test_asking_for_a_route_sends_and_opens_nothing(flavour: Flavour) -> None:
    spy = SpyTransport()
    mounts = flavour.Mounts({"all://": spy}, default=spy)
    assert mounts.route_for("http://example.com/").transport is spy
    await flavour.close(mounts)
    assert spy.calls == ["spy close"]


def test_the_table_is_printed_with_the_environment_behind_the_routes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://scott:tiger@environment.example:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8, .corp:8443")
    mounts = Mounts(
        {
            "all://*.internal.example": None,
            "https://api.example.com": {"http2": True, "proxy": "http://scott:tiger@a.example"},
            "http://docker": {"uds": "/var/run/docker.sock"},
            "http://": RefusingTransport("no plain HTTP"),
        }
    )
    assert str(mounts) == (
        "https://api.example.com          HTTPTransport(http2=True, proxy=http://****@a.example)\n"
        "http://docker                    HTTPTransport(uds='/var/run/docker.sock')\n"
        "all://*.internal.example         direct\n"
        "http://                          RefusingTransport  no plain HTTP\n"
        "(environment) all://*.corp:8443  direct\n"
        "(environment) all://10.0.0.0/8   direct\n"
        "(environment) https://           proxy http://****@environment.example:3128\n"
        "(anything else)                  direct"
    )
    assert repr(mounts) == "<Mounts, 4 routes>"


def test_the_table_is_printed_with_the_default_last() -> None:
    mounts = Mounts({"http://a.example": None, "https://": "direct"}, default=SpyTransport())
    assert str(mounts) == (
        "http://a.example  default: SpyTransport\n"
        "https://          direct\n"
        "(anything else)   SpyTransport"
    )
    assert str(Mounts({}, default=SpyTransport())) == "(anything else)  SpyTransport"


def test_the_table_is_printed_with_the_arguments_for_all(certificates: Path) -> None:
    ca, key = str(certificates / "ca.pem"), str(certificates / "server.pem")
    mounts = Mounts(
        {"all://": {"http2": True, "verify": ca}},
        default="direct",
        verify=ca,
        cert=(key, key, "tiger"),
        limits=httpx.Limits(max_connections=3),
        proxy="http://scott:tiger@proxy.example",
    )
    *_, row, other, arguments = str(mounts).splitlines()
    assert row == f"all://           HTTPTransport(http2=True, verify={ca!r})"
    assert other == "(anything else)  direct (never reached)"
    assert arguments == (
        f"(arguments)      verify={ca!r}, cert=({key!r}, {key!r}, ****), "
        f"limits={httpx.Limits(max_connections=3)!r}, proxy=http://****@proxy.example"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert str(Mounts({}, verify=context)).endswith("(arguments)      verify=SSLContext")


def _never_reached(mounts: Mounts) -> list[str]:
    rows = str(mounts).splitlines()
    return [row.rpartition("  ")[0].rstrip() for row in rows if row.endswith(" (never reached)")]


@pytest.mark.parametrize(
    ("keys", "never"),
    [
        (["all://"], ["(anything else)"]),
        (["http://", "https://"], []),
        (["all://a.com", "all://*.a.com", "all://*a.com"], ["all://*a.com"]),
        (["all://a.com:443", "all://*.a.com", "all://*a.com"], []),
        (["https://a.com", "all://*.a.com", "all://*a.com"], []),
        (["all://10.0.0.0/9", "all://10.128.0.0/9", "all://10.0.0.0/8"], ["all://10.0.0.0/8"]),
        (["all://10.0.0.0/9", "all://10.128.0.0/10", "all://10.0.0.0/8"], []),
        (["all://10.0.0.0", "all://10.0.0.1", "all://10.0.0.0/31"], ["all://10.0.0.0/31"]),
        (["all://10.0.0.0", "all://10.0.0.1/x", "all://10.0.0.0/31"], []),
        (["all://[::]/1", "all://[8000::]/1", "all://[::]/0"], ["all://[::]/0"]),
        (["all://255.255.255.255", "all://255.255.255.255:80", "all://0.0.0.0/0"], []),
        (["all://[fe80::1%25a]", "all://[fe80::1]", "file:///x0x", "x0x://x1x:1024/x2x"], []),
    ],
)
def test_rows_that_no_url_can_reach_are_marked(keys: list[str], never: list[str]) -> None:
    spies = {key: SpyTransport(key) for key in keys}
    assert _never_reached(Mounts(spies, default=SpyTransport())) == never


def test_rows_of_the_environment_behind_the_others_are_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://environment.example:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,*.example.com")
    spy = SpyTransport()
    http = "(environment) http://"
    address, names = "(environment) all://127.0.0.1", "(environment) all://*.example.com"
    assert _never_reached(Mounts({"all://": spy})) == [address, names, http, "(anything else)"]
    assert _never_reached(Mounts({"http://": spy})) == [http]
    assert _never_reached(Mounts({"all://*example.com": spy})) == [names]
    assert _never_reached(Mounts({})) == []
