"""One inner transport: which one it is, and that everything passes through it untouched."""

import re
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import pytest
from support.flavours import NAMES, Flavour, SpyTransport
from support.library import LIBRARY, httpx
from support.matrices import named, thinned
from support.servers import Origin, Proxy
from support.transportkit import HTTPSRedirect, RetryBudget, RetryPolicy


class Passing(SpyTransport):
    """Answers with one response object, and keeps the requests."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.response


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Bytes that nothing but the caller may touch."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        self.calls.append("read")
        yield b"bytes"

    def close(self) -> None:
        self.calls.append("close")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    async def aclose(self) -> None:
        self.close()


def handler_name(flavour: Flavour) -> str:
    return "handle_async_request" if flavour.is_async else "handle_request"


def handler(flavour: Flavour, text: str) -> Any:
    """A method for a transport class to be patched with."""

    def answer(self: object, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text)

    async def async_answer(self: object, request: httpx.Request) -> httpx.Response:
        return answer(self, request)

    return async_answer if flavour.is_async else answer


async def peer_port(flavour: Flavour, client: Any, url: str) -> int:
    """The port at the other end of the connection that a request went over."""
    response = await client.send(httpx.Request("GET", url), stream=True)
    try:
        address = response.extensions["network_stream"].get_extra_info("server_addr")
    finally:
        await flavour.close(response)
    return int(address[1])


# In place of a transport, and beside one.
GIVEN = [None, HTTPSRedirect()]


def port_of(url: str) -> int | None:
    return httpx.URL(url).port


class TestAGivenTransport:
    async def test_is_sent_through(self, flavour: Flavour) -> None:
        inner = SpyTransport("inner")
        async with flavour.client(transport=flavour.Wrapper(inner)) as client:
            assert (await client.get("http://example.com/")).text == "inner"
        assert inner.calls == ["inner enter", "inner request", "inner exit"]

    async def test_may_be_named(self, flavour: Flavour) -> None:
        wrapper = flavour.Wrapper(transport=SpyTransport("inner"))
        async with flavour.client(transport=wrapper) as client:
            assert (await client.get("http://example.com/")).text == "inner"

    async def test_is_closed_without_having_been_entered(self, flavour: Flavour) -> None:
        inner = SpyTransport("inner")
        await flavour.close(flavour.Wrapper(inner))
        assert inner.calls == ["inner close"]

    async def test_may_be_a_wrapper_itself(self, flavour: Flavour) -> None:
        inner = SpyTransport("inner")
        wrapper = flavour.Wrapper(flavour.Wrapper(inner))
        async with flavour.client(transport=wrapper) as client:
            await client.get("http://example.com/")
        assert inner.calls == ["inner enter", "inner request", "inner exit"]

    async def test_may_be_of_both_kinds(self, flavour: Flavour) -> None:
        async with flavour.client(transport=flavour.Wrapper(HTTPSRedirect())) as client:
            assert (await client.get("http://example.com/")).is_redirect

    async def test_raises_what_it_raises(self, flavour: Flavour) -> None:
        request = httpx.Request("GET", "http://example.com/")
        error = httpx.ReadError("gone", request=request)
        inner = SpyTransport(failing={"request": error})
        with pytest.raises(httpx.ReadError) as caught:
            await flavour.send(flavour.Wrapper(inner), request)
        assert caught.value is error


class TestTheInnerMethodIsLookedUpPerCall:
    """Test libraries patch a transport class while clients of it exist, and undo that later."""

    async def test_on_the_default_inner_transport(
        self, flavour: Flavour, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrapper = flavour.Wrapper()
        async with flavour.client(transport=wrapper) as client:
            with monkeypatch.context() as patch:
                name = handler_name(flavour)
                patch.setattr(flavour.HTTPTransport, name, handler(flavour, "patched"))
                assert (await client.get("http://nowhere.invalid/")).text == "patched"
            assert (await client.get(f"{origin.http}/real")).json()["path"] == "/real"

    async def test_on_a_given_one_that_was_used_before(
        self, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrapper = flavour.Wrapper(SpyTransport("real"))
        async with flavour.client(transport=wrapper) as client:
            assert (await client.get("http://example.com/")).text == "real"
            monkeypatch.setattr(SpyTransport, handler_name(flavour), handler(flavour, "patched"))
            assert (await client.get("http://example.com/")).text == "patched"


class TestTheDefaultInnerTransport:
    async def test_keeps_the_proxy_of_the_environment(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with flavour.client(transport=flavour.Wrapper()) as client:
            assert await peer_port(flavour, client, origin.http) == proxy.port
            seen = (await client.get(origin.http)).json()
        assert "via" in dict(seen["headers"])

    async def test_keeps_the_proxy_of_the_environment_for_https(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with flavour.client(transport=flavour.Wrapper()) as client:
            assert await peer_port(flavour, client, origin.https) == proxy.port
            assert await peer_port(flavour, client, origin.http) == port_of(origin.http)

    async def test_keeps_the_exceptions_of_the_environment(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with flavour.client(transport=flavour.Wrapper()) as client:
            assert await peer_port(flavour, client, origin.http) == port_of(origin.http)

    async def test_leaves_out_the_environment_when_told_not_to_trust_it(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        # Nothing is to be verified, and the certificates of the system take long to load.
        wrapper = flavour.Wrapper(trust_env=False, verify=False)
        async with flavour.client(transport=wrapper) as client:
            assert await peer_port(flavour, client, origin.http) == port_of(origin.http)
            seen = (await client.get(origin.http)).json()
        assert "via" not in dict(seen["headers"])

    async def test_goes_straight_when_the_environment_names_no_proxy(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        async with flavour.client(transport=flavour.Wrapper()) as client:
            assert await peer_port(flavour, client, origin.http) == port_of(origin.http)

    async def test_takes_a_proxy_of_its_own(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://nowhere.invalid:1")
        async with flavour.client(transport=flavour.Wrapper(proxy=proxy.url)) as client:
            assert await peer_port(flavour, client, origin.http) == proxy.port

    async def test_takes_the_arguments_of_an_http_transport(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        async with flavour.client(transport=flavour.Wrapper(http2=True)) as client:
            assert (await client.get(origin.https)).http_version == "HTTP/2"

    async def test_is_usable_without_being_entered(self, flavour: Flavour, origin: Origin) -> None:
        wrapper = flavour.Wrapper()
        response = await flavour.send(wrapper, httpx.Request("GET", origin.http))
        await flavour.close(response)
        await flavour.close(wrapper)
        assert response.status_code == 200


class TestWrongArguments:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"http2": True}, "http2"),
            ({"verify": False, "retries": 2}, "verify, retries"),
        ],
    )
    async def test_beside_a_transport_are_refused_by_name(
        self, flavour: Flavour, options: dict[str, Any], named: str
    ) -> None:
        text = f"not both: {named} would be ignored. Pass them where that transport is made"
        with pytest.raises(TypeError, match=re.escape(text)):
            flavour.Wrapper(SpyTransport(), **options)

    @pytest.mark.parametrize(
        ("mistake", "given", "flavour"),
        thinned(
            named(
                {
                    "http_2": ("Wrapper", {"http_2": True}, "http2"),
                    "transprot": ("Wrapper", {"transprot": None}, "transport"),
                    "verfy": ("Wrapper", {"http2": True, "verfy": False}, "verify"),
                    "polcy": ("RetryTransport", {"polcy": RetryPolicy()}, "policy"),
                    "budge": ("RetryTransport", {"budge": None}, "budget"),
                    "poxy": ("RetryTransport", {"poxy": "http://proxy.example"}, "proxy"),
                    "max_resume": ("ResumeTransport", {"max_resume": 3}, "max_resumes"),
                    "stor": ("HSTSTransport", {"stor": None}, "store"),
                    "body": ("DebuggingTransport", {"body": 5}, "bodies"),
                }
            ),
            product(GIVEN, NAMES),
        ),
        indirect=["flavour"],
    )
    async def test_of_a_name_that_is_nearly_one_are_refused_with_that(
        self,
        flavour: Flavour,
        given: HTTPSRedirect | None,
        mistake: tuple[str, dict[str, Any], str],
    ) -> None:
        name, options, meant = mistake
        written = list(options)[-1]
        text = f"unknown argument {written!r}: did you mean {meant}?"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            flavour.pick(name)(given, **options)

    @pytest.mark.parametrize(
        ("written", "given", "flavour"),
        thinned(["resilience", "jitter", "default"], product(GIVEN, NAMES)),
        indirect=["flavour"],
    )
    async def test_of_another_name_are_refused_with_the_classs_own_first(
        self, flavour: Flavour, given: HTTPSRedirect | None, written: str
    ) -> None:
        text = (
            f"unknown argument {written!r}: {flavour.RetryTransport.__name__} takes transport, "
            "policy, budget, and those of httpx.HTTPTransport: verify, cert, trust_env, "
        )
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            flavour.RetryTransport(given, **{written: None})

    async def test_of_a_subclass_are_its_own(self, flavour: Flavour) -> None:
        wrapper: Any = flavour.Wrapper

        class Coloured(wrapper):  # type: ignore[misc]
            def __init__(self, colour: str, **kwargs: Any) -> None:
                super().__init__(**kwargs)

        with pytest.raises(TypeError, match=r"'color': did you mean colour\?$"):
            Coloured("red", color="blue")

    async def test_a_transport_of_the_other_kind_is_refused(self, flavour: Flavour) -> None:
        other: object = httpx.AsyncHTTPTransport()
        text = (
            f"transport: AsyncHTTPTransport is not an {LIBRARY}.BaseTransport, which RetryTransport needs; "
            "AsyncRetryTransport takes it"
        )
        if flavour.is_async:
            other = httpx.HTTPTransport()
            text = (
                f"transport: HTTPTransport is not an {LIBRARY}.AsyncBaseTransport, which "
                "AsyncRetryTransport needs; RetryTransport takes it"
            )
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            flavour.RetryTransport(other)

    async def test_the_class_of_a_transport_is_refused(self, flavour: Flavour) -> None:
        text = "transport: SpyTransport is a class: write SpyTransport(...)"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            flavour.Wrapper(SpyTransport)

    @pytest.mark.parametrize(
        ("name", "given", "written"),
        [
            ("Wrapper", "http://scott:tiger@proxy.example:8080", "proxy=..."),
            ("Wrapper", httpx.URL("http://scott:tiger@proxy.example:8080"), "proxy=..."),
            ("Wrapper", httpx.Proxy("http://scott:tiger@proxy.example:8080"), "proxy=..."),
            ("Wrapper", {"all://": None}, "Mounts({...})"),
            ("Wrapper", ["http://scott:tiger@a", "http://b"], "ProxyRoundRobin([...])"),
            ("Wrapper", ("http://scott:tiger@a", "http://b"), "ProxyRoundRobin([...])"),
            ("RetryTransport", RetryPolicy(), "policy=..."),
            ("RetryTransport", RetryBudget(), "budget=..."),
            ("ResumeTransport", 3, "max_resumes=..."),
        ],
    )
    async def test_what_is_meant_for_another_place_is_told_which(
        self, flavour: Flavour, name: str, given: object, written: str
    ) -> None:
        if flavour.is_async and written[0].isupper():
            written = f"Async{written}"
        text = f"BaseTransport, not {type(given).__name__}: write {written}"
        with pytest.raises(TypeError, match=f"{re.escape(text)}$") as refused:
            flavour.pick(name)(given)
        assert "tiger" not in str(refused.value)

    @pytest.mark.parametrize("given", [b"http://proxy.example:8080", False, 5, object()])
    async def test_what_is_no_transport_is_refused(self, flavour: Flavour, given: object) -> None:
        text = f"BaseTransport, not {type(given).__name__}: write {flavour.Wrapper.__name__}\\(\\) "
        with pytest.raises(TypeError, match=text):
            flavour.Wrapper(given)

    async def test_a_client_is_refused(self, flavour: Flavour) -> None:
        client = flavour.Client()
        meant = f"{type(client).__name__}(transport={flavour.Wrapper.__name__}(...))"
        text = f"BaseTransport, not {type(client).__name__}: write httpx2?.{re.escape(meant)}$"
        with pytest.raises(TypeError, match=text):
            flavour.Wrapper(client)
        await flavour.close(client)

    async def test_a_subclass_that_forgets_its_base_is_told_to_make_it(
        self, flavour: Flavour
    ) -> None:
        base: Any = flavour.Wrapper

        class Forgetful(base):  # type: ignore[misc]
            def __init__(self) -> None:
                """Do not call that of the base."""

        text = "Forgetful has no inner transport: write super().__init__(transport) in its __init__"
        with pytest.raises(AttributeError, match=f"^{re.escape(text)}$"):
            await flavour.send(Forgetful(), httpx.Request("GET", "http://example.com/"))


class TestPassingThrough:
    async def test_request_and_extensions_are_the_callers_own_objects(
        self, flavour: Flavour
    ) -> None:
        inner = Passing(httpx.Response(200))
        extensions = {"timeout": {"read": 3}, "mine": object()}
        request = httpx.Request("GET", "http://example.com/", extensions=extensions)
        given, before = request.extensions, dict(request.extensions)
        await flavour.send(flavour.Wrapper(inner), request)
        assert inner.requests == [request]
        assert inner.requests[0].extensions is given
        assert given == before

    async def test_a_request_without_a_timeout_gets_none(self, flavour: Flavour) -> None:
        inner = Passing(httpx.Response(200))
        request = httpx.Request("GET", "http://example.com/")
        await flavour.send(flavour.Wrapper(inner), request)
        assert "timeout" not in inner.requests[0].extensions

    async def test_the_response_is_the_inner_one(self, flavour: Flavour) -> None:
        stream, extensions = Stream(), {"http_version": b"HTTP/9", "mine": object()}
        inner = Passing(httpx.Response(203, stream=stream, extensions=extensions))
        given = inner.response.extensions
        request = httpx.Request("GET", "http://example.com/")
        response = await flavour.send(flavour.Wrapper(inner), request)
        assert response is inner.response
        assert response.extensions is given
        assert response.stream is stream
        assert stream.calls == []

    async def test_switching_protocols_leaves_the_network_stream_alone(
        self, flavour: Flavour
    ) -> None:
        stream, network_stream = Stream(), object()
        extensions = {"network_stream": network_stream}
        inner = Passing(httpx.Response(101, stream=stream, extensions=extensions))
        request = httpx.Request("GET", "ws://example.com/", headers={"Upgrade": "websocket"})
        response = await flavour.send(flavour.Wrapper(inner), request)
        assert response.status_code == 101
        assert response.extensions["network_stream"] is network_stream
        assert response.stream is stream
        assert stream.calls == []

    async def test_the_stream_is_read_and_closed_by_the_caller_alone(
        self, flavour: Flavour
    ) -> None:
        stream = Stream()
        wrapper = flavour.Wrapper(Passing(httpx.Response(200, stream=stream)))
        async with flavour.client(transport=wrapper) as client:
            assert (await client.get("http://example.com/")).content == b"bytes"
        assert stream.calls == ["read", "close"]


class TestATransportOfOnesOwn:
    async def test_sends_as_often_as_it_likes_and_is_opened_and_closed_once(
        self, flavour: Flavour
    ) -> None:
        base: Any = flavour.Wrapper

        class Twice(base):  # type: ignore[misc]
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                super().handle_request(request)
                return super().handle_request(request)  # type: ignore[no-any-return]

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await super().handle_async_request(request)
                return await super().handle_async_request(request)  # type: ignore[no-any-return]

        inner = SpyTransport("inner")
        async with flavour.client(transport=Twice(inner)) as client:
            assert (await client.get("http://example.com/")).text == "inner"
        assert inner.calls == ["inner enter", "inner request", "inner request", "inner exit"]

    async def test_keeps_the_proxy_of_the_environment(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        base: Any = flavour.Wrapper

        class Own(base):  # type: ignore[misc]
            """Adds nothing."""

        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with flavour.client(transport=Own()) as client:
            assert await peer_port(flavour, client, origin.http) == proxy.port

    async def test_tells_a_transport_of_the_other_library_what_to_import(
        self, flavour: Flavour
    ) -> None:
        given = "httpx" if LIBRARY == "httpx2" else "httpx2"
        other: Any = pytest.importorskip(given)
        kind = other.AsyncBaseTransport if flavour.is_async else other.BaseTransport
        with pytest.raises(TypeError, match=f"^transport: this .* is for {LIBRARY}, "):
            flavour.RetryTransport(kind())

    async def test_tells_a_request_of_the_other_library_what_to_import(
        self, flavour: Flavour
    ) -> None:
        given = "httpx" if LIBRARY == "httpx2" else "httpx2"
        other: Any = pytest.importorskip(given)
        base: Any = flavour.Wrapper

        class Own(base):  # type: ignore[misc]
            """Adds nothing."""

        module = "transportkit" if given == "httpx" else f"transportkit.{given}"
        name = base.__name__
        text = (
            f"this {name} is for {LIBRARY}, and Request is from {given}: write "
            f"from {module} import {name}"
        )
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            await flavour.send(Own(SpyTransport()), other.Request("GET", "http://example.com/"))
