"""Retries on HTTP/2: bodies that are sent again beneath us, errors by their cause, dropped pages."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import h2.connection
import h2.errors
import pytest
from support import http2
from support.cancelling import a_moment_after
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.transportkit import RetryPolicy

AT_ONCE = RetryPolicy(wait=lambda state: 0)
PIECE = b"x" * 50_000


def pieces() -> Iterator[bytes]:
    for _ in range(4):
        yield PIECE


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


def ok(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
    http.send_headers(request.stream, [(":status", "200")], end_stream=True)
    return True


def retrying(flavour: Flavour, kind: str, policy: RetryPolicy = AT_ONCE) -> Any:
    """Around our network transport, or a stock one."""
    return flavour.RetryTransport(flavour.pick(kind)(http2=True), policy)


@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
@pytest.mark.parametrize("max_replay", [100_000, 1_000_000])
async def test_a_body_that_httpcore_sends_again_is_whole_or_is_not_sent(
    flavour: Flavour, certificates: Path, max_replay: int, kind: str
) -> None:
    def answer(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        if origin.connections == 1 and request.stream == 3:
            # httpcore sends again what a GOAWAY leaves out, without asking anybody.
            http.close_connection(last_stream_id=1)
            return False
        return ok(http, request)

    transport = retrying(flavour, kind, RetryPolicy(max_replay=max_replay))
    with http2.h2_origin(certificates, answer) as (origin, url):
        async with flavour.client(transport=transport) as client:
            await client.get(url)
            content = async_pieces() if flavour.is_async else pieces()
            outcome: object
            try:
                outcome = (await client.put(url, content=content)).status_code
            except httpx.RemoteProtocolError as error:
                outcome = str(error)
    if max_replay == 1_000_000:
        assert outcome == 200
    else:
        assert isinstance(outcome, str)
        assert "as by a GOAWAY, and the body of the request cannot be sent again" in outcome
    bodies = [request.body for request in origin.requests if request.headers[":method"] == "PUT"]
    whole = [request.body for request in origin.requests if request.is_whole][1:]
    assert set(whole) == {PIECE * 4}
    assert len(bodies) >= len(whole)


@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
@pytest.mark.parametrize(("last_stream", "count"), [(1, 2), (3, 1)])
async def test_a_post_is_repeated_if_a_goaway_in_its_body_leaves_it_out(
    flavour: Flavour, certificates: Path, kind: str, last_stream: int, count: int
) -> None:
    def leave(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        if origin.connections == 1 and request.stream == 3:
            http.close_connection(last_stream_id=last_stream)
            return False
        return True

    # They are more than the window, so that httpcore reads before it has sent all.
    content = async_pieces() if flavour.is_async else pieces()
    with http2.h2_origin(certificates, ok, leave) as (origin, url):
        async with flavour.client(transport=retrying(flavour, kind)) as client:
            await client.get(url)
            try:
                outcome = (await client.post(url, content=content)).status_code
            except httpx.RemoteProtocolError as error:
                outcome = error.__notes__[0][-60:]
    posts = [request for request in origin.requests if request.headers[":method"] == "POST"]
    assert len(posts) == count
    if count == 2:
        assert (outcome, posts[1].body) == (200, PIECE * 4)
    else:
        assert outcome == "the origin may have seen it, and the method is not idempotent"[-60:]


@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_that_http2_forbids_is_not_repeated(
    flavour: Flavour, certificates: Path, kind: str, method: str
) -> None:
    with http2.h2_origin(certificates, ok) as (origin, url):
        async with flavour.client(transport=retrying(flavour, kind)) as client:
            with pytest.raises(httpx.LocalProtocolError) as failed:
                await client.request(method, url, headers={"TE": "gzip"})
    # The first attempt of a GET is not watched; the second one tells.
    count = {"GET": "2 attempts", "POST": "1 attempt"}[method]
    assert failed.value.__notes__[0].startswith(f"transportkit: {count} in ")
    assert origin.requests == []


async def test_an_error_that_nobody_watched_stays_as_it_is(
    flavour: Flavour, certificates: Path
) -> None:
    once = RetryPolicy(stop=lambda state: True)
    with http2.h2_origin(certificates, http2.go_away_and_answer) as (_, url):
        async with flavour.client(transport=retrying(flavour, "HTTPTransport", once)) as client:
            with pytest.raises(httpx.LocalProtocolError):
                await client.get(url)


async def test_a_watched_error_of_what_was_received_is_that_of_a_broken_connection(
    flavour: Flavour, certificates: Path
) -> None:
    twice = RetryPolicy(stop=lambda state: state.attempt_number == 2, wait=lambda state: 0)
    with http2.h2_origin(certificates, http2.go_away_and_answer) as (origin, url):
        async with flavour.client(transport=retrying(flavour, "HTTPTransport", twice)) as client:
            with pytest.raises(httpx.RemoteProtocolError) as failed:
                await client.get(url)
    assert isinstance(failed.value.__cause__, httpx.LocalProtocolError)
    assert len(origin.requests) == 2


class Pages:
    """Answers 503 with a page a few times, as fast as the windows of HTTP/2 let it."""

    def __init__(self, size: int, count: int) -> None:
        self.size = size
        self.left = count
        self.connections: set[int] = set()

    def answer(self, http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        self.connections.add(id(http))
        if not self.left:
            return ok(http, request)
        self.left -= 1
        http.send_headers(request.stream, [(":status", "503")])
        left = self.size
        while left:
            window = min(http.local_flow_control_window(request.stream), 16_384, left)
            if window == 0:
                break
            http.send_data(request.stream, b"p" * window)
            left -= window
        http.end_stream(request.stream)
        return True


@pytest.mark.parametrize(
    ("count", "flavour"),
    thinned([5, pytest.param(1700, marks=pytest.mark.slow)], NAMES),
    indirect=["flavour"],
)
@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
async def test_dropped_pages_do_not_stall_the_connection(
    flavour: Flavour, certificates: Path, kind: str, count: int
) -> None:
    # 1700 of them are 100 MiB; without credit for them, a connection stalls after 16.
    pages = Pages(60_000, count)
    policy = RetryPolicy(stop=lambda state: False, wait=lambda state: 0)
    with http2.h2_origin(certificates, pages.answer) as (origin, url):
        transport = flavour.RetryTransport(flavour.pick(kind)(http2=True), policy, budget=None)
        async with flavour.client(transport=transport, timeout=10) as client:
            assert (await client.get(url)).status_code == 200
    assert len(origin.requests) == count + 1
    assert origin.connections == 1


@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
async def test_a_page_that_stalls_is_given_up_in_time(
    flavour: Flavour, certificates: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        if origin.connections > 1 or len(origin.requests) > 1:
            return ok(http, request)
        http.send_headers(request.stream, [(":status", "503"), ("content-length", "10")])
        return True

    monkeypatch.setattr("transportkit.retrying.call.DRAIN_SECONDS", 0.01)
    with http2.h2_origin(certificates, answer) as (origin, url):
        async with flavour.client(transport=retrying(flavour, kind), timeout=None) as client:
            assert (await client.get(url)).status_code == 200
    # A stock connection cannot be retired, and an async one need not be.
    if kind == "NetworkTransport" or not flavour.is_async:
        assert origin.connections == 2


@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
async def test_a_deadline_is_kept_beside_a_long_poll(
    flavour: Flavour, certificates: Path, kind: str
) -> None:
    # The one that polls holds httpcore's read lock, under its own timeout.
    def answer(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        return ok(http, request) if request.headers[":path"] == "/quick" else True

    with http2.h2_origin(certificates, answer) as (origin, url):
        transport = retrying(flavour, kind)
        async with flavour.client(transport=transport, timeout=None) as client:
            await client.get(f"{url}/quick")
            async with anyio.create_task_group() as group:
                group.start_soon(client.get, f"{url}/poll")
                await a_moment_after(lambda: len(origin.requests) == 2)
                extensions = {"retry": RetryPolicy(deadline=0.05)}
                with pytest.raises(httpx.TimeoutException, match=r"deadline of 0\.05 seconds is"):
                    await client.get(f"{url}/stuck", extensions=extensions)
                group.cancel_scope.cancel()
    assert origin.connections == 1
