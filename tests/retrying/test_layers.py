"""Retry transports around other layers: what beneath gave up on, what is told, who is asked."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import tenacity
from support import faulty, proxies
from support.faulty import answer, faulty_origin
from support.flavours import NAMES, Flavour
from support.library import httpx, shell
from support.matrices import thinned
from support.proxies import raw_proxy, saying
from support.transportkit import (
    Attempt,
    RetryBudget,
    RetryPolicy,
    retry_if_status,
    retry_if_transport_error,
    set_retries,
)

NO_WAIT: dict[str, Any] = {"wait": lambda state: 0}
AT_ONCE = RetryPolicy(**NO_WAIT)
LOGGER = "transportkit.retrying"


class Answers(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with each of these in turn, and with 200 from then on; keeps the requests."""

    def __init__(self, *outcomes: Any) -> None:
        self.requests: list[httpx.Request] = []
        self._outcomes = list(outcomes)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self._outcomes.pop(0) if self._outcomes else 200
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, httpx.Response) else httpx.Response(outcome)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


async def outcome_of(flavour: Flavour, transport: Any, **request: Any) -> Any:
    """The response, or the error."""
    settings = {"method": "GET", "url": "http://h/", **request}
    try:
        return await flavour.send(transport, httpx.Request(**settings))
    except httpx.TransportError as error:
        return error


# What an inner transport gives up on, its policy, and how many attempts it makes.
GIVEN_UP: dict[str, tuple[Any, dict[str, Any], int]] = {
    "stop": (503, {"stop": tenacity.stop_after_attempt(5)}, 5),
    "wait": (httpx.Response(503, headers={"Retry-After": "600"}), {"wait": RetryPolicy.wait}, 1),
    "deadline": (503, {"wait": lambda state: 60, "deadline": 30}, 1),
    "error": (httpx.ReadError("broken"), {"stop": tenacity.stop_after_attempt(3)}, 3),
}


class TestWhatALayerBeneathGaveUpOn:
    @pytest.mark.parametrize(("case", "flavour"), thinned(GIVEN_UP, NAMES), indirect=["flavour"])
    @pytest.mark.parametrize("between", ["", "DebuggingTransport", "Mounts", "ProxyRoundRobin"])
    async def test_is_not_repeated(self, case: str, flavour: Flavour, between: str) -> None:
        outcome, settings, count = GIVEN_UP[case]
        inner = Answers(*[outcome] * 20)
        policy = RetryPolicy(**{**NO_WAIT, **settings})
        transport = flavour.RetryTransport(inner, policy)
        if between == "DebuggingTransport":
            transport = flavour.DebuggingTransport(transport, lambda exchange: None)
        elif between == "Mounts":
            transport = flavour.Mounts({"all://": transport})
        elif between == "ProxyRoundRobin":
            transport = flavour.ProxyRoundRobin([transport])
        last = await outcome_of(flavour, flavour.RetryTransport(transport, AT_ONCE))
        assert len(inner.requests) == count
        attempts = last.extensions["attempts"]
        assert len(attempts) == count
        assert attempts[-1].reason is not None

    async def test_is_not_repeated_when_the_budget_was_empty(self, flavour: Flavour) -> None:
        inner = Answers(*[503] * 20)
        budget = RetryBudget(capacity=1, per_success=0, per_second=0)
        transport = flavour.RetryTransport(inner, AT_ONCE, budget=budget)
        last = await outcome_of(flavour, flavour.RetryTransport(transport, AT_ONCE))
        assert len(inner.requests) == 2
        assert last.extensions["attempts"][-1].reason == "the retry budget of the origin is empty"

    async def test_is_repeated_where_the_policy_says_so(self, flavour: Flavour) -> None:
        inner = Answers(*[503] * 20)
        outer = RetryPolicy(**NO_WAIT, repeats_given_up=True)
        transport = flavour.RetryTransport(flavour.RetryTransport(inner, AT_ONCE), outer)
        await outcome_of(flavour, transport)
        assert len(inner.requests) == 16

    async def test_of_another_request_does_not_matter(self, flavour: Flavour) -> None:
        # Some mocks return one response again and again.
        inner = Answers(*[httpx.Response(503)] * 20)
        transport = flavour.RetryTransport(inner, AT_ONCE)
        for count in (4, 8):
            await outcome_of(flavour, transport)
            assert len(inner.requests) == count

    @pytest.mark.parametrize(
        "never_judged",
        [
            {"extensions": {"retry": None}},
            {"extensions": {"retry": RetryPolicy(retry=retry_if_status(500))}},
        ],
    )
    async def test_is_not_what_it_never_judged(
        self, flavour: Flavour, never_judged: dict[str, Any]
    ) -> None:
        class Unjudged(shell("wrapper").Wrapper):  # type: ignore[misc] # of either library
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                request.extensions = {**request.extensions, **never_judged["extensions"]}
                response: httpx.Response = super().handle_request(request)
                return response

        class AsyncUnjudged(shell("wrapper").AsyncWrapper):  # type: ignore[misc]
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                request.extensions = {**request.extensions, **never_judged["extensions"]}
                response: httpx.Response = await super().handle_async_request(request)
                return response

        inner = Answers(503, 503)
        wrapper: Any = AsyncUnjudged if flavour.is_async else Unjudged
        transport = flavour.RetryTransport(wrapper(flavour.RetryTransport(inner)), AT_ONCE)
        assert (await outcome_of(flavour, transport)).status_code == 200
        assert len(inner.requests) == 3


class TestEachAttempt:
    async def test_but_the_first_is_numbered_beneath(self, flavour: Flavour) -> None:
        inner = Answers(503, httpx.ReadError(""), 502)
        given = {"caller": object()}
        transport = flavour.RetryTransport(inner, AT_ONCE)
        await outcome_of(flavour, transport, extensions=given)
        numbers = [request.extensions.get("attempt") for request in inner.requests]
        assert numbers == [None, 2, 3, 4]
        assert {request.extensions["caller"] for request in inner.requests} == {given["caller"]}

    @pytest.mark.parametrize("status_code", [200, 304, 404])
    async def test_is_told_when_there_was_one(self, flavour: Flavour, status_code: int) -> None:
        for extensions in ({}, {"retry": None}, {"retry": RetryPolicy(deadline=9)}):
            transport = flavour.RetryTransport(Answers(status_code))
            response = await outcome_of(flavour, transport, extensions=extensions)
            assert response.extensions["attempts"] == (Attempt(status_code, 0.0),)


def big(flavour: Flavour) -> Any:
    def chunks() -> Any:
        yield b"x" * 2000

    async def async_chunks() -> Any:
        yield b"x" * 2000

    return async_chunks() if flavour.is_async else chunks()


@pytest.mark.parametrize("outcome", [503, httpx.ReadError("")])
async def test_a_later_request_of_a_transport_is_retried_alike(
    flavour: Flavour, outcome: Any
) -> None:
    inner = Answers(200, outcome, 200)
    transport = flavour.RetryTransport(inner, AT_ONCE)
    for _ in range(2):
        assert (await outcome_of(flavour, transport)).status_code == 200
    assert [request.extensions.get("attempt") for request in inner.requests] == [None, None, 2]


async def test_a_body_that_was_read_beneath_is_left_to_all_that_follow(flavour: Flavour) -> None:
    seen: list[bytes] = []

    def read(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(503 if len(seen) == 1 else 200)

    transport = flavour.RetryTransport(httpx.MockTransport(read), AT_ONCE)
    request = httpx.Request("PUT", "http://h/", content=big(flavour))
    assert (await flavour.send(transport, request)).status_code == 200
    assert seen == [b"x" * 2000] * 2
    assert isinstance(request.stream, httpx.ByteStream)


class TestWhyNoOtherFollowed:
    @pytest.mark.parametrize(
        ("reason", "settings", "request_", "flavour"),
        thinned(
            [
                ("the policy stops here", {"stop": lambda state: True}, {}),
                ("the wait would be longer than the policy allows", {"wait": lambda _: 1e999}, {}),
                ("the deadline comes first", {"wait": lambda state: 9, "deadline": 5}, {}),
                (
                    "the origin may have seen it, and the method is not idempotent",
                    {},
                    {"method": "POST", "content": b"once"},
                ),
                ("the body cannot be sent again", {"max_replay": 1000}, {"method": "PUT"}),
            ],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_is_in_the_attempt_and_in_the_log(
        self,
        reason: str,
        settings: dict[str, Any],
        request_: dict[str, Any],
        flavour: Flavour,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, LOGGER)
        request_ = {"method": "GET", **request_}
        if "max_replay" in settings:
            request_["content"] = big(flavour)
        with faulty_origin(*[answer(503)] * 9) as origin:
            policy = RetryPolicy(**{**NO_WAIT, **settings})
            transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
            async with flavour.client(transport=transport) as client:
                response = await client.request(url=origin.url, **request_)
        assert response.extensions["attempts"] == (Attempt(503, 0.0, reason),)
        (record,) = caplog.records
        assert (record.name, record.levelno) == (LOGGER, logging.INFO)
        assert record.getMessage() == (
            f"Giving up on {request_['method']} {origin.url}: attempt 1 ended in 503, and {reason}"
        )

    async def test_is_not_logged_of_what_no_policy_wants(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, LOGGER)
        for inner in (Answers(404), Answers(httpx.PoolTimeout(""))):
            await outcome_of(flavour, flavour.RetryTransport(inner, AT_ONCE))
        assert caplog.records == []

    @pytest.mark.parametrize("case", ["stop", "off", "POST"])
    async def test_is_told_once_for_all_layers(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture, case: str
    ) -> None:
        caplog.set_level(logging.INFO, LOGGER)
        once = RetryPolicy(stop=lambda state: True)
        inner = flavour.RetryTransport(Answers(httpx.ReadError("secret")), once)
        method = "POST" if case == "POST" else "GET"
        with set_retries("off" if case == "off" else "normal"):
            error = await outcome_of(flavour, flavour.RetryTransport(inner), method=method)
        (record,) = caplog.records
        assert "secret" not in record.getMessage()
        assert len(error.__notes__) == 1

    async def test_is_in_an_error_too(self, flavour: Flavour) -> None:
        error = httpx.ReadError("")
        transport = flavour.RetryTransport(Answers(error), RetryPolicy(stop=lambda state: True))
        assert await outcome_of(flavour, transport) is error
        attempts = error.extensions["attempts"]
        assert attempts == (Attempt(error, 0.0, "the policy stops here"),)
        assert error.__notes__[0].endswith(" seconds, and no other: the policy stops here")

    async def test_is_nothing_that_a_strangers_error_is_told(self, flavour: Flavour) -> None:
        class Own(Exception):
            extensions = "its own"

        policy = RetryPolicy(retry=lambda state: True, stop=lambda state: True)
        with pytest.raises(Own) as failed:
            await outcome_of(flavour, flavour.RetryTransport(Answers(Own()), policy))
        assert failed.value.extensions == "its own"


def ready(state: tenacity.RetryCallState) -> bool:
    assert state.outcome is not None
    return bool(state.outcome.result().status_code == 202)


def reading(flavour: Flavour) -> Any:
    """True if the body is empty."""

    def is_empty(state: tenacity.RetryCallState) -> bool:
        assert state.outcome is not None
        response = state.outcome.result()
        return not response.read()

    async def async_is_empty(state: tenacity.RetryCallState) -> bool:
        assert state.outcome is not None
        response = state.outcome.result()
        await anyio.lowlevel.checkpoint()
        return not await response.aread()

    return async_is_empty if flavour.is_async else is_empty


class TestAPredicateOfTheUsersOwn:
    @pytest.mark.parametrize("retry", [retry_if_status(202), ready])
    async def test_polls(self, flavour: Flavour, retry: Callable[..., bool]) -> None:
        inner = Answers(202, 202, 200)
        transport = flavour.RetryTransport(inner, RetryPolicy(**NO_WAIT, retry=retry))
        response = await outcome_of(flavour, transport)
        assert response.status_code == 200
        assert [attempt.outcome for attempt in response.extensions["attempts"]] == [202, 202, 200]

    async def test_may_give_up_on_a_success(self, flavour: Flavour) -> None:
        inner = Answers(*[202] * 9)
        policy = RetryPolicy(**NO_WAIT, retry=retry_if_status(202))
        response = await outcome_of(flavour, flavour.RetryTransport(inner, policy))
        assert (response.status_code, len(inner.requests)) == (202, 4)
        assert response.extensions["attempts"][-1].reason == "the policy stops here"

    async def test_may_read_the_body_and_wait(self, flavour: Flavour) -> None:
        policy = RetryPolicy(**NO_WAIT, retry=retry_if_status(503) | reading(flavour))
        with faulty_origin(answer(200), answer(503), answer(200, {}, b"done")) as origin:
            transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
            async with flavour.client(transport=transport) as client:
                response = await client.get(origin.url)
        assert response.content == b"done"
        assert len(origin.requests) == 3
        assert origin.connections == 1

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_is_asked_again_when_the_body_breaks_that_it_reads(
        self, flavour: Flavour, method: str
    ) -> None:
        policy = RetryPolicy(**NO_WAIT, retry=retry_if_transport_error() | reading(flavour))
        script = [faulty.reset_in_response_body(200), answer(200, {}, b"done")]
        with faulty_origin(*script) as origin:
            transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
            async with flavour.client(transport=transport) as client:
                try:
                    outcome = await client.request(method, origin.url)
                except httpx.TransportError as error:
                    outcome = error
        attempts = outcome.extensions["attempts"]
        assert isinstance(attempts[0].outcome, httpx.TransportError)
        if method == "GET":
            assert (outcome.content, len(attempts)) == (b"done", 2)
        else:
            reason = "the origin may have seen it, and the method is not idempotent"
            assert attempts == (Attempt(outcome, 0.0, reason),)

    async def test_may_raise_the_error_that_it_is_asked_about(self, flavour: Flavour) -> None:
        inner = Answers(httpx.ReadError(""))
        transport = flavour.RetryTransport(inner, RetryPolicy(retry=reading(flavour)))
        error = await outcome_of(flavour, transport)
        assert error.extensions["attempts"] == (Attempt(error, 0.0),)

    async def test_may_raise_an_error_of_its_own(self, flavour: Flavour) -> None:
        own = httpx.ReadError("its own")

        def ask(state: tenacity.RetryCallState) -> bool:
            raise own

        transport = flavour.RetryTransport(Answers(httpx.ReadError("")), RetryPolicy(retry=ask))
        assert await outcome_of(flavour, transport) is own
        assert not hasattr(own, "extensions")

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_that_is_cancelled_closes_the_response(self, flavour: Flavour) -> None:
        class Waiting(httpx.AsyncByteStream):
            is_closed = False

            async def aclose(self) -> None:
                await anyio.lowlevel.checkpoint()
                self.is_closed = True

        async def ask(state: tenacity.RetryCallState) -> bool:
            scope.cancel()
            await anyio.sleep_forever()
            return False

        body = Waiting()
        inner = httpx.MockTransport(lambda request: httpx.Response(503, stream=body))
        transport = flavour.RetryTransport(inner, RetryPolicy(retry=ask))
        with anyio.CancelScope() as scope:
            await flavour.send(transport, httpx.Request("GET", "http://h/"))
        assert scope.cancelled_caught
        assert body.is_closed

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_that_takes_too_long_ends_with_the_deadline(self, flavour: Flavour) -> None:
        async def endless(state: tenacity.RetryCallState) -> bool:
            await anyio.sleep_forever()
            raise AssertionError

        inner = Stepping(0)
        transport = flavour.RetryTransport(inner, RetryPolicy(retry=endless, deadline=0.01))
        error = await outcome_of(flavour, transport, stream=inner.Body(inner))
        assert str(error) == "the deadline of 0.01 seconds is over"
        assert inner.held == 0

    def test_is_a_plain_function_in_a_sync_transport(self) -> None:
        async def coroutine_function(state: tenacity.RetryCallState) -> bool:
            return False

        for retry in (coroutine_function, retry_if_status(503) & coroutine_function):
            policy = RetryPolicy(retry=retry)
            with pytest.raises(TypeError, match="write a plain function, or use AsyncRetryTran"):
                Flavour("sync").RetryTransport(policy=policy)
            Flavour("asyncio").RetryTransport(policy=policy)


class TestTheDeadline:
    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_ends_what_has_no_timeout_of_its_own(self, flavour: Flavour) -> None:
        class Stuck(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                await anyio.sleep_forever()
                raise AssertionError

        transport = flavour.RetryTransport(Stuck(), RetryPolicy(deadline=0.01))
        error = await outcome_of(flavour, transport)
        assert type(error) is httpx.TimeoutException
        assert str(error) == "the deadline of 0.01 seconds is over"
        assert error.request.url == "http://h/"
        assert vars(error)["extensions"]["attempts"][-1].reason == "the deadline comes first"

    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    async def test_lets_an_outer_cancellation_through(self, flavour: Flavour) -> None:
        with faulty_origin(faulty.stall) as origin:
            policy = RetryPolicy(deadline=60)
            transport = flavour.RetryTransport(policy=policy, verify=False, trust_env=False)
            async with flavour.client(transport=transport) as client:
                with anyio.move_on_after(0.02) as scope:
                    await client.get(origin.url)
                assert scope.cancelled_caught
                assert transport._transport._core.pool.connections == []

    async def test_is_not_that_of_the_body_whoever_has_copied_the_extensions(
        self, flavour: Flavour
    ) -> None:
        inner = Answers()
        policy = RetryPolicy(deadline=60)
        for between in (
            flavour.DebuggingTransport(inner, lambda exchange: None),
            flavour.ProxyRoundRobin([inner]),
            inner,
        ):
            transport = flavour.RetryTransport(between, policy)
            timeouts = {"connect": 1.0, "read": 90.0, "write": None, "pool": 3.0}
            await outcome_of(flavour, transport, extensions={"timeout": timeouts})
            timeout = inner.requests[-1].extensions["timeout"]
            assert dict(timeout) == timeouts


class Stepping(httpx.AsyncBaseTransport):
    """Answers 503 twice and then 200, and cancels a scope at one of its awaits.

    Arguments:
        at: the number of that await.

    Attributes:
        scope: the one.
        steps: how many awaits there were.
        held: how many responses are open.
    """

    def __init__(self, at: int) -> None:
        self.scope = anyio.CancelScope()
        self.steps = 0
        self.held = 0
        self._at = at
        self._left = [200, 503, 503]

    async def step(self) -> None:
        self.steps += 1
        if self.steps == self._at:
            self.scope.cancel()
        await anyio.lowlevel.checkpoint()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for _ in request.stream:
            await self.step()
        await self.step()
        self.held += 1
        return httpx.Response(self._left.pop(), stream=self.Body(self, is_held=True))

    class Body(httpx.AsyncByteStream):
        def __init__(self, owner: "Stepping", *, is_held: bool = False) -> None:
            self._owner = owner
            self._left = 2
            self._is_held = is_held

        def __aiter__(self) -> "Stepping.Body":
            return self

        async def __anext__(self) -> bytes:
            await self._owner.step()
            self._left -= 1
            if self._left < 0:
                raise StopAsyncIteration
            return b"x"

        async def aclose(self) -> None:
            # As httpcore does: what is held is given back before anything can be cancelled.
            self._owner.held -= self._is_held
            self._is_held = False
            await self._owner.step()


class TestACancellation:
    @pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
    @pytest.mark.parametrize("deadline", [None, 60])
    async def test_at_any_await_leaves_nothing(
        self, flavour: Flavour, deadline: float | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def ask(state: tenacity.RetryCallState) -> bool:
            await inner.step()
            assert state.outcome is not None
            return bool(state.outcome.result().status_code == 503)

        async def sleep(seconds: float) -> None:
            await inner.step()

        monkeypatch.setattr(anyio, "sleep", sleep)
        policy = RetryPolicy(retry=ask, deadline=deadline, wait=lambda state: 1)
        at = has_ended = 0
        while not has_ended:
            at += 1
            inner = Stepping(at)
            transport = flavour.RetryTransport(inner, policy)
            client = flavour.client(transport=transport)
            with inner.scope:
                response = await client.put("http://h/", content=inner.Body(inner))
                assert response.status_code == 200
                has_ended = 1
            assert inner.held == 0
            assert inner.scope.cancelled_caught != has_ended
        assert at > 20


class TestARefusedTunnel:
    @pytest.mark.parametrize(
        ("status", "count", "flavour"),
        thinned([("407 No", 1), ("403 No", 1), ("502 Gone", 4), ("503 Busy", 4)], NAMES),
        indirect=["flavour"],
    )
    async def test_is_judged_by_its_status(self, status: str, count: int, flavour: Flavour) -> None:
        seen: list[int] = []
        refuse = saying(status)

        def talk(connection: Any) -> None:
            seen.append(1)
            refuse(connection)

        with raw_proxy(talk) as proxy:
            transport = flavour.RetryTransport(policy=AT_ONCE, proxy=proxy.url, trust_env=False)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.ProxyError, match=status):
                    await client.get("https://example.com/")
        assert len(seen) == count

    @pytest.mark.parametrize(
        ("talk", "count", "flavour"),
        thinned(
            [
                (proxies.socks_wrong_password, 1),
                (proxies.socks_no_method, 1),
                (proxies.socks_refusing, 4),
            ],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_is_judged_by_what_socks_says(
        self, talk: Callable[[Any], None], count: int, flavour: Flavour
    ) -> None:
        seen: list[int] = []

        def counting(connection: Any) -> None:
            seen.append(1)
            talk(connection)

        with raw_proxy(counting) as proxy:
            url = proxy.url.replace("http://", "socks5://ada:wrong@")
            transport = flavour.RetryTransport(policy=AT_ONCE, proxy=url, trust_env=False)
            async with flavour.client(transport=transport) as client:
                with pytest.raises(httpx.ProxyError):
                    await client.get("https://example.com/")
        assert len(seen) == count

    async def test_is_repeated_through_another_proxy(self, flavour: Flavour) -> None:
        error = httpx.ProxyError("407 No")
        bad, good = Answers(*[error] * 9), Answers()
        rotation = flavour.ProxyRoundRobin([bad, good], max_tries=1)
        response = await outcome_of(flavour, flavour.RetryTransport(rotation, AT_ONCE))
        assert response.status_code == 200
        assert (len(bad.requests), len(good.requests)) == (1, 1)


async def test_an_obeyed_429_is_not_charged_to_the_budget(flavour: Flavour) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "0"})
    budget = RetryBudget(capacity=1, per_success=0, per_second=0)
    policy = RetryPolicy(stop=tenacity.stop_never)
    transport = flavour.RetryTransport(Answers(*[limited] * 9), policy, budget=budget)
    assert (await outcome_of(flavour, transport)).status_code == 200
    # One without the header is charged.
    transport = flavour.RetryTransport(Answers(*[429] * 9), AT_ONCE, budget=budget)
    assert (await outcome_of(flavour, transport)).status_code == 429


async def test_a_first_success_fills_the_budget(flavour: Flavour) -> None:
    budget = RetryBudget(capacity=1, per_success=1, per_second=0)
    policy = RetryPolicy(**NO_WAIT, stop=tenacity.stop_after_attempt(2))
    transport = flavour.RetryTransport(Answers(503, 503, 200, 503, 200), policy, budget=budget)
    outcomes = [await outcome_of(flavour, transport) for _ in range(3)]
    assert [outcome.status_code for outcome in outcomes] == [503, 200, 200]


def pieces() -> Iterator[bytes]:
    yield b"piece"


async def async_pieces() -> AsyncIterator[bytes]:
    yield b"piece"


class Other(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body around another, of a class that transportkit does not know."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


class Replacing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends another request, with a body of its own."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def _another(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=Other(request.stream),
            extensions=request.extensions,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._inner.handle_request(self._another(request))
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        another = self._another(request)
        response: httpx.Response = await self._inner.handle_async_request(another)
        return response


class TestABodyThatEachLayerWraps:
    @pytest.mark.parametrize("between", ["DebuggingTransport", "another's", "all"])
    async def test_is_not_repeated_by_each(self, flavour: Flavour, between: str) -> None:
        inner = Answers(*[503] * 30)
        transport = flavour.RetryTransport(inner, AT_ONCE)
        if between != "another's":
            transport = flavour.DebuggingTransport(transport, lambda exchange: None)
        if between != "DebuggingTransport":
            transport = Replacing(transport)
        if between == "all":
            transport = flavour.RetryTransport(transport, AT_ONCE)
        transport = flavour.RetryTransport(transport, AT_ONCE)
        content = async_pieces() if flavour.is_async else pieces()
        response = await outcome_of(flavour, transport, method="PUT", content=content)
        assert response.status_code == 503
        assert len(inner.requests) == 4

    async def test_is_repeated_by_each_if_the_policy_says_so(self, flavour: Flavour) -> None:
        inner = Answers(*[503] * 30)
        outer = RetryPolicy(**NO_WAIT, repeats_given_up=True)
        beneath = flavour.DebuggingTransport(
            flavour.RetryTransport(inner, AT_ONCE), lambda exchange: None
        )
        transport = flavour.RetryTransport(beneath, outer)
        content = async_pieces() if flavour.is_async else pieces()
        await outcome_of(flavour, transport, method="PUT", content=content)
        assert len(inner.requests) == 16

    async def test_leaves_the_requests_extensions_alone(self, flavour: Flavour) -> None:
        content = async_pieces() if flavour.is_async else pieces()
        request = httpx.Request("PUT", "http://h/", content=content)
        await flavour.send(flavour.RetryTransport(Answers(503), AT_ONCE), request)
        assert request.extensions == {}
