"""HSTS over real connections: the plain server is never reached again."""

import logging
import os
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import trustme
from support import other
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.pair import YEAR, Pair, pair
from support.transportkit import HSTSStore, HSTSTransport, HTTPSRedirect, RefusingTransport

from transportkit.https import store as store_module

HEADER = "Strict-Transport-Security"
MOVED = "301 Moved Permanently"


@pytest.fixture
def servers(certificates: Path) -> Iterator[Pair]:
    with pair(certificates / "server.pem") as running:
        yield running


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[Pair]:
    """The same, with a certificate that nobody has signed for the client."""
    certificate = tmp_path / "untrusted.pem"
    issued = trustme.CA().issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
    with pair(certificate) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hsts.txt"


def client(flavour: Flavour, *arguments: Any, **options: Any) -> Any:
    transport = flavour.HSTSTransport(*arguments, **options)
    return flavour.client(transport=transport, follow_redirects=True)


def mock(*headers: tuple[str, str], **extensions: object) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, extensions=extensions)

    return httpx.MockTransport(answer)


def learn(store: HSTSStore, host: str, header: str) -> None:
    """What a transport does with a header of a response, and not yet save it."""
    store._learn(host, header)


def known(*hosts: str) -> HSTSStore:
    store = HSTSStore()
    store.preload(hosts)
    return store


async def answered(flavour: Flavour, inner: Any, url: str, store: HSTSStore) -> httpx.Response:
    transport = flavour.HSTSTransport(inner, store)
    response = await flavour.send(transport, httpx.Request("GET", url))
    await flavour.close(transport)
    return response


class TestThePlainServer:
    async def test_sees_one_request_for_a_host_and_a_store(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        async with client(flavour) as one:
            for number in range(5):
                response = await one.get(f"{servers.http}/{number}")
                assert response.url == f"{servers.https}/{number}"
        assert [head.split(" ")[1] for head in servers.plain] == ["/0"]
        assert len(servers.tls) == 5

    async def test_sees_none_when_the_first_request_goes_over_https(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        async with client(flavour) as one:
            await one.get(servers.https)
            await one.get(servers.http)
        assert servers.plain == []

    async def test_sees_none_from_any_transport_over_the_same_store(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        store = HSTSStore()
        async with client(flavour, store=store) as one, client(flavour, store=store) as other:
            await one.get(servers.http)
            await other.get(servers.http)
        # One store is for sync and async transports alike.
        get_in_sync_code(store, servers.http)
        assert len(servers.plain) == 1

    async def test_sees_another_one_from_another_store(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        for _ in range(2):
            async with client(flavour) as one:
                await one.get(servers.http)
                await one.get(servers.http)
        assert len(servers.plain) == 2

    async def test_sees_none_when_the_store_comes_from_a_file(
        self, flavour: Flavour, servers: Pair, path: Path
    ) -> None:
        for _ in range(3):
            async with client(flavour, store=HSTSStore(path)) as one:
                await one.get(servers.http)
        assert len(servers.plain) == 1

    async def test_sees_none_when_the_host_was_preloaded(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        async with client(flavour, store=known("localhost")) as one:
            await one.get(servers.http)
        assert servers.plain == []

    async def test_sees_requests_again_once_https_is_not_asked_for_any_more(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        servers.script["https /off"] = ("200 OK", f"{HEADER}: max-age=0")
        async with client(flavour) as one:
            await one.get(servers.https)
            await one.get(f"{servers.http}/off")
            assert servers.plain == []
            await one.get(f"{servers.http}/off")
        assert len(servers.plain) == 1

    async def test_sees_none_when_the_secure_one_has_a_bad_certificate(
        self, flavour: Flavour, untrusted: Pair
    ) -> None:
        # 8.4 and 12.1: there is no way around.
        async with client(flavour, store=known("localhost")) as one:
            with pytest.raises(httpx.ConnectError):
                await one.get(untrusted.http)
        assert untrusted.plain == untrusted.tls == []


def get_in_sync_code(store: HSTSStore, url: str) -> httpx.Response:
    transport = HSTSTransport(store=store)
    with httpx.Client(transport=transport, follow_redirects=True) as one:
        return one.get(url)


class TestTheInternalRedirect:
    async def test_is_like_a_browsers(self, flavour: Flavour) -> None:
        response = await answered(flavour, mock(), "http://a.example/b?c", known("a.example"))
        assert response.status_code == 307
        assert response.headers["Location"] == "https://a.example/b?c"
        assert response.headers["Non-Authoritative-Reason"] == "HSTS"

    async def test_leads_to_the_same_place_over_tls(self, flavour: Flavour) -> None:
        store = known("a.example", "münchen.example")
        for url, location in [
            # 8.3: port 80 becomes 443, which is no port at all in https; others stay.
            ("http://a.example/", "https://a.example/"),
            ("http://a.example:80/", "https://a.example/"),
            ("http://a.example:443/", "https://a.example:443/"),
            ("http://a.example:8080/", "https://a.example:8080/"),
            ("http://A.EXAMPLE./%7E?q=%20", "https://a.example./%7E?q=%20"),
            ("http://scott:tiger@a.example/", "https://a.example/"),
            ("http://münchen.example/", "https://xn--mnchen-3ya.example/"),
            ("ws://a.example/chat", "wss://a.example/chat"),
        ]:
            inner = SpyTransport()
            response = await answered(flavour, inner, url, store)
            assert response.headers["Location"] == location
            redirect = HTTPSRedirect().handle_request(httpx.Request("GET", url))
            assert response.headers["Location"] == redirect.headers["Location"]
            assert inner.calls == ["spy close"]

    async def test_is_for_known_hosts_and_plain_schemes_only(self, flavour: Flavour) -> None:
        for url in [
            "https://a.example/",
            "wss://a.example/",
            "ftp://a.example/",
            "http://b.example/",
            "http://sub.a.example/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "/relative",
        ]:
            response = await answered(flavour, SpyTransport(), url, known("a.example"))
            assert response.status_code == 200, url

    async def test_is_in_the_history(self, flavour: Flavour, servers: Pair) -> None:
        async with client(flavour, store=known("localhost")) as one:
            response = await one.get(f"{servers.http}/a")
        assert response.status_code == 200
        assert response.url == response.request.url == f"{servers.https}/a"
        assert [(hop.status_code, str(hop.url)) for hop in response.history] == [
            (307, f"{servers.http}/a")
        ]

    async def test_is_what_the_caller_gets_who_follows_none(self, flavour: Flavour) -> None:
        transport = flavour.HSTSTransport(mock(), known("a.example"))
        async with flavour.client(transport=transport) as one:
            response = await one.get("http://a.example/")
        assert response.status_code == 307
        assert response.next_request.url == "https://a.example/"

    @pytest.mark.parametrize("chunks", [1, 3])
    async def test_keeps_method_and_body(self, flavour: Flavour, chunks: int) -> None:
        bodies: list[bytes] = []

        def answer(request: httpx.Request) -> httpx.Response:
            bodies.append(request.content)
            return httpx.Response(200)

        class Reading(httpx.BaseTransport, httpx.AsyncBaseTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                request.read()
                return answer(request)

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await request.aread()
                return answer(request)

        def body() -> Iterator[bytes]:
            yield from [b"body"] * chunks

        async def async_body() -> AsyncIterator[bytes]:
            for chunk in body():
                yield chunk

        async with client(flavour, Reading(), known("a.example")) as one:
            content = async_body() if flavour.is_async else body()
            response = await one.put("http://a.example/", content=content)
        assert response.request.method == "PUT"
        assert bodies == [b"body" * chunks]

    async def test_sends_cookies_that_are_for_https_alone(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        servers.script["https /login"] = ("200 OK", YEAR, "Set-Cookie: session=lion; Secure")
        async with client(flavour) as one:
            await one.get(f"{servers.https}/login")
            await one.get(f"{servers.http}/account")
        assert servers.plain == []
        assert "Cookie: session=lion" in servers.tls[1]
        assert "GET /account" in servers.tls[1]

    async def test_tells_a_request_of_the_other_library_what_to_import(
        self, flavour: Flavour
    ) -> None:
        transport = flavour.HSTSTransport(SpyTransport(), known("a.example"))
        for url in ("http://a.example/", "http://b.example/"):
            request = other.httpx.Request("GET", url)
            with pytest.raises(TypeError, match=other.advice(type(transport).__name__)):
                await flavour.send(transport, request)

    async def test_serves_a_class_of_ones_own_for_requests(self, flavour: Flavour) -> None:
        class Request(httpx.Request):
            pass

        transport = flavour.HSTSTransport(SpyTransport(), known("a.example"))
        response = await flavour.send(transport, Request("GET", "http://a.example/"))
        assert response.status_code == 307


class TestRedirectsBackToHttp:
    async def test_arrive_where_https_has_an_answer(self, flavour: Flavour, servers: Pair) -> None:
        servers.script["https /old"] = (MOVED, YEAR, f"Location: {servers.http}/new")
        async with client(flavour) as one:
            response = await one.get(f"{servers.https}/old")
        assert response.url == f"{servers.https}/new"
        assert [hop.status_code for hop in response.history] == [301, 307]
        assert servers.plain == []

    async def test_end_when_there_were_too_many(self, flavour: Flavour, servers: Pair) -> None:
        servers.script["https /"] = (MOVED, YEAR, f"Location: {servers.http}/")
        async with client(flavour) as one:
            with pytest.raises(httpx.TooManyRedirects):
                await one.get(servers.https)
        assert servers.plain == []

    # httpx sends ws:// as plain HTTP.
    @pytest.mark.parametrize("scheme", ["http", "ws"])
    async def test_are_refused_at_once_by_the_strict_alternative(
        self, scheme: str, flavour: Flavour, servers: Pair
    ) -> None:
        there = servers.http.replace("http", scheme)
        servers.script["https /"] = (MOVED, f"Location: {there}/new")
        refusing = RefusingTransport("https only")
        mounts = flavour.Mounts({"http://": refusing, "ws://": refusing})
        async with flavour.client(transport=mounts, follow_redirects=True) as one:
            with pytest.raises(httpx.UnsupportedProtocol, match=r"^https only$") as refusal:
                await one.get(servers.https)
        assert refusal.value.request.url == f"{there}/new"
        assert servers.plain == []

    @pytest.mark.parametrize("scheme", ["http", "ws"])
    async def test_go_over_https_by_a_redirect_of_all_hosts(
        self, scheme: str, flavour: Flavour, servers: Pair
    ) -> None:
        there = servers.http.replace("http", scheme)
        servers.script["https /"] = (MOVED, f"Location: {there}/new")
        redirect = HTTPSRedirect()
        mounts = flavour.Mounts({"http://": redirect, "ws://": redirect})
        async with flavour.client(transport=mounts, follow_redirects=True) as one:
            response = await one.get(servers.https)
        assert response.url == f"{there.replace(scheme, f'{scheme}s')}/new"
        assert servers.plain == []

    async def test_to_unknown_hosts_go_in_clear(self, flavour: Flavour, servers: Pair) -> None:
        servers.script["https /"] = (MOVED, f"Location: {servers.http}/new")
        servers.script["http /new"] = ("200 OK",)
        async with client(flavour) as one:
            assert (await one.get(servers.https)).url == f"{servers.http}/new"


class TestLearning:
    """Section 8.1."""

    async def test_is_from_the_first_header(self, flavour: Flavour) -> None:
        table: list[tuple[list[tuple[str, str]], bool]] = [
            ([], False),
            ([(HEADER, "max-age=60")], True),
            ([(HEADER.lower(), "max-age=60")], True),
            ([(HEADER.upper(), 'max-age="60"')], True),
            ([(HEADER, "nonsense")], False),
            ([(HEADER, "")], False),
            # Only the first one counts, also if it is broken.
            ([(HEADER, "max-age=60"), (HEADER, "max-age=0")], True),
            ([(HEADER, "max-age=0"), (HEADER, "max-age=60")], False),
            ([(HEADER, "nonsense"), (HEADER, "max-age=60")], False),
            ([(HEADER, "max-age=60"), (HEADER, "nonsense")], True),
        ]
        for headers, learned in table:
            store = HSTSStore()
            response = await answered(flavour, mock(*headers), "https://a.example/", store)
            assert ("a.example" in store) is learned, headers
            assert response.headers.raw == httpx.Headers(headers).raw

    async def test_is_not_from_what_came_in_clear(self, flavour: Flavour) -> None:
        for scheme in ("http", "ws", "ftp"):
            store = HSTSStore()
            await answered(flavour, mock((HEADER, "max-age=60")), f"{scheme}://a.example/", store)
            assert "a.example" not in store, scheme

    async def test_is_from_web_sockets_over_tls_too(self, flavour: Flavour) -> None:
        store = HSTSStore()
        await answered(flavour, mock((HEADER, "max-age=60")), "wss://a.example/", store)
        assert "a.example" in store

    async def test_is_from_responses_of_any_kind(self, flavour: Flavour) -> None:
        for status_code in (101, 200, 204, 301, 304, 404, 500):
            given = httpx.Response(status_code, headers={HEADER: "max-age=60"})
            store = HSTSStore()
            inner = httpx.MockTransport(lambda request, given=given: given)
            assert await answered(flavour, inner, "https://a.example/", store) is given
            assert "a.example" in store, status_code

    async def test_forgets_for_max_age_0(self, flavour: Flavour) -> None:
        store = HSTSStore()
        for max_age in (60, 0):
            inner = mock((HEADER, f"max-age={max_age}; includeSubDomains"))
            await answered(flavour, inner, "https://a.example/", store)
            assert ("sub.a.example" in store) is bool(max_age)

    async def test_without_a_header_forgets_nothing(self, flavour: Flavour) -> None:
        # 8.1 and 8.6.
        store = HSTSStore()
        for headers in ([(HEADER, "max-age=60")], []):
            await answered(flavour, mock(*headers), "https://a.example/", store)
        assert "a.example" in store

    async def test_is_not_about_addresses(self, flavour: Flavour, servers: Pair) -> None:
        store = HSTSStore()
        url = f"https://127.0.0.1:{servers.port}/"
        async with client(flavour, store=store) as one:
            assert HEADER in (await one.get(url)).headers
        assert "0 hosts" in repr(store)

    async def test_is_not_from_markup(self, flavour: Flavour) -> None:
        # 8.5.
        text = f'<meta http-equiv="{HEADER}" content="max-age=60">'
        inner = httpx.MockTransport(lambda request: httpx.Response(200, html=text))
        store = HSTSStore()
        await answered(flavour, inner, "https://a.example/", store)
        assert "a.example" not in store

    async def test_leaves_request_and_response_as_they_were(self, flavour: Flavour) -> None:
        extensions = {"timeout": {"read": 3}}
        request = httpx.Request("GET", "https://a.example/", extensions=extensions)
        given, seen = request.extensions, []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return response

        response = httpx.Response(200, headers={HEADER: "max-age=60"}, stream=_Unread())
        transport = flavour.HSTSTransport(httpx.MockTransport(answer))
        assert await flavour.send(transport, request) is response
        assert seen == [request]
        assert request.extensions is given
        assert given == {"timeout": {"read": 3}}
        assert not response.is_closed


class _Unread(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that only the caller may touch."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("somebody read the body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("somebody read the body")
        yield b""

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        # As closing a connection does, which is where a cancelled task would be stopped.
        await anyio.lowlevel.checkpoint()
        self.close()


def _without_hostname(certificates: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    context.check_hostname = False
    return context


class TestTheCertificate:
    """Sections 8.1 and 14.3: only over TLS without any error."""

    async def test_that_was_verified_counts(
        self, flavour: Flavour, servers: Pair, certificates: Path
    ) -> None:
        store = HSTSStore()
        context = ssl.create_default_context(cafile=certificates / "ca.pem")
        async with client(flavour, store=store, verify=context) as one:
            await one.get(servers.https)
        assert "localhost" in store

    async def test_that_was_not_verified_does_not(self, flavour: Flavour, servers: Pair) -> None:
        store = HSTSStore()
        async with client(flavour, store=store, verify=False) as one:
            assert HEADER in (await one.get(servers.https)).headers
        assert "localhost" not in store

    async def test_that_was_not_verified_forgets_nothing(
        self, flavour: Flavour, servers: Pair
    ) -> None:
        servers.script["https /"] = ("200 OK", f"{HEADER}: max-age=0")
        store = HSTSStore()
        learn(store, "localhost", "max-age=60")
        async with client(flavour, store=store, verify=False) as one:
            await one.get(servers.https)
        assert "localhost" in store

    async def test_that_may_be_anyones_does_not(
        self, flavour: Flavour, servers: Pair, certificates: Path
    ) -> None:
        store = HSTSStore()
        async with client(flavour, store=store, verify=_without_hostname(certificates)) as one:
            await one.get(servers.https)
        assert "localhost" not in store

    async def test_that_was_verified_for_another_name_does_not(
        self, flavour: Flavour, servers: Pair, certificates: Path
    ) -> None:
        store = HSTSStore()
        # A name of this machine that is not in the certificate.
        url = servers.https.replace("localhost", "other.localhost")
        extensions = {"sni_hostname": "localhost"}
        inner = _Resolving(flavour)
        async with client(flavour, inner, store) as one:
            response = await one.get(url, extensions=extensions)
            assert HEADER in response.headers
        assert "0 hosts" in repr(store)

    async def test_counts_through_a_proxy(
        self, flavour: Flavour, servers: Pair, proxy: Any
    ) -> None:
        store = HSTSStore()
        inner = flavour.HTTPTransport(proxy=proxy.url)
        async with client(flavour, inner, store) as one:
            await one.get(servers.https)
        assert "localhost" in store

    async def test_counts_over_http2(self, flavour: Flavour, origin: Any) -> None:
        # What is under the streams of HTTP/2 is asked all the same.
        inner = _Adding(flavour, flavour.HTTPTransport(http2=True))
        store = HSTSStore()
        async with client(flavour, inner, store) as one:
            url = origin.https.replace("127.0.0.1", "localhost")
            assert (await one.get(url)).http_version == "HTTP/2"
        assert "localhost" in store

    async def test_is_not_asked_for_where_there_is_no_wire(self, flavour: Flavour) -> None:
        store = HSTSStore()
        await answered(flavour, mock((HEADER, "max-age=60")), "https://a.example/", store)
        assert "a.example" in store

    @pytest.mark.parametrize("tls", [None, object()])
    async def test_is_missed_where_there_is_a_wire_without_tls(
        self, flavour: Flavour, tls: object
    ) -> None:
        class Stream:
            def get_extra_info(self, info: str) -> object:
                assert info == "ssl_object"
                return tls

        store = HSTSStore()
        inner = mock((HEADER, "max-age=60"), network_stream=Stream())
        await answered(flavour, inner, "https://a.example/", store)
        assert "a.example" not in store


def _Adding(flavour: Flavour, inner: Any) -> Any:  # noqa: N802 - stands for two classes
    """A transport that adds the header to what another one answers."""

    class Adding(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = inner.handle_request(request)
            response.headers[HEADER] = "max-age=60"
            return response  # type: ignore[no-any-return]

        def close(self) -> None:
            inner.close()

    class AsyncAdding(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await inner.handle_async_request(request)
            response.headers[HEADER] = "max-age=60"
            return response  # type: ignore[no-any-return]

        async def aclose(self) -> None:
            await inner.aclose()

    return AsyncAdding() if flavour.is_async else Adding()


def _Resolving(flavour: Flavour) -> Any:  # noqa: N802 - stands for two classes
    """A transport that finds `other.localhost` where localhost is, whatever the system says."""
    inner = flavour.HTTPTransport()

    def led(request: httpx.Request) -> httpx.Request:
        url = request.url.copy_with(host="localhost")
        return httpx.Request(request.method, url, extensions=request.extensions)

    class Resolving(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return inner.handle_request(led(request))  # type: ignore[no-any-return]

        def close(self) -> None:
            inner.close()

    class AsyncResolving(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await inner.handle_async_request(led(request))  # type: ignore[no-any-return]

        async def aclose(self) -> None:
            await inner.aclose()

    return AsyncResolving() if flavour.is_async else Resolving()


STRICT = ((HEADER, "max-age=31536000"),)


def no_space(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


class TestSaving:
    async def test_happens_at_once_for_the_first_host(self, flavour: Flavour, path: Path) -> None:
        transport = flavour.HSTSTransport(mock(*STRICT), HSTSStore(path))
        await flavour.send(transport, httpx.Request("GET", "https://a.example/"))
        assert "a.example" in HSTSStore(path)
        await flavour.close(transport)

    async def test_happens_when_the_transport_closes(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "monotonic", lambda: 0.0)
        transport = flavour.HSTSTransport(mock(*STRICT), HSTSStore(path))
        for host in ("a.example", "b.example"):
            await flavour.send(transport, httpx.Request("GET", f"https://{host}/"))
        assert "b.example" not in HSTSStore(path)
        await flavour.close(transport)
        assert "b.example" in HSTSStore(path)

    async def test_happens_in_a_thread_that_is_not_the_event_loops(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[int] = []
        fsync = os.fsync

        def noted(descriptor: int) -> None:
            threads.append(threading.get_ident())
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", noted)
        monkeypatch.setattr(store_module, "monotonic", lambda: 0.0)
        async with client(flavour, mock(*STRICT), HSTSStore(path)) as one:
            await one.get("https://a.example/")
            await one.get("https://b.example/")
        assert len(threads) == 2
        assert [thread == threading.get_ident() for thread in threads] == [not flavour.is_async] * 2

    async def test_never_touches_a_file_when_nothing_was_said(
        self, flavour: Flavour, path: Path
    ) -> None:
        async with client(flavour, mock(), HSTSStore(path)) as one:
            await one.get("https://a.example/")
            await one.get("http://a.example/")
        assert list(path.parent.iterdir()) == []

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_takes_no_thread_when_there_is_nothing_to_save(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*arguments: object) -> None:
            raise AssertionError("somebody took a thread")

        monkeypatch.setattr(anyio.to_thread, "run_sync", fail)
        async with client(flavour, mock(*STRICT), HSTSStore()) as one:
            await one.get("https://a.example/")
        async with client(flavour, mock(), HSTSStore(path)) as one:
            await one.get("https://a.example/")

    async def test_that_fails_on_the_way_is_logged_and_made_up_for(
        self,
        flavour: Flavour,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        async with client(flavour, mock(*STRICT), HSTSStore(path)) as one:
            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", no_space)
                assert (await one.get("https://a.example/")).status_code == 200
        (record,) = (record for record in caplog.records if record.name == "transportkit.https")
        assert record.levelno == logging.WARNING
        assert "could not be saved" in record.getMessage()
        assert "No space left on device" in record.getMessage()
        assert "a.example" in HSTSStore(path)

    async def test_that_fails_at_the_end_is_raised_and_the_inner_transport_closed(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, inner = HSTSStore(path), SpyTransport()
        learn(store, "a.example", "max-age=60")
        monkeypatch.setattr(os, "fsync", no_space)
        transport = flavour.HSTSTransport(inner, store)
        with pytest.raises(OSError, match="No space left"):
            async with flavour.entered(transport):
                pass
        assert inner.calls == ["spy enter", "spy exit"]
        # The next one to close has it to say again.
        with pytest.raises(OSError, match="No space left"):
            await flavour.close(transport)
        assert inner.calls == ["spy enter", "spy exit"]

    async def test_that_fails_at_the_end_does_not_hide_what_went_wrong_before(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, inner = HSTSStore(path), SpyTransport(failing={"exit": ValueError("not closed")})
        learn(store, "a.example", "max-age=60")
        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(KeyError) as caught:
            async with flavour.entered(flavour.HSTSTransport(inner, store)):
                raise KeyError("before")
        notes = "\n".join(caught.value.__notes__)
        assert "No space left" in notes
        assert "not closed" in notes

    async def test_that_fails_along_with_closing_raises_both(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, inner = HSTSStore(path), SpyTransport(failing={"close": ValueError("not closed")})
        learn(store, "a.example", "max-age=60")
        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(ExceptionGroup) as caught:
            await flavour.close(flavour.HSTSTransport(inner, store))
        assert [type(error) for error in caught.value.exceptions] == [OSError, ValueError]

    async def test_succeeds_although_closing_fails(self, flavour: Flavour, path: Path) -> None:
        store, inner = HSTSStore(path), SpyTransport(failing={"close": ValueError("not closed")})
        learn(store, "a.example", "max-age=60")
        with pytest.raises(ValueError, match=r"^not closed$"):
            await flavour.close(flavour.HSTSTransport(inner, store))
        assert "a.example" in HSTSStore(path)

    async def test_that_is_interrupted_closes_the_response(
        self, flavour: Flavour, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*arguments: object) -> None:
            raise KeyboardInterrupt

        stream = _Unread()
        response = httpx.Response(200, headers=STRICT, stream=stream)
        inner = httpx.MockTransport(lambda request: response)
        transport = flavour.HSTSTransport(inner, HSTSStore(path))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                await flavour.send(transport, httpx.Request("GET", "https://a.example/"))
        assert stream.is_closed
        await flavour.close(transport)

    async def test_goes_on_although_the_task_around_it_is_cancelled(
        self, flavour: Flavour, path: Path
    ) -> None:
        store, inner = HSTSStore(path), SpyTransport()
        learn(store, "a.example", "max-age=60")
        transport = flavour.HSTSTransport(inner, store)
        if flavour.is_async:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await transport.aclose()
        else:
            transport.close()
        assert "a.example" in HSTSStore(path)
        assert inner.calls == ["spy close"]

    async def test_that_is_cancelled_on_the_way_closes_the_response(
        self, flavour: Flavour, path: Path
    ) -> None:
        stream = _Unread()
        response = httpx.Response(200, headers=STRICT, stream=stream)
        scope = anyio.CancelScope() if flavour.is_async else None

        def answer(request: httpx.Request) -> httpx.Response:
            if scope is not None:
                scope.cancel()
            return response

        store = HSTSStore(path)
        transport = flavour.HSTSTransport(httpx.MockTransport(answer), store)
        request = httpx.Request("GET", "https://a.example/")
        if scope is None:
            await flavour.send(transport, request)
        else:
            with scope:
                await flavour.send(transport, request)
            assert scope.cancelled_caught
        # In sync code nobody cancels, and the response is the caller's.
        assert stream.is_closed is flavour.is_async
        await flavour.close(transport)
        assert "a.example" in HSTSStore(path)


class TestOpeningAndClosing:
    async def test_reach_the_inner_transport_once(self, flavour: Flavour, path: Path) -> None:
        inner = SpyTransport()
        transport = flavour.HSTSTransport(inner, HSTSStore(path))
        async with flavour.client(transport=transport) as one:
            await one.get("http://a.example/")
        await flavour.close(transport)
        assert inner.calls == ["spy enter", "spy request", "spy exit"]

    async def test_without_entering(self, flavour: Flavour) -> None:
        inner = SpyTransport()
        await flavour.close(flavour.HSTSTransport(inner))
        assert inner.calls == ["spy close"]

    async def test_after_a_request_that_came_after_closing(self, flavour: Flavour) -> None:
        inner = SpyTransport()
        transport = flavour.HSTSTransport(inner)
        for _ in range(2):
            await flavour.send(transport, httpx.Request("GET", "https://a.example/"))
            await flavour.close(transport)
        assert inner.calls == ["spy request", "spy close"] * 2

    async def test_errors_of_the_inner_transport_come_through(self, flavour: Flavour) -> None:
        request = httpx.Request("GET", "https://a.example/")
        error = httpx.ReadError("gone", request=request)
        transport = flavour.HSTSTransport(SpyTransport(failing={"request": error}))
        with pytest.raises(httpx.ReadError) as caught:
            await flavour.send(transport, request)
        assert caught.value is error


class TestWrongArguments:
    async def test_a_path_in_place_of_a_store_is_refused_with_what_to_write(
        self, flavour: Flavour
    ) -> None:
        text = r"^store must be an HSTSStore, not str: write HSTSStore\('hsts.txt'\)$"
        with pytest.raises(TypeError, match=text):
            flavour.HSTSTransport(store="hsts.txt")
        with pytest.raises(TypeError, match=r"not \w*Path: write HSTSStore\('hsts.txt'\)$"):
            flavour.HSTSTransport(store=Path("hsts.txt"))

    @pytest.mark.parametrize("store", [False, {}, ["example.com"], HSTSStore])
    async def test_what_is_no_store_is_refused(self, flavour: Flavour, store: object) -> None:
        text = f"^store must be an HSTSStore, not {type(store).__name__}: write HSTSStore\\(\\)$"
        with pytest.raises(TypeError, match=text):
            flavour.HSTSTransport(None, store)

    async def test_a_store_in_place_of_a_transport_is_refused(self, flavour: Flavour) -> None:
        text = r"^transport must be a transport, not an HSTSStore: write store=\.\.\.$"
        with pytest.raises(TypeError, match=text):
            flavour.HSTSTransport(HSTSStore())

    async def test_a_path_in_place_of_a_transport_is_refused(self, flavour: Flavour) -> None:
        text = r"^transport .*, not a path: write store=HSTSStore\('hsts.txt'\)$"
        for path in "hsts.txt", Path("hsts.txt"):
            with pytest.raises(TypeError, match=text):
                flavour.HSTSTransport(path)

    async def test_a_transport_and_arguments_for_one_are_refused(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match="not both: http2 would be ignored"):
            flavour.HSTSTransport(SpyTransport(), HSTSStore(), http2=True)

    async def test_unknown_arguments_are_refused(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match=r"^unknown argument 'path'"):
            flavour.HSTSTransport(path="hsts.txt")


def test_threads_share_a_store(servers: Pair) -> None:
    store = HSTSStore()
    get_in_sync_code(store, servers.http)
    seen: list[httpx.URL] = []

    def work() -> None:
        seen.extend(get_in_sync_code(store, servers.http).url for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [httpx.URL(f"{servers.https}/")] * 20
    assert len(servers.plain) == 1
