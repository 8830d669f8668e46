"""What each attempt is sent with: a watch of its own, and no time behind the deadline."""

import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import tenacity
from support.faulty import Connection, faulty_origin
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.thinned import thinned
from support.transportkit import RetryPolicy

from transportkit.retrying import sending as module
from transportkit.wire.io import DRAIN_SECONDS

retry_transport = shell("retry")
from transportkit.retrying.sending import AsyncSending, Sending, drain_seconds, timeouts_of

URL = "https://example.com/"
AT_ONCE = RetryPolicy(wait=tenacity.wait_none())


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Of a response that nobody reads, or of a request that can be read once."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"once"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"once"


class Silent(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Goes to the network at first, and from then on fails without any event.

    As a transport does that turns from httpcore to something else, a cache or another pool.
    """

    def __init__(self, first: Any, error: Exception) -> None:
        self.first = first
        self.error = error
        self.count = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        if self.count > 1:
            raise self.error
        response: httpx.Response = self.first.handle_request(request)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        if self.count > 1:
            raise self.error
        response: httpx.Response = await self.first.handle_async_request(request)
        return response

    def close(self) -> None:
        self.first.close()

    async def aclose(self) -> None:
        await self.first.aclose()


def sending_of(flavour: Flavour, policy: RetryPolicy, method: str = "GET", **settings: Any) -> Any:
    """What a request would be sent with, begun at second 1000."""
    kind = AsyncSending if flavour.is_async else Sending
    return kind(policy, httpx.Request(method, URL, **settings), 1000)


class TestAWatch:
    @pytest.mark.parametrize(
        ("kind", "flavour"),
        thinned([httpx.ReadTimeout, httpx.ReadError, httpx.WriteError], NAMES),
        indirect=["flavour"],
    )
    async def test_proves_nothing_about_a_later_attempt(
        self, flavour: Flavour, kind: type[httpx.TransportError]
    ) -> None:
        # Nothing was sent to the refused port, and that was heard. Of the second attempt
        # nothing was heard, and it may well have reached the origin.
        with faulty_origin(listening=False) as origin:
            silent = Silent(flavour.HTTPTransport(verify=False), kind("the wire broke"))
            transport = flavour.RetryTransport(silent, AT_ONCE)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(kind, match="the wire broke") as failed:
                    await client.post(origin.url, content=b"once")
        assert silent.count == 2
        assert failed.value.__notes__[0].startswith("transportkit: 2 attempts in ")

    async def test_lets_a_later_attempt_be_repeated_that_cannot_have_been_sent(
        self, flavour: Flavour
    ) -> None:
        with faulty_origin(listening=False) as origin:
            silent = Silent(flavour.HTTPTransport(verify=False), httpx.ConnectError("no"))
            transport = flavour.RetryTransport(silent, AT_ONCE)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.ConnectError, match="no"):
                    await client.post(origin.url, content=b"once")
        assert silent.count == 4

    def test_is_new_for_each_attempt(self, flavour: Flavour) -> None:
        sending = sending_of(flavour, RetryPolicy(), "POST")
        watches = [sending.extensions()["trace"] for _ in range(3)]
        assert len({id(watch) for watch in watches}) == 3
        assert sending.watch is watches[-1]

    def test_is_for_methods_that_may_not_be_repeated_and_for_no_others(
        self, flavour: Flavour
    ) -> None:
        for method, policy in (("GET", RetryPolicy()), ("POST", RetryPolicy(methods={"POST"}))):
            sending = sending_of(flavour, policy, method)
            assert sending.extensions() == {}
            assert sending.watch is None


class TestADeadline:
    async def test_is_not_passed_by_a_drain(
        self, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Of a drain of its own length the wait would end behind the deadline. The server
        # goes by itself long before such a drain is over.
        left_by_the_client: list[bool] = []

        def stall(connection: Connection) -> bool:
            connection.read_request()
            connection.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 20\r\n\r\nhalf")
            connection.wait_for_end()
            left_by_the_client.append(True)
            return False

        waited: list[float] = []

        async def async_sleep(seconds: float) -> None:
            waited.append(seconds)

        now = time.monotonic()
        monkeypatch.setattr(retry_transport, "time", SimpleNamespace(monotonic=lambda: now))
        monkeypatch.setattr(module, "DRAIN_SECONDS", 600)
        monkeypatch.setattr(time, "sleep", waited.append)
        monkeypatch.setattr(anyio, "sleep", async_sleep)
        policy = RetryPolicy(wait=tenacity.wait_fixed(59.95), deadline=60)
        with faulty_origin(stall) as origin:
            transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
            async with flavour.client(transport=transport, timeout=None) as client:
                response = await client.get(origin.url)
        assert response.text == "fine"
        assert waited == [59.95]
        assert left_by_the_client == [True]

    @pytest.mark.parametrize(
        ("deadline", "wait", "seconds"),
        [
            (None, 0, DRAIN_SECONDS),
            (None, 1e6, DRAIN_SECONDS),
            (60, 1, DRAIN_SECONDS),
            (10, 3, DRAIN_SECONDS),
            (10, 4.75, 0.25),
            (10, 5, 0),
            (4, 0, -1),
        ],
    )
    def test_leaves_a_drain_what_the_wait_does_not_need(
        self, flavour: Flavour, deadline: float | None, wait: float, seconds: float
    ) -> None:
        sending = sending_of(flavour, RetryPolicy(deadline=deadline))
        assert drain_seconds(sending, wait, 1005) == seconds

    @pytest.mark.parametrize("deadline", [10, None])
    async def test_does_not_bound_the_body_of_what_comes_back(
        self, flavour: Flavour, deadline: float | None
    ) -> None:
        own = {"read": 7.0}
        request = httpx.Request("GET", URL, extensions={"timeout": own, "caller": 1})
        given = request.extensions
        kind = AsyncSending if flavour.is_async else Sending
        sending: Any = kind(RetryPolicy(deadline=deadline), request, 1000)
        request.extensions = sent = sending.extensions()
        assert (sent["timeout"] is own) is (deadline is None)
        assert sent["caller"] == 1
        await flavour.call(sending.settle, request)
        assert sent["timeout"] is own
        assert request.extensions is given
        assert given == {"timeout": own, "caller": 1}

    async def test_of_a_request_that_was_never_sent_changes_nothing(self, flavour: Flavour) -> None:
        request = httpx.Request("GET", URL, extensions={"caller": 1})
        kind = AsyncSending if flavour.is_async else Sending
        sending: Any = kind(RetryPolicy(deadline=10), request, 1000)
        await flavour.call(sending.settle, request)
        assert request.extensions == {"caller": 1}


async def test_a_body_that_can_be_read_once_is_recorded(flavour: Flavour) -> None:
    request = httpx.Request("PUT", URL, stream=Body())
    kind = AsyncSending if flavour.is_async else Sending
    sending: Any = kind(RetryPolicy(), request, 1000)
    assert request.stream is sending.replay
    await flavour.call(sending.settle, request)
    assert isinstance(request.stream, Body)


@pytest.mark.parametrize("extensions", [{}, {"timeout": None}, {"timeout": 5}])
def test_a_request_that_no_client_built_has_no_timeouts(extensions: dict[str, object]) -> None:
    assert timeouts_of(extensions) == {}
