"""Requests of our own: what belongs to one attempt never shows in another one."""

import threading
from typing import Any

import anyio
import pytest
from support.flavours import Flavour
from support.library import httpx
from support.transportkit import RetryPolicy

from transportkit.wire.request import own_request, return_body


class Limiter(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A rate limiter: lets two requests go on once both are there, and keeps their extensions as they are then."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self._both = threading.Barrier(2)
        self._waiting: list[anyio.Event] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._both.wait(10)
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._waiting.append(anyio.Event())
        if len(self._waiting) == 2:
            for event in self._waiting:
                event.set()
        await self._waiting[-1].wait()
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(dict(request.extensions))
        return httpx.Response(200, content=request.content)


async def twice(flavour: Flavour, transport: Any, request: httpx.Request) -> None:
    """Send one request from two tasks, or two threads, at once."""
    if flavour.is_async:
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(transport.handle_async_request, request)
        return
    threads = [threading.Thread(target=transport.handle_request, args=(request,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["RetryTransport", "ProxyRoundRobin", "DebuggingTransport"])
async def test_one_request_in_two_tasks_comes_out_as_it_went_in(
    flavour: Flavour, kind: str
) -> None:
    inner = Limiter()
    arguments: tuple[Any, ...] = (inner,)
    if kind == "RetryTransport":
        arguments = (inner, RetryPolicy(deadline=10, methods=()))
    elif kind == "ProxyRoundRobin":
        arguments = ([inner],)
    else:
        arguments = (inner, lambda exchange: None)
    transport = flavour.pick(kind)(*arguments)
    given = {"timeout": {"read": 5.0}, "mine": object()}
    request = httpx.Request("PUT", "https://h/", content=b"all", extensions=given)
    extensions, stream, headers = request.extensions, request.stream, request.headers
    await twice(flavour, transport, request)
    assert request.extensions is extensions
    assert extensions == given
    assert (request.stream, request.headers) == (stream, headers)
    first, second = inner.seen
    assert first["trace"] is not second["trace"]
    if kind == "RetryTransport":
        assert first["timeout"] is not second["timeout"]
    assert first["mine"] is second["mine"] is given["mine"]


class TestOwnRequest:
    def test_is_the_same_but_for_its_extensions(self) -> None:
        headers = [("X-A", "1"), ("x-a", "2"), ("Host", "other")]
        request = httpx.Request("lock", "https://h/p?q", headers=headers, content=b"body")
        extensions = {"attempt": 2}
        own = own_request(request, extensions)
        assert type(own) is type(request)
        assert (own.method, own.url, own.headers.raw) == ("LOCK", request.url, request.headers.raw)
        assert (own.stream, own.content) == (request.stream, b"body")
        assert own.extensions is extensions
        own.headers["X-B"] = "3"
        assert "X-B" not in request.headers

    def test_may_have_another_stream_and_another_url(self) -> None:
        request = httpx.Request("PUT", "https://h/", content=iter([b"a"]))
        stream, url = httpx.ByteStream(b"b"), httpx.URL("http://other/")
        own = own_request(request, {}, stream, url)
        assert (own.stream, own.url, own.content) == (stream, url, b"b")

    def test_has_a_content_even_if_nobody_has_read_the_bytes_of_the_other(self) -> None:
        request = httpx.Request("PUT", "https://h/", stream=httpx.ByteStream(b"a"))
        assert own_request(request, {}).content == b"a"

    def test_leaves_a_body_unread_that_can_be_read_once(self) -> None:
        request = httpx.Request("PUT", "https://h/", content=iter([b"a"]))
        own = own_request(request, {})
        with pytest.raises(httpx.RequestNotRead):
            _ = own.content
        return_body(request, own)
        assert request.stream is own.stream
        own.read()
        return_body(request, own)
        assert request.read() == b"a"
