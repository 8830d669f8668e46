"""Plain HTTP answered with a redirect to HTTPS, or refused."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

import pytest
from support import other
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.raw import answering, raw_server
from support.servers import Origin
from support.transportkit import HTTPSRedirect, RefusingTransport

BODY = b"a body" * 1000


def _location(url: str | httpx.URL) -> str:
    response = HTTPSRedirect().handle_request(httpx.Request("GET", url))
    return response.headers["Location"]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://example.com", "https://example.com/"),
        ("http://example.com/", "https://example.com/"),
        ("HTTP://EXAMPLE.com/", "https://example.com/"),
        ("http://example.com:80/", "https://example.com/"),
        ("http://example.com:8080/", "https://example.com:8080/"),
        ("http://example.com:443/", "https://example.com:443/"),
        ("http://example.com.:8080/", "https://example.com.:8080/"),
        ("http://localhost/", "https://localhost/"),
        ("http://10.0.0.1:8080/", "https://10.0.0.1:8080/"),
        ("http://[::1]/", "https://[::1]/"),
        ("http://[::1]:80/", "https://[::1]/"),
        ("http://[2001:db8::1]:8080/a", "https://[2001:db8::1]:8080/a"),
        ("http://münchen.de/", "https://xn--mnchen-3ya.de/"),
        ("http://xn--mnchen-3ya.de:8080/ü", "https://xn--mnchen-3ya.de:8080/%C3%BC"),
        ("http://scott:tiger@example.com/", "https://example.com/"),
        ("http://scott@example.com:8080/", "https://example.com:8080/"),
        ("http://sc%40ott:ti%2Fger@example.com/", "https://example.com/"),
        ("http://scott:tiger@[::1]:8080/", "https://[::1]:8080/"),
        ("http://example.com/a/b/", "https://example.com/a/b/"),
        ("http://example.com//a//b", "https://example.com//a//b"),
        ("http://example.com/a%2Fb%2fc", "https://example.com/a%2Fb%2fc"),
        ("http://example.com/%7Ea~", "https://example.com/%7Ea~"),
        ("http://example.com/%ff%00", "https://example.com/%ff%00"),
        ("http://example.com/%2e%2e/a", "https://example.com/%2e%2e/a"),
        ("http://example.com/a;b=c@d:e", "https://example.com/a;b=c@d:e"),
        ("http://example.com?", "https://example.com/?"),
        ("http://example.com/?a=b&a=c&d", "https://example.com/?a=b&a=c&d"),
        ("http://example.com/?a=%20+%2B", "https://example.com/?a=%20+%2B"),
        ("http://example.com/?%zz&%", "https://example.com/?%zz&%"),
        ("http://example.com/?a=http://b@c/?d", "https://example.com/?a=http://b@c/?d"),
        ("http://example.com/?a='\"", "https://example.com/?a='%22"),
        ("http://example.com/a#b", "https://example.com/a"),
        ("ws://example.com/a?b", "wss://example.com/a?b"),
        ("ws://example.com:8080/", "wss://example.com:8080/"),
        ("ws://example.com:80/", "wss://example.com/"),
        ("HTTP://example.com:80/", "https://example.com/"),
        ("WS://example.com:80/", "wss://example.com/"),
    ],
)
def test_the_location_is_the_same_url_over_tls(url: str, location: str) -> None:
    assert _location(url) == location


@pytest.mark.parametrize(
    "raw_path",
    [b"/", b"/?", b"/a?b?c", b"/%e4%F6", b"//evil.example/", b"/\\evil.example", b"/?a=%5B]"],
)
def test_what_would_have_been_sent_as_the_path_is_in_the_location_byte_for_byte(
    raw_path: bytes,
) -> None:
    url = httpx.URL("http://example.com").copy_with(raw_path=raw_path)
    assert _location(url).encode() == b"https://example.com" + url.raw_path


def test_a_host_that_httpx_cannot_decode_is_redirected_as_it_is() -> None:
    # httpx makes no request of such a URL, httpx2 does.
    request = httpx.Request("GET", "http://example.com/")
    request.url = httpx.URL("http://scott:tiger@xn--a:8080/a?b")
    response = HTTPSRedirect().handle_request(request)
    assert response.headers["Location"] == "https://xn--a:8080/a?b"


@pytest.mark.parametrize("url", ["http://example.com/a%2Fb?c=%20", "http://[::1]:8080/ü"])
def test_the_location_leads_to_what_was_asked_for(url: str) -> None:
    asked, led = httpx.URL(url), httpx.URL(_location(url))
    assert (led.scheme, led.raw_host, led.raw_path) == ("https", asked.raw_host, asked.raw_path)


async def test_it_answers_with_the_status_that_was_asked_for(flavour: Flavour) -> None:
    for status_code in (301, 302, 303, 307, 308):
        transport = HTTPSRedirect(status_code)
        response = await flavour.send(transport, httpx.Request("GET", "http://example.com/"))
        assert response.status_code == status_code
        assert response.has_redirect_location
        assert await flavour.read(response) == b""


async def test_it_answers_with_307_when_nothing_was_asked_for(flavour: Flavour) -> None:
    async with flavour.client(transport=HTTPSRedirect()) as client:
        response = await client.get("http://example.com/")
    # The caller gets it: following redirects is off by default.
    assert response.status_code == 307
    assert response.headers["Location"] == "https://example.com/"
    assert response.next_request.url == "https://example.com/"


@pytest.mark.parametrize(
    "status_code", [200, 300, 304, 306, 309, 404, 0, -1, None, "307", "301", 307.0]
)
def test_any_other_status_is_refused(status_code: Any) -> None:
    with pytest.raises(ValueError, match="status_code must be one of 301, 302, 303, 307, 308"):
        HTTPSRedirect(status_code)


async def test_what_is_no_plain_http_is_refused(flavour: Flavour) -> None:
    for url in ("https://example.com/", "wss://example.com/", "file:///a", "/a"):
        request = httpx.Request("GET", url)
        with pytest.raises(httpx.UnsupportedProtocol, match="mount it on 'http://'") as refusal:
            await flavour.send(HTTPSRedirect(), request)
        assert refusal.value.request is request


async def test_the_text_of_the_refusal_holds_no_credentials(flavour: Flavour) -> None:
    request = httpx.Request("GET", "https://scott:tiger@example.com/?token=lion")
    with pytest.raises(httpx.UnsupportedProtocol) as refusal:
        await flavour.send(HTTPSRedirect(), request)
    text = str(refusal.value)
    assert "https://****@example.com/?token=****" in text


async def test_mounted_on_every_scheme_it_raises_instead_of_looping(flavour: Flavour) -> None:
    mounts = flavour.Mounts({"all://": HTTPSRedirect()}, default="direct")
    async with flavour.client(transport=mounts, follow_redirects=True) as client:
        with pytest.raises(httpx.UnsupportedProtocol, match="not on 'all://'") as refusal:
            await client.get("http://example.com/")
    assert refusal.value.request.url == "https://example.com/"


def _plain(origin: Origin) -> str:
    """The origin's HTTPS port over plain HTTP, where nobody answers but a redirect."""
    return origin.https.replace("https://", "http://")


def _body() -> Iterator[bytes]:
    yield BODY[:6]
    yield BODY[6:]


async def _async_body() -> AsyncIterator[bytes]:
    for chunk in _body():
        yield chunk


def _client(flavour: Flavour, status_code: int = 307, **kwargs: Any) -> Any:
    mounts = flavour.Mounts({"http://": HTTPSRedirect(status_code)})
    return flavour.client(transport=mounts, follow_redirects=True, **kwargs)


# Each method with one of the two; with both if slow.
@pytest.mark.parametrize(
    ("status_code", "method"),
    [
        (307, "POST"),
        (308, "PUT"),
        (307, "PATCH"),
        (308, "DELETE"),
        pytest.param(308, "POST", marks=pytest.mark.slow),
        pytest.param(307, "PUT", marks=pytest.mark.slow),
        pytest.param(308, "PATCH", marks=pytest.mark.slow),
        pytest.param(307, "DELETE", marks=pytest.mark.slow),
    ],
)
async def test_307_and_308_keep_method_and_body(
    flavour: Flavour, origin: Origin, method: str, status_code: int
) -> None:
    async with _client(flavour, status_code) as client:
        response = await client.request(method, f"{_plain(origin)}/a%2Fb?c=%20", content=BODY)
        assert [hop.status_code for hop in response.history] == [status_code]
        seen = response.json()
    assert (seen["method"], seen["scheme"]) == (method, "https")
    assert (seen["path"], seen["query"]) == ("/a%2Fb", "c=%20")
    assert seen["body"] == sha256(BODY).hexdigest()


async def test_307_keeps_a_body_that_can_be_read_only_once(
    flavour: Flavour, origin: Origin
) -> None:
    async with _client(flavour) as client:
        content = _async_body() if flavour.is_async else _body()
        seen = (await client.post(_plain(origin), content=content)).json()
    assert seen["method"] == "POST"
    assert seen["body"] == sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("status_code", "method", "then"),
    [
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "GET", "GET"),
        (303, "HEAD", "HEAD"),
        (302, "POST", "GET"),
        (302, "PATCH", "GET"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (301, "GET", "GET"),
    ],
)
async def test_the_other_statuses_lose_method_and_body_as_in_any_client(
    flavour: Flavour, origin: Origin, status_code: int, method: str, then: str
) -> None:
    async with _client(flavour, status_code) as client:
        content = BODY if method not in {"GET", "HEAD"} else b""
        response = await client.request(method, _plain(origin), content=content)
        assert response.request.method == then
        if then != "HEAD":
            seen = response.json()
            assert seen["method"] == then
            kept = content if then == method else b""
            assert seen["body"] == sha256(kept).hexdigest()


async def test_authorization_is_kept_on_the_way_to_the_same_host_but_not_to_another_port(
    flavour: Flavour,
) -> None:
    https = SpyTransport("https")
    seen: list[tuple[str, str | None]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers.get("Authorization")))
        return httpx.Response(200)

    mounts = flavour.Mounts(
        {"http://": HTTPSRedirect(), "https://": httpx.MockTransport(handler)}, default=https
    )
    async with flavour.client(transport=mounts, follow_redirects=True) as client:
        headers = {"Authorization": "Bearer lion"}
        await client.get("http://a.example/", headers=headers)
        await client.get("http://a.example:80/", headers=headers)
        await client.get("http://a.example:8080/", headers=headers)
        await client.get("http://scott:tiger@a.example/")
    # httpx takes http to https for the same place only with the ports of the two schemes.
    assert seen == [
        ("https://a.example/", "Bearer lion"),
        ("https://a.example/", "Bearer lion"),
        ("https://a.example:8080/", None),
        ("https://a.example/", "Basic c2NvdHQ6dGlnZXI="),
    ]


async def test_cookies_of_the_jar_are_kept_and_a_cookie_header_is_lost(
    flavour: Flavour, origin: Origin
) -> None:
    async with _client(flavour, cookies={"jar": "kept"}) as client:
        seen = (await client.get(_plain(origin))).json()
        assert dict(seen["headers"])["cookie"] == "jar=kept"
    async with _client(flavour) as client:
        seen = (await client.get(_plain(origin), headers={"Cookie": "header=lost"})).json()
        assert "cookie" not in dict(seen["headers"])


async def test_it_sends_nothing_and_holds_nothing(flavour: Flavour) -> None:
    connections: list[object] = []
    with raw_server(connections.append) as url:
        transport = HTTPSRedirect()
        async with flavour.client(transport=transport) as client:
            assert (await client.get(url)).status_code == 307
        # It may be asked again, as there was nothing to close.
        async with flavour.client(transport=transport) as client:
            assert (await client.get(url)).status_code == 307
    assert connections == []


async def test_one_redirect_serves_sync_and_async_clients_alike(flavour: Flavour) -> None:
    mounts = flavour.Mounts({"http://": SHARED})
    async with flavour.client(transport=mounts) as client:
        assert (await client.get("http://a.example/")).headers["Location"] == "https://a.example/"


SHARED = HTTPSRedirect()


# Refusals


async def test_a_refusal_has_its_reason_and_the_request(flavour: Flavour) -> None:
    request = httpx.Request("GET", "http://example.com/")
    with pytest.raises(httpx.UnsupportedProtocol) as refusal:
        await flavour.send(RefusingTransport("not on the list"), request)
    assert str(refusal.value) == "not on the list"
    assert refusal.value.request is request


async def test_a_refusal_reaches_the_caller_of_a_client(flavour: Flavour) -> None:
    async with flavour.client(transport=RefusingTransport("not on the list")) as client:
        for _ in range(2):
            with pytest.raises(httpx.TransportError, match=r"^not on the list$") as refusal:
                await client.post("https://example.com/", content=b"body")
            assert refusal.value.request.method == "POST"


async def test_an_allow_list_lets_through_what_is_on_it_and_nothing_else(
    flavour: Flavour, origin: Origin
) -> None:
    mounts = flavour.Mounts({"all://": RefusingTransport("not on the list"), origin.https: None})
    async with flavour.client(transport=mounts, follow_redirects=True) as client:
        assert (await client.get(f"{origin.https}/a")).json()["path"] == "/a"
        for url in (origin.http, "https://evil.example/", f"{origin.https}1", "file:///etc/hosts"):
            request = httpx.Request("GET", url)
            with pytest.raises(httpx.UnsupportedProtocol, match="not on the list"):
                await client.send(request)


async def test_an_allow_list_holds_for_redirects_too(flavour: Flavour) -> None:
    with raw_server(answering("302 Found", "Location: http://evil.example/")) as allowed:
        mounts = flavour.Mounts({"all://": RefusingTransport("not on the list"), allowed: None})
        async with flavour.client(transport=mounts, follow_redirects=True) as client:
            with pytest.raises(httpx.UnsupportedProtocol, match="not on the list") as refusal:
                await client.get(allowed)
    assert refusal.value.request.url == "http://evil.example/"


@pytest.mark.parametrize("reason", [None, 1, b"no", ["no"], ValueError("no")])
def test_a_reason_that_is_no_string_is_refused(reason: Any) -> None:
    with pytest.raises(TypeError, match=f"reason must be a string, not {type(reason).__name__}"):
        RefusingTransport(reason)


# The other library


@pytest.mark.parametrize(
    ("name", "transport"),
    [("HTTPSRedirect", HTTPSRedirect()), ("RefusingTransport", RefusingTransport("no"))],
)
async def test_a_request_of_the_other_library_is_told_what_to_import(
    flavour: Flavour, name: str, transport: Any
) -> None:
    request = other.httpx.Request("GET", "http://example.com/")
    with pytest.raises(TypeError, match=other.advice(name)):
        await flavour.send(transport, request)


def test_and_finds_it_there() -> None:
    request = other.httpx.Request("GET", "http://example.com/")
    theirs = other.transportkit()
    assert type(theirs.HTTPSRedirect().handle_request(request)) is other.httpx.Response
    with pytest.raises(other.httpx.UnsupportedProtocol, match=r"^no$"):
        theirs.RefusingTransport("no").handle_request(request)


def test_the_name_to_import_is_that_of_the_class_one_has_derived_from() -> None:
    class Mine(HTTPSRedirect):
        pass

    request = other.httpx.Request("GET", "http://example.com/")
    with pytest.raises(TypeError, match=other.advice("HTTPSRedirect")):
        Mine().handle_request(request)


def test_a_class_of_ones_own_for_requests_is_served() -> None:
    class Request(httpx.Request):
        pass

    request = Request("GET", "http://example.com/")
    assert HTTPSRedirect().handle_request(request).status_code == 307
    with pytest.raises(httpx.UnsupportedProtocol) as refusal:
        RefusingTransport("no").handle_request(request)
    assert refusal.value.request is request


@pytest.mark.parametrize(
    ("url", "keeps"), [("http://h/", True), ("http://h:8080/", False), ("ws://h/", False)]
)
def test_an_upgrade_loses_what_httpx_leaves_out_of_redirects(url: str, keeps: bool) -> None:
    """What the docstrings of `HTTPSRedirect` and `HSTSTransport` say of it."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200)

    secure, redirect = httpx.MockTransport(answer), HTTPSRedirect()
    mounts = {"http://": redirect, "ws://": redirect, "https://": secure, "wss://": secure}
    own = {"Authorization": "Bearer a", "Cookie": "own=1"}
    with httpx.Client(mounts=mounts, follow_redirects=True) as client:
        client.get(url, headers=own)
        client.cookies.set("jar", "1")
        client.get(url)
    assert ("authorization" in seen[0], "cookie" in seen[0]) == (keeps, False)
    assert seen[1]["cookie"] == "jar=1"
