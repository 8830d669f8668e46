"""`RetryTransport` on real sockets: every fault, every kind of body, every flavour."""

import io
import itertools
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import h2.connection
import pytest
import tenacity
from support import faulty, http2
from support.cancelling import cancelled_when
from support.faulty import Step, answer, faulty_origin
from support.flavours import NAMES, Flavour, SpyTransport
from support.impatient import Impatient
from support.library import httpx, shell
from support.matrices import thinned
from support.servers import Origin, Proxy
from support.transportkit import Attempt, RetryBudget, RetryPolicy, retry_if_status

# httpcore drops a request body in the middle when a send fails, and trio tells of each
# generator of httpx's own that is left suspended then.
pytestmark = pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning")

BODY = b"what is to arrive, " * 700
BOUNDARY = "boundary"


class Sleeps(list[float]):
    """The waits that would have been; what is to happen meanwhile."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    def sleep(self, seconds: float) -> None:
        self.append(seconds)
        self.meanwhile()

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> Sleeps:
    recorder = Sleeps()
    monkeypatch.setattr(time, "sleep", recorder.sleep)
    monkeypatch.setattr(anyio, "sleep", recorder.async_sleep)
    return recorder


def in_pieces() -> Iterator[bytes]:
    for start in range(0, len(BODY), 4096):
        yield BODY[start : start + 4096]


async def async_in_pieces() -> AsyncIterator[bytes]:
    for piece in in_pieces():
        yield piece


def body_of(kind: str, flavour: Flavour, tmp_path: Path) -> dict[str, Any]:
    """The arguments of a request with a body of this kind."""
    if kind == "bytes":
        return {"content": BODY}
    if kind == "multipart":
        return {"files": {"file": ("name", io.BytesIO(BODY))}}
    if kind == "generator" or flavour.is_async:
        return {"content": async_in_pieces() if flavour.is_async else in_pieces()}
    path = tmp_path / "body"
    path.write_bytes(BODY)
    return {"content": path.open("rb")}


def expected_body(kind: str) -> bytes:
    if kind != "multipart":
        return BODY
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    files = {"file": ("name", io.BytesIO(BODY))}
    return httpx.Request("POST", "http://h", files=files, headers=headers).read()


def busy(transport: Any) -> list[Any]:
    """The connections that somebody still holds, in the pool below all wrappers."""
    while not (hasattr(transport, "_pool") or hasattr(transport, "_core")):
        transport = getattr(transport, "inner", None) or transport._transport
    pool = transport._core.pool if hasattr(transport, "_core") else transport._pool
    return [each for each in pool.connections if not each.is_idle()]


def retrying(flavour: Flavour, **kwargs: Any) -> Any:
    """A transport for plain HTTP: it loads no certificates."""
    return flavour.RetryTransport(verify=False, trust_env=False, **kwargs)


# Each fault, whether the origin may have seen the request, and what comes back without a retry.
FAULTS: dict[str, tuple[Step | None, bool, object]] = {
    "refused": (None, False, httpx.ConnectError),
    "reset on accept": (faulty.reset_on_accept, True, httpx.TransportError),
    "reset after the head": (faulty.reset_after_head, True, httpx.TransportError),
    "reset in the request body": (faulty.reset_in_request_body, True, httpx.TransportError),
    "reset after the request": (faulty.reset_after_request, True, httpx.TransportError),
    "closed after the request": (faulty.close_after_request, True, httpx.RemoteProtocolError),
    "stall": (faulty.stall, True, httpx.ReadTimeout),
    "503": (answer(503, body=b"busy"), True, 503),
    "503 with Retry-After": (answer(503, {"Retry-After": "7"}, b"busy"), True, 503),
    "503 with a big body": (answer(503, body=b"busy" * 100_000), True, 503),
    "503, half a chunk": (faulty.half_a_chunk(503), True, 503),
    "503, half a body": (faulty.reset_in_response_body(503), True, 503),
}


KINDS = ("bytes", "generator", "file", "multipart")
METHODS = ("GET", "POST", "POST with a key")


@pytest.mark.parametrize(
    ("fault", "method", "kind", "flavour"),
    thinned(itertools.product(FAULTS, METHODS), KINDS, NAMES),
    indirect=["flavour"],
)
async def test_a_fault_is_retried_when_that_is_safe(
    fault: str, method: str, kind: str, flavour: Flavour, sleeps: Sleeps, tmp_path: Path
) -> None:
    step, reached, failure = FAULTS[fault]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if method == "POST with a key":
        headers["Idempotency-Key"] = "k1"
    retried = method != "POST" or not reached
    with faulty_origin(*([step] if step else []), listening=step is not None) as origin:
        sleeps.meanwhile = origin.listen
        inner = flavour.HTTPTransport(verify=False)
        if fault == "stall":
            inner = Impatient(inner, heads=[0])
        transport = flavour.RetryTransport(inner)
        arguments = body_of(kind, flavour, tmp_path)
        async with flavour.client(transport=transport) as client:
            try:
                outcome: object = await client.request(
                    method.partition(" ")[0],
                    origin.url,
                    headers=headers,
                    timeout=10,
                    **arguments,
                )
            except httpx.TransportError as error:
                outcome = error
            assert busy(transport) == []
        if hasattr(arguments.get("content"), "close"):
            arguments["content"].close()

    if retried:
        assert isinstance(outcome, httpx.Response)
        assert (outcome.status_code, outcome.content) == (200, b"fine")
        assert [attempt.outcome for attempt in outcome.extensions["attempts"]][1:] == [200]
        assert len(sleeps) == 1
        assert not fault.endswith("Retry-After") or sleeps == [7]
    else:
        _assert_is(outcome, failure)
        assert sleeps == []
    whole = [seen for seen in origin.requests if seen.is_whole]
    assert [seen.body for seen in whole] == [expected_body(kind)] * len(whole)
    assert len(origin.requests) <= 1 + retried
    assert len(whole) >= retried


def busy_page(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
    """503 with a body that fits into the window of its stream."""
    http.send_headers(request.stream, [(":status", "503")])
    for _ in range(3):
        http.send_data(request.stream, b"b" * 16_000)
    http.send_data(request.stream, b"usy", end_stream=True)
    return True


# Each fault of HTTP/2, and whether the origin may have processed the request.
FAULTS_OF_HTTP2: list[tuple[http2.Answer, bool]] = [
    (http2.reset_stream, True),
    (http2.refuse_stream, False),
    (http2.go_away, True),
    (http2.go_away_unprocessed, False),
    (http2.go_away_and_answer, True),
    (http2.cut, True),
    (busy_page, True),
]


@pytest.mark.parametrize(
    ("fault", "may_be_seen", "method", "kind", "flavour"),
    thinned(
        [(*fault, method) for fault in FAULTS_OF_HTTP2 for method in METHODS],
        KINDS,
        NAMES,
    ),
    indirect=["flavour"],
)
async def test_a_fault_of_http2_is_retried_when_that_is_safe(
    fault: http2.Answer,
    may_be_seen: bool,
    method: str,
    kind: str,
    flavour: Flavour,
    sleeps: Sleeps,
    tmp_path: Path,
    certificates: Path,
) -> None:
    script = [fault]

    def answer(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
        if script:
            return script.pop()(http, request)
        http.send_headers(request.stream, [(":status", "200")], end_stream=True)
        return True

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if method == "POST with a key":
        headers["Idempotency-Key"] = "k1"
    retried = method != "POST" or not may_be_seen
    with http2.h2_origin(certificates, answer) as (origin, url):
        transport = flavour.RetryTransport(http2=True, trust_env=True)
        arguments = body_of(kind, flavour, tmp_path)
        async with flavour.client(transport=transport) as client:
            try:
                outcome: object = await client.request(
                    method.partition(" ")[0], url, headers=headers, **arguments
                )
            except httpx.TransportError as error:
                outcome = error
            assert busy(transport) == []
        if hasattr(arguments.get("content"), "close"):
            arguments["content"].close()

    if retried:
        assert isinstance(outcome, httpx.Response)
        assert (outcome.status_code, outcome.http_version) == (200, "HTTP/2")
    elif fault is busy_page:
        _assert_is(outcome, 503)
    else:
        _assert_is(outcome, httpx.TransportError)
    assert len(sleeps) == retried
    assert [seen.body for seen in origin.requests] == [expected_body(kind)] * (1 + retried)


def _assert_is(outcome: object, failure: object) -> None:
    if isinstance(failure, int):
        # A broken body shows when it is read, which is the caller's doing.
        assert isinstance(outcome, (httpx.Response, httpx.TransportError))
        if isinstance(outcome, httpx.Response):
            assert outcome.status_code == failure
    else:
        assert isinstance(failure, type)
        assert isinstance(outcome, failure)
        assert isinstance(outcome, httpx.TransportError)
        assert "1 attempt" in outcome.__notes__[0]


async def test_ten_times_503_use_one_connection(flavour: Flavour, sleeps: Sleeps) -> None:
    policy = RetryPolicy(stop=tenacity.stop_after_attempt(11))
    limits = httpx.Limits(max_connections=1)
    with faulty_origin(*[answer(503, body=b"busy")] * 10) as origin:
        transport = retrying(flavour, policy=policy, limits=limits)
        async with flavour.client(transport=transport) as client:
            response = await client.get(origin.url)
    assert (response.status_code, response.text) == (200, "fine")
    assert len(sleeps) == 10
    assert origin.connections == 1
    assert len(response.extensions["attempts"]) == 11


UNDRAINABLE: dict[str, Step] = {
    "big": answer(503, body=b"busy" * 100_000),
    "half a chunk": faulty.half_a_chunk(503),
    "stall": faulty.stall,
}


@pytest.mark.parametrize(("how", "flavour"), thinned(UNDRAINABLE, NAMES), indirect=["flavour"])
async def test_what_cannot_be_drained_is_let_go_before_the_wait(
    how: str, flavour: Flavour, sleeps: Sleeps
) -> None:
    step = UNDRAINABLE[how]
    limits = httpx.Limits(max_connections=1)
    with faulty_origin(step, step) as origin:
        inner = flavour.default_transport(limits=limits, verify=False, trust_env=False)
        transport = flavour.RetryTransport(
            Impatient(inner, heads=[0, 1]) if how == "stall" else inner
        )
        held: list[object] = []
        sleeps.meanwhile = lambda: held.extend(busy(transport))
        async with flavour.client(transport=transport) as client:
            assert (await client.get(origin.url, timeout=10)).status_code == 200
    assert held == []
    assert len(sleeps) == 2
    assert origin.connections == 3


async def test_the_last_response_comes_back_unread(flavour: Flavour, sleeps: Sleeps) -> None:
    with faulty_origin(*[answer(503, body=f"busy {n}".encode()) for n in range(4)]) as origin:
        async with (
            flavour.client(transport=retrying(flavour)) as client,
            client.stream("GET", origin.url) as response,
        ):
            assert not response.is_stream_consumed
            assert "network_stream" in response.extensions
            assert await flavour.read(response) == b"busy 3"
    assert response.extensions["attempts"] == (
        *(Attempt(503, waited) for waited in sleeps),
        Attempt(503, 0.0, "the policy stops here"),
    )


async def test_the_last_error_tells_what_was_tried(flavour: Flavour, sleeps: Sleeps) -> None:
    with faulty_origin(listening=False) as origin:
        async with flavour.client(transport=retrying(flavour)) as client:
            with pytest.raises(httpx.ConnectError) as failed:
                await client.get(origin.url)
    assert failed.value.__notes__[0].startswith("transportkit: 4 attempts in ")
    assert failed.value.request.url == origin.url
    assert len(sleeps) == 3


async def test_a_first_success_is_returned_as_it_is(flavour: Flavour, origin: Origin) -> None:
    async with flavour.client(transport=flavour.RetryTransport()) as client:
        response = await client.get(origin.https)
    assert response.extensions["attempts"] == (Attempt(200, 0.0),)


async def test_a_request_after_a_close_opens_again(flavour: Flavour) -> None:
    spy = SpyTransport()
    transport = flavour.RetryTransport(spy)
    for _ in range(2):
        response = await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert response.status_code == 200
        await flavour.close(transport)
        await flavour.close(transport)
    assert spy.calls == ["spy request", "spy close"] * 2


async def test_a_body_past_the_bound_is_not_repeated(flavour: Flavour, sleeps: Sleeps) -> None:
    policy = RetryPolicy(max_replay=len(BODY) - 1)
    content = async_in_pieces() if flavour.is_async else in_pieces()
    with faulty_origin(answer(503, body=b"busy")) as origin:
        transport = retrying(flavour, policy=policy)
        async with flavour.client(transport=transport) as client:
            response = await client.put(origin.url, content=content)
    assert (response.status_code, response.text) == (503, "busy")
    assert [seen.body for seen in origin.requests] == [BODY]
    assert sleeps == []


async def test_a_body_that_breaks_by_itself_is_not_repeated_short(
    flavour: Flavour, sleeps: Sleeps
) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("the source of the body broke")

    async def async_broken() -> AsyncIterator[bytes]:
        for piece in broken():
            yield piece

    with faulty_origin() as origin:
        async with flavour.client(transport=retrying(flavour)) as client:
            with pytest.raises(httpx.ReadError, match="the source of the body broke"):
                await client.put(
                    origin.url, content=async_broken() if flavour.is_async else broken()
                )
    assert not any(seen.is_whole for seen in origin.requests)
    assert sleeps == []


class TestARequestOfItsOwn:
    async def test_may_have_a_policy(self, flavour: Flavour, sleeps: Sleeps) -> None:
        own = RetryPolicy(retry=retry_if_status(418), methods={"POST"}, wait=lambda state: 3)
        with faulty_origin(answer(418), answer(418)) as origin:
            async with flavour.client(transport=flavour.RetryTransport()) as client:
                response = await client.post(origin.url, extensions={"retry": own})
        assert response.status_code == 200
        assert sleeps == [3, 3]

    async def test_may_have_a_single_attempt(self, flavour: Flavour, sleeps: Sleeps) -> None:
        with faulty_origin(answer(503)) as origin:
            async with flavour.client(transport=flavour.RetryTransport()) as client:
                response = await client.get(origin.url, extensions={"retry": None})
        assert response.status_code == 503
        assert response.extensions["attempts"] == (Attempt(503, 0.0),)
        assert sleeps == []

    async def test_may_not_have_anything_else(self, flavour: Flavour) -> None:
        async with flavour.client(transport=flavour.RetryTransport()) as client:
            with pytest.raises(TypeError, match='extensions\\["retry"\\] must be a RetryPolicy'):
                await client.get("http://h/", extensions={"retry": 3})


class Once(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that can be read once."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"once"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"once"


class TestTheRequest:
    async def test_has_a_body_that_can_be_read_once_recorded_while_it_is_sent(
        self, flavour: Flavour
    ) -> None:
        seen: list[object] = []

        class Inner(SpyTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                seen.append(request.stream)
                return httpx.Response(200)

        request = httpx.Request("PUT", "http://h/", stream=Once())
        await flavour.send(flavour.RetryTransport(Inner()), request)
        name = "AsyncReplayStream" if flavour.is_async else "ReplayStream"
        assert [type(stream) for stream in seen] == [getattr(shell("streams"), name)]
        assert isinstance(request.stream, Once)

    async def test_is_left_as_it_was_found(self, flavour: Flavour, sleeps: Sleeps) -> None:
        content = async_in_pieces() if flavour.is_async else in_pieces()
        events: list[str] = []

        def trace(event: str, info: object) -> None:
            events.append(event)

        async def async_trace(event: str, info: object) -> None:
            events.append(event)

        policy = RetryPolicy(deadline=60)
        with faulty_origin(answer(503), listening=False) as origin:
            sleeps.meanwhile = origin.listen
            async with flavour.client(transport=flavour.RetryTransport(policy=policy)) as client:
                extensions = {"trace": async_trace if flavour.is_async else trace}
                request = client.build_request(
                    "POST", origin.url, content=content, extensions=extensions
                )
                found, stream = request.extensions, request.stream
                before = dict(found)
                response = await client.send(request)
        assert response.status_code == 503
        assert request.extensions is found
        assert found == before
        assert request.stream is stream
        assert "http11.send_request_headers.started" in events
        # The body was read after the call, and its events came through, too.
        assert "http11.receive_response_body.complete" in events

    async def test_may_have_no_timeouts(self, flavour: Flavour, sleeps: Sleeps) -> None:
        policy = RetryPolicy(deadline=60)
        with faulty_origin(answer(503)) as origin:
            transport = flavour.RetryTransport(policy=policy)
            async with flavour.entered(transport):
                request = httpx.Request("GET", origin.url)
                response = await flavour.send(transport, request)
                assert await flavour.read(response) == b"fine"
        assert request.extensions == {}

    async def test_of_a_redirect_is_retried_by_itself(
        self, flavour: Flavour, sleeps: Sleeps
    ) -> None:
        moved = answer(307, {"Location": "/elsewhere"})
        with faulty_origin(answer(503), moved, answer(503)) as origin:
            transport = retrying(flavour)
            async with flavour.client(transport=transport, follow_redirects=True) as client:
                response = await client.put(origin.url, content=BODY)
        assert response.status_code == 200
        assert [seen.body for seen in origin.requests] == [BODY] * 4


class TestADeadline:
    async def test_ends_an_attempt_that_hangs(
        self, flavour: Flavour, sleeps: Sleeps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events: list[str] = []
        now = time.monotonic
        passed = 0.0

        def trace(event: str, info: object) -> None:
            nonlocal passed
            events.append(event)
            if event == "http11.receive_response_headers.started":
                passed = 3600

        async def async_trace(event: str, info: object) -> None:
            trace(event, info)

        monkeypatch.setattr(time, "monotonic", lambda: now() + passed)
        extensions = {"trace": async_trace if flavour.is_async else trace}
        with faulty_origin(*[faulty.stall] * 4) as origin:
            transport = retrying(flavour, policy=RetryPolicy(deadline=60))
            async with flavour.client(transport=transport, timeout=None) as client:
                with pytest.raises(
                    httpx.TimeoutException, match=r"^the deadline of 60 seconds is over"
                ) as failed:
                    await client.get(origin.url, extensions=extensions)
        assert failed.value.__notes__[0].startswith("transportkit: 1 attempt in ")
        assert events.count("http11.send_request_headers.complete") == 1
        assert sleeps == []

    async def test_is_not_passed_by_a_wait(self, flavour: Flavour, sleeps: Sleeps) -> None:
        policy = RetryPolicy(deadline=60)
        with faulty_origin(answer(503, {"Retry-After": "61"})) as origin:
            transport = retrying(flavour, policy=policy)
            async with flavour.client(transport=transport) as client:
                assert (await client.get(origin.url)).status_code == 503
        assert sleeps == []

    async def test_bounds_each_request(self, flavour: Flavour) -> None:
        seen: list[float] = []

        def answering(request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions["timeout"]["read"])
            return httpx.Response(200)

        inner = httpx.MockTransport(answering)
        transport = flavour.RetryTransport(inner, RetryPolicy(deadline=60))
        async with flavour.client(transport=transport, timeout=None) as client:
            for _ in range(2):
                await client.get("http://example.com/")
        assert [0 < each <= 60 for each in seen] == [True, True]

    async def test_does_not_bound_the_body(
        self, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        transport = retrying(flavour, policy=RetryPolicy(deadline=5))
        with faulty_origin() as origin:
            async with (
                flavour.client(transport=transport) as client,
                client.stream("GET", origin.url, timeout=3) as response,
            ):
                now += 10
                assert await flavour.read(response) == b"fine"


async def test_a_wait_longer_than_is_reasonable_is_no_retry(
    flavour: Flavour, sleeps: Sleeps
) -> None:
    with faulty_origin(answer(503, {"Retry-After": "86400"})) as origin:
        async with flavour.client(transport=retrying(flavour)) as client:
            assert (await client.get(origin.url)).status_code == 503
    assert sleeps == []


async def test_a_budget_ends_retries_when_an_origin_fails_for_everybody(
    flavour: Flavour, sleeps: Sleeps
) -> None:
    budget = RetryBudget(capacity=5, per_success=0.5, per_second=0)
    with faulty_origin(*[answer(503)] * 9, *[answer(200)] * 2, answer(503)) as origin:
        transport = retrying(flavour, budget=budget)
        async with flavour.client(transport=transport) as client:
            statuses = [(await client.get(origin.url)).status_code for _ in range(4)]
            # 3 and 2 retries, then none for the rest.
            assert statuses == [503] * 4
            assert len(sleeps) == 5
            assert (await client.get(origin.url)).status_code == 200
            assert (await client.get(origin.url)).status_code == 200
            # Two successes have paid for one.
            assert (await client.get(origin.url)).status_code == 200
    assert len(sleeps) == 6


async def test_no_budget_is_no_bound(flavour: Flavour, sleeps: Sleeps) -> None:
    statuses = iter([*[503] * 1000, 200])
    inner = httpx.MockTransport(lambda request: httpx.Response(next(statuses)))
    policy = RetryPolicy(stop=tenacity.stop_never, wait=lambda state: 1)
    transport = flavour.RetryTransport(inner, policy, budget=None)
    async with flavour.client(transport=transport) as client:
        assert (await client.get("http://h/")).status_code == 200
    assert len(sleeps) == 1000


async def test_retries_are_logged_without_secrets(
    flavour: Flavour, sleeps: Sleeps, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "transportkit")
    with faulty_origin(answer(503, {"Retry-After": "2"}), faulty.close_after_request) as origin:
        async with flavour.client(transport=retrying(flavour)) as client:
            await client.get(f"{origin.url}/?page=2&token=tiger")
    lines = [record.getMessage() for record in caplog.records if "Retrying" in record.getMessage()]
    shown = f"{origin.url}/?page=2&token=****"
    assert lines[0] == f"Retrying GET {shown} in 2.0 seconds: attempt 1 ended in 503"
    assert lines[1].endswith(": attempt 2 ended in RemoteProtocolError")


BUSY = httpx.MockTransport(lambda request: httpx.Response(503))


class TestAStrategyThatFails:
    async def test_leaves_no_connection_behind(self, flavour: Flavour, sleeps: Sleeps) -> None:
        def broken(state: tenacity.RetryCallState) -> bool:
            raise ZeroDivisionError

        with faulty_origin(answer(503, body=b"busy" * 1000)) as origin:
            transport = flavour.RetryTransport(policy=RetryPolicy(retry=broken))
            async with flavour.client(transport=transport) as client:
                with pytest.raises(ZeroDivisionError):
                    await client.get(origin.url)
                assert busy(transport) == []

    async def test_to_see_that_it_is_asked_about_a_state_is_told_of_the_response(
        self, flavour: Flavour
    ) -> None:
        def broken(response: Any) -> bool:
            return bool(response.status_code == 503)

        transport = flavour.RetryTransport(BUSY, RetryPolicy(broken))
        with pytest.raises(
            AttributeError, match=r"no 'status_code': .* is state.outcome.result\(\)$"
        ):
            await flavour.send(transport, httpx.Request("GET", "https://example.com/"))

    @pytest.mark.parametrize("wait", [None, "3"])
    async def test_to_return_a_number_is_told_to(self, flavour: Flavour, wait: Any) -> None:
        transport = flavour.RetryTransport(BUSY, RetryPolicy(wait=lambda _: wait))
        text = f"wait must return a number of seconds, not {wait!r}: write one such as tenacity."
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            await flavour.send(transport, httpx.Request("GET", "https://example.com/"))


class TestCancellation:
    @pytest.fixture
    def flavour(self, request: pytest.FixtureRequest) -> Flavour:
        return Flavour(request.param)

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_in_a_wait_leaves_nothing(self, flavour: Flavour) -> None:
        with faulty_origin(answer(503, {"Retry-After": "60"}, b"busy")) as origin:
            transport = retrying(flavour)
            async with flavour.client(transport=transport) as client:
                async with cancelled_when(lambda: len(origin.requests) == 1) as scope:
                    await client.get(origin.url)
                assert scope.cancelled_caught
                assert busy(transport) == []

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_in_a_send_leaves_nothing(self, flavour: Flavour) -> None:
        with faulty_origin(answer(503, {"Retry-After": "0"}), faulty.stall) as origin:
            transport = retrying(flavour)
            async with flavour.client(transport=transport) as client:
                async with cancelled_when(lambda: origin.has_stalled) as scope:
                    await client.get(origin.url)
                assert scope.cancelled_caught
                assert busy(transport) == []


class TestThroughAProxy:
    async def test_a_post_is_repeated_when_only_the_connect_went_out(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, sleeps: Sleeps
    ) -> None:
        """The proxy answers the CONNECT to a dead target with 502."""
        with faulty_origin(listening=False) as dead:
            target = dead.url.replace("http:", "https:")
            transport = flavour.RetryTransport(proxy=proxy.url)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.TransportError) as failed:
                    await client.post(target, content=BODY)
        assert failed.value.__notes__[0].startswith("transportkit: 4 attempts")
        assert len(sleeps) == 3

    async def test_a_post_that_went_out_is_not(
        self, flavour: Flavour, proxy: Proxy, sleeps: Sleeps
    ) -> None:
        with faulty_origin(faulty.reset_after_request) as origin:
            transport = flavour.RetryTransport(proxy=proxy.url)
            async with flavour.client(transport=transport) as client:
                try:
                    assert (await client.post(origin.url, content=BODY)).status_code >= 500
                except httpx.TransportError as error:
                    assert "1 attempt" in error.__notes__[0]
        assert len(origin.requests) == 1
        assert sleeps == []


class TestArguments:
    @pytest.mark.parametrize("policy", [None, RetryPolicy, 3, {"stop": 3}, retry_if_status(503)])
    def test_a_policy_is_a_policy(self, flavour: Flavour, policy: object) -> None:
        with pytest.raises(TypeError, match=r"^policy must be a RetryPolicy, not "):
            flavour.RetryTransport(policy=policy)

    @pytest.mark.parametrize("budget", [5, RetryBudget, True])
    def test_a_budget_is_a_budget(self, flavour: Flavour, budget: object) -> None:
        with pytest.raises(TypeError, match=r"^budget must be a RetryBudget or None, not "):
            flavour.RetryTransport(budget=budget)

    def test_a_transport_and_arguments_are_too_much(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match="http2 would be ignored"):
            flavour.RetryTransport(flavour.HTTPTransport(), http2=True)
