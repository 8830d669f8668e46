"""The attempts of one request: what each is sent with, and whether another one follows."""

import inspect
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import tenacity
from hypothesis import example, given
from hypothesis import strategies as st
from support.faulty import Connection, faulty_origin
from support.flavours import NAMES, Flavour
from support.library import httpx, shell
from support.matrices import thinned
from support.transportkit import Attempt, RetryBudget, RetryPolicy
from tenacity import RetryCallState

from transportkit.retrying import call as module
from transportkit.retrying.budget import Buckets
from transportkit.retrying.call import RetryCall
from transportkit.retrying.combining import ask
from transportkit.retrying.deadline import LiveTimeouts, timeouts_of
from transportkit.wire.draining import DRAIN_SECONDS
from transportkit.wire.trace import AsyncSentWatch, SentWatch

URL = "https://example.com/"
GET = httpx.Request("GET", URL)
LOGGER = "transportkit.retrying"
STARTED = 1000.0
AT_ONCE = RetryPolicy(wait=tenacity.wait_none())

Outcome = httpx.Response | Exception


def send(request: httpx.Request) -> object:
    raise AssertionError("a decision sends nothing")


def patient(**settings: Any) -> RetryPolicy:
    """A policy that waits a second each time and never stops, unless told otherwise."""
    return RetryPolicy(**{"wait": tenacity.wait_fixed(1), "stop": tenacity.stop_never, **settings})


def call_of(
    policy: RetryPolicy, request: httpx.Request = GET, buckets: Buckets | None = None
) -> RetryCall:
    return RetryCall(policy, request, send, STARTED, buckets or Buckets(None))


def end(call: RetryCall, outcome: Outcome, now: float) -> float | None:
    """What a transport does when an attempt has ended: ask, and decide."""
    return call.decide(call.end_attempt(outcome, now) and ask(call.policy.retry, call.state))


def wait_after(
    outcome: Outcome,
    policy: RetryPolicy | None = None,
    request: httpx.Request = GET,
    watch: SentWatch | None = None,
) -> float | None:
    """What is decided after a first attempt that took no time."""
    call = call_of(policy or patient(), request)
    call.watch = watch
    return end(call, outcome, STARTED)


def waits_after(
    policy: RetryPolicy, outcomes: Sequence[Outcome], *, seconds: float = 0
) -> list[float | None]:
    """What is decided after each attempt, when each takes so long, up to the last one."""
    call, now = call_of(policy), STARTED
    waits: list[float | None] = []
    for outcome in outcomes:
        now += seconds
        wait = end(call, outcome, now)
        waits.append(wait)
        if wait is None:
            break
        now += wait
    return waits


def responses(*status_codes: int) -> list[httpx.Response]:
    return [httpx.Response(status_code) for status_code in status_codes]


def started(flavour: Flavour, call: RetryCall) -> dict[str, Any]:
    """The extensions of one attempt."""
    extensions = call.start_attempt(AsyncSentWatch if flavour.is_async else SentWatch)
    return {} if extensions is None else extensions


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


class TestAResponse:
    def test_is_retried_by_default_for_four_codes(self) -> None:
        policy = patient()
        waits = {code: wait_after(httpx.Response(code), policy) for code in range(600)}
        retried = {status_code for status_code, wait in waits.items() if wait is not None}
        assert retried == {429, 502, 503, 504}

    @given(st.integers(100, 399))
    def test_below_400_is_nothing_that_needs_a_strategy_of_ours(self, status_code: int) -> None:
        def fail(retry_state: RetryCallState) -> bool:
            raise AssertionError("asked")

        policy = RetryPolicy(stop=fail, wait=fail)
        assert not call_of(policy).end_attempt(httpx.Response(status_code), STARTED)

    def test_that_switches_protocols_is_nothing_to_ask_about(self) -> None:
        policy = RetryPolicy(retry=lambda state: True)
        assert not call_of(policy).end_attempt(httpx.Response(101), STARTED)

    @pytest.mark.parametrize("status_code", [200, 304, 400, 404, 599])
    def test_is_the_strategys_to_judge(self, status_code: int) -> None:
        asked: list[tuple[object, object]] = []

        def retry(retry_state: RetryCallState) -> bool:
            assert retry_state.outcome is not None
            asked.append((retry_state.args, retry_state.outcome.result()))
            return True

        response = httpx.Response(status_code)
        assert wait_after(response, patient(retry=retry)) == 1
        assert asked == [((GET,), response)]

    def test_is_told_what_was_tried(self) -> None:
        call, error = call_of(patient()), httpx.ReadError("")
        end(call, httpx.Response(503), STARTED)
        end(call, error, STARTED)
        extensions = {"http_version": b"HTTP/1.1"}
        response = httpx.Response(200, extensions=extensions)
        assert end(call, response, STARTED) is None
        attempts = (Attempt(503, 1), Attempt(error, 1), Attempt(200, 0))
        assert response.extensions == {"http_version": b"HTTP/1.1", "attempts": attempts}
        assert extensions == {"http_version": b"HTTP/1.1"}

    def test_is_told_that_there_was_no_second_try(self) -> None:
        response = httpx.Response(404)
        wait_after(response)
        assert response.extensions["attempts"] == (Attempt(outcome=404, waited=0),)


class TestAnError:
    @pytest.mark.parametrize("kind", [httpx.ReadError, httpx.ConnectTimeout, httpx.ProxyError])
    def test_of_the_wire_is_retried_by_default(self, kind: type[httpx.TransportError]) -> None:
        assert wait_after(kind("")) == 1

    @pytest.mark.parametrize("error", [httpx.PoolTimeout(""), ValueError(), OSError()])
    def test_of_another_kind_is_not(self, error: Exception) -> None:
        assert wait_after(error) is None

    def test_is_shown_to_the_strategy(self) -> None:
        asked: list[BaseException | None] = []

        def retry(retry_state: RetryCallState) -> bool:
            assert retry_state.outcome is not None
            asked.append(retry_state.outcome.exception())
            return False

        error = ValueError()
        wait_after(error, patient(retry=retry))
        assert asked == [error]

    @pytest.mark.parametrize(
        ("count", "seconds", "note"),
        [
            (
                1,
                0.25,
                "transportkit: 1 attempt in 0.2 seconds, and no other: the policy stops here",
            ),
            (2, 1, "transportkit: 2 attempts in 3.0 seconds, and no other: the policy stops here"),
            (4, 0, "transportkit: 4 attempts in 3.0 seconds, and no other: the policy stops here"),
        ],
    )
    def test_that_is_the_last_is_told_how_often_and_how_long(
        self, count: int, seconds: float, note: str
    ) -> None:
        errors = [httpx.ReadError(str(number)) for number in range(count)]
        policy = patient(stop=tenacity.stop_after_attempt(count))
        assert waits_after(policy, errors, seconds=seconds)[-1] is None
        assert [getattr(error, "__notes__", []) for error in errors] == [
            *[[]] * (count - 1),
            [note],
        ]


def heard(*methods: bytes) -> SentWatch:
    """A watch that heard of requests being sent, or only of a connection."""
    watch = SentWatch(None)
    watch("connection.connect_tcp.started", {})
    for method in methods:
        request = type("Request", (), {"method": method})
        watch("http11.send_request_headers.started", {"request": request})
    return watch


class TestAnUnsafeMethod:
    """One whose method is not among the policy's."""

    POST = httpx.Request("POST", "https://example.com/")
    KEYED = httpx.Request("POST", "https://example.com/", headers={"idempotency-key": "1"})

    @pytest.mark.parametrize(
        ("outcome", "watch", "repeated"),
        [
            (httpx.ReadError(""), heard(b"POST"), False),
            (httpx.ReadTimeout(""), heard(b"CONNECT", b"POST"), False),
            (httpx.ConnectError(""), heard(b"POST"), False),
            (httpx.ReadTimeout(""), heard(b"CONNECT"), True),
            (httpx.ReadError(""), heard(), True),
            (httpx.ConnectError(""), heard(), True),
            (httpx.ConnectError(""), SentWatch(None), True),
            (httpx.ProxyError(""), SentWatch(None), True),
            (httpx.ReadError(""), SentWatch(None), False),
            (httpx.Response(503), heard(b"POST"), False),
            # Somebody answered, though nobody was heard: it is no proof.
            (httpx.Response(503), heard(), False),
            (httpx.Response(503), SentWatch(None), False),
        ],
    )
    def test_is_repeated_only_when_it_provably_never_arrived(
        self, outcome: Outcome, watch: SentWatch, repeated: bool
    ) -> None:
        wait = wait_after(outcome, request=self.POST, watch=watch)
        assert wait == (1 if repeated else None)
        assert wait_after(outcome, request=self.KEYED, watch=watch) == 1

    def test_is_still_the_strategys_to_judge(self) -> None:
        error = httpx.PoolTimeout("")
        assert wait_after(error, request=self.POST, watch=SentWatch(None)) is None
        assert wait_after(httpx.Response(500), request=self.KEYED, watch=heard(b"POST")) is None


class TestABodyThatIsLost:
    """One that can be read once, and of which no more than some bytes were kept."""

    @staticmethod
    def request(max_bytes: int, method: str = "GET", **headers: str) -> httpx.Request:
        replay = shell("streams").ReplayStream(httpx.ByteStream(b"abc"), max_bytes)
        list(replay)
        return httpx.Request(method, URL, headers=headers, stream=replay)

    @pytest.mark.parametrize("outcome", [httpx.Response(503), httpx.ConnectError("")])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_ends_the_call(self, outcome: Outcome, method: str) -> None:
        assert wait_after(outcome, request=self.request(2, method), watch=heard()) is None

    def test_ends_it_even_with_an_idempotency_key(self) -> None:
        request = self.request(2, "POST", **{"Idempotency-Key": "k1"})
        assert wait_after(httpx.Response(503), request=request) is None

    def test_ends_nothing_while_it_is_kept(self) -> None:
        assert wait_after(httpx.Response(503), request=self.request(3)) == 1

    def test_ends_nothing_when_it_was_read_into_the_request(self) -> None:
        request = self.request(2)
        request.stream = httpx.ByteStream(b"abc")
        assert wait_after(httpx.Response(503), request=request) == 1


class TestStopping:
    def test_is_by_default_after_four_attempts(self) -> None:
        policy = RetryPolicy(wait=tenacity.wait_fixed(1))
        assert waits_after(policy, responses(*[503] * 9)) == [1, 1, 1, None]

    @pytest.mark.parametrize(
        ("stop", "waits"),
        [
            (tenacity.stop_after_attempt(1), [None]),
            (tenacity.stop_after_attempt(3), [1, 1, None]),
            (tenacity.stop_after_delay(3), [1, 1, None]),
            (tenacity.stop_before_delay(3), [1, None]),
            (tenacity.stop_before_delay(3.25), [1, 1, None]),
            (tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(2), [1, None]),
            (tenacity.stop_after_attempt(3) & tenacity.stop_after_delay(4), [1, 1, 1, None]),
            (lambda state: state.attempt_number == 2, [1, None]),
        ],
    )
    def test_follows_tenacitys_strategies(self, stop: Any, waits: list[float | None]) -> None:
        # Each attempt takes half a second and each wait a whole one: they end at 0.5, 2, 3.5, 5.
        assert waits_after(patient(stop=stop), responses(*[503] * 9), seconds=0.5) == waits

    def test_can_be_told_from_outside(self) -> None:
        event = threading.Event()
        call = call_of(patient(stop=tenacity.stop_when_event_set(event)))
        assert end(call, httpx.Response(503), STARTED) == 1
        event.set()
        assert end(call, httpx.Response(503), STARTED) is None


class TestWaiting:
    @pytest.mark.parametrize(
        ("wait", "expected"),
        [
            (0, 0),
            (0.25, 0.25),
            (-1, 0),
            (-math.inf, 0),
            (math.inf, None),
            (math.nan, None),
            (1e9, 1e9),
        ],
    )
    def test_takes_as_long_as_the_strategy_says(self, wait: float, expected: float | None) -> None:
        assert wait_after(httpx.Response(503), patient(wait=lambda _: wait)) == expected

    def test_counts_the_attempts_for_the_strategy(self) -> None:
        policy = patient(wait=tenacity.wait_exponential(multiplier=1))
        assert waits_after(policy, responses(503, 503, 503, 200)) == [1, 2, 4, None]

    def test_goes_on_as_long_as_the_server_asks(self) -> None:
        response = httpx.Response(503, headers={"Retry-After": "17"})
        assert wait_after(response, RetryPolicy()) == 17

    def test_longer_than_the_server_may_ask_is_not_done_at_all(self) -> None:
        response = httpx.Response(503, headers={"Retry-After": "121"})
        assert wait_after(response, RetryPolicy()) is None


class TestADeadline:
    @pytest.mark.parametrize(("deadline", "waits"), [(1, [None]), (1.001, [1]), (0.5, [None])])
    def test_is_not_reached_by_a_wait(self, deadline: float, waits: list[float | None]) -> None:
        assert waits_after(patient(deadline=deadline), responses(503)) == waits

    def test_counts_the_attempts_too(self) -> None:
        outcomes = responses(*[503] * 9)
        # They end at 2, 5 and 8 seconds.
        assert waits_after(patient(deadline=9.5), outcomes, seconds=2) == [1, 1, 1, None]
        assert waits_after(patient(deadline=9), outcomes, seconds=2) == [1, 1, None]

    @given(
        deadline=st.floats(0.001, 100),
        waits=st.lists(st.floats(-1, 50), min_size=1, max_size=20),
        seconds=st.floats(0, 10),
    )
    @example(1, [0.5, 0.5], 0)
    def test_is_never_passed_by_a_wait(
        self, deadline: float, waits: list[float], seconds: float
    ) -> None:
        left = iter(waits)
        policy = patient(deadline=deadline, wait=lambda _: next(left))
        call, now = call_of(policy), STARTED
        for _ in waits:
            now += seconds
            wait = end(call, httpx.Response(503), now)
            if wait is None:
                return
            assert now - STARTED + wait < deadline
            now += wait


class TestABudget:
    def test_that_is_spent_ends_the_call(self) -> None:
        buckets = Buckets(RetryBudget(capacity=2, per_second=0))
        call = call_of(patient(), buckets=buckets)
        waits = [end(call, httpx.Response(503), STARTED) for _ in range(3)]
        assert waits == [1, 1, None]

    def test_is_shared_by_calls(self) -> None:
        buckets = Buckets(RetryBudget(capacity=2, per_second=0))
        calls = [call_of(patient(), buckets=buckets) for _ in range(3)]
        waits = [end(call, httpx.Response(503), STARTED) for call in calls]
        assert waits == [1, 1, None]

    @pytest.mark.parametrize(
        "settings",
        [
            {"stop": tenacity.stop_after_attempt(1)},
            {"deadline": 0.5},
            {"retry": tenacity.retry_never},
            {"wait": lambda _: math.inf},
        ],
    )
    def test_is_not_charged_for_a_retry_that_does_not_happen(
        self, settings: dict[str, Any]
    ) -> None:
        buckets = Buckets(RetryBudget())
        call = call_of(patient(**settings), buckets=buckets)
        assert end(call, httpx.Response(503), STARTED) is None
        assert not buckets.by_origin

    def test_gets_something_back_for_a_success_after_a_retry(self) -> None:
        buckets = Buckets(RetryBudget(capacity=1, per_success=1, per_second=0))
        call = call_of(patient(), buckets=buckets)
        assert end(call, httpx.Response(503), STARTED) == 1
        assert end(call, httpx.Response(200), STARTED) is None
        assert not buckets.by_origin

    @pytest.mark.parametrize("outcome", [httpx.Response(404), ValueError()])
    def test_gets_nothing_back_for_a_failure(self, outcome: Outcome) -> None:
        buckets = Buckets(RetryBudget(capacity=1, per_success=1, per_second=0))
        call = call_of(patient(), buckets=buckets)
        assert end(call, httpx.Response(503), STARTED) == 1
        assert end(call, outcome, STARTED) is None
        assert not buckets.take(GET.url, STARTED)


class TestBeforeSleep:
    def test_sees_the_state_as_tenacity_shows_it(self) -> None:
        seen: list[tuple[Any, ...]] = []

        def note(state: RetryCallState) -> None:
            assert state.outcome is not None
            assert state.next_action is not None
            seen.append(
                (
                    state.outcome.exception() if state.outcome.failed else state.outcome.result(),
                    state.next_action.sleep,
                    state.upcoming_sleep,
                    state.attempt_number,
                    state.seconds_since_start,
                    state.args,
                    state.fn,
                )
            )

        policy = patient(before_sleep=note, wait=tenacity.wait_incrementing(2, 1))
        response, error = httpx.Response(503), httpx.ReadError("")
        last = httpx.Response(200)
        assert waits_after(policy, [response, error, last], seconds=0.5) == [2, 3, None]
        assert seen == [
            (response, 2, 2, 1, 0.5, (GET,), send),
            (error, 3, 3, 2, 3, (GET,), send),
        ]

    def test_sees_how_long_all_waits_are_together(self) -> None:
        idle: list[float] = []
        policy = patient(before_sleep=lambda state: idle.append(state.idle_for))
        waits_after(policy, responses(503, 503, 200))
        assert idle == [1, 2]

    @pytest.mark.parametrize(
        "settings",
        [{"stop": tenacity.stop_after_attempt(1)}, {"deadline": 0.5}, {"wait": lambda _: math.inf}],
    )
    def test_is_not_called_where_nobody_sleeps(self, settings: dict[str, Any]) -> None:
        def fail(state: RetryCallState) -> None:
            raise AssertionError("called")

        assert wait_after(httpx.Response(503), patient(before_sleep=fail, **settings)) is None

    def test_raises_its_own_errors(self) -> None:
        def fail(state: RetryCallState) -> None:
            raise LookupError("mine")

        with pytest.raises(LookupError, match=r"^mine$"):
            wait_after(httpx.Response(503), patient(before_sleep=fail))

    @pytest.mark.parametrize(
        ("outcome", "text"),
        [
            (httpx.Response(503), "returned <Response [503 Service Unavailable]>."),
            (httpx.ReadError("reset"), "raised ReadError: reset."),
        ],
    )
    def test_may_be_tenacitys_log(
        self, outcome: Outcome, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        logger = logging.getLogger("test")
        hook = tenacity.before_sleep_log(logger, logging.WARNING)
        wait_after(outcome, patient(before_sleep=hook))
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith("Retrying ")
        # tenacity has written the number in more than one way.
        message = record.getMessage().replace("1.0 seconds", "1 seconds")
        assert message.endswith(f"send in 1 seconds as it {text}")


class TestLogging:
    URL = "https://scott:tiger@example.com/?page=2&api_key=abc"

    @pytest.mark.parametrize(
        ("outcome", "shown"),
        [(httpx.Response(503), "503"), (httpx.ReadError("tiger"), "ReadError")],
    )
    def test_tells_of_each_retry_without_secrets(
        self, outcome: Outcome, shown: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        wait_after(outcome, request=httpx.Request("DELETE", self.URL))
        (record,) = caplog.records
        assert (record.name, record.levelno) == (LOGGER, logging.INFO)
        assert record.getMessage() == (
            "Retrying DELETE https://****@example.com/?page=2&api_key=**** in 1.0 seconds: "
            f"attempt 1 ended in {shown}"
        )

    def test_counts_the_attempts(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, LOGGER)
        waits_after(patient(), responses(503, 502, 504, 200))
        endings = [record.getMessage().partition(": attempt ")[2] for record in caplog.records]
        assert endings == ["1 ended in 503", "2 ended in 502", "3 ended in 504"]

    def test_says_nothing_to_those_who_want_warnings(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        waits_after(patient(stop=tenacity.stop_after_attempt(2)), [httpx.ReadError("")] * 2)
        assert not caplog.records

    def test_says_nothing_of_what_is_not_retried(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        wait_after(httpx.Response(404))
        wait_after(ValueError())
        assert not caplog.records


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
        call = call_of(RetryPolicy(), httpx.Request("POST", URL))
        watches = [started(flavour, call)["trace"] for _ in range(3)]
        assert len({id(watch) for watch in watches}) == 3
        assert call.watch is watches[-1]

    def test_is_for_methods_that_may_not_be_repeated_and_for_no_others(
        self, flavour: Flavour
    ) -> None:
        for method, policy in (("GET", RetryPolicy()), ("POST", RetryPolicy(methods={"POST"}))):
            call = call_of(policy, httpx.Request(method, URL))
            assert started(flavour, call) == {}
            assert call.watch is None


class TestADeadlineOfEachAttempt:
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
        monkeypatch.setattr(shell("attempting"), "time", SimpleNamespace(monotonic=lambda: now))
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
        self, deadline: float | None, wait: float, seconds: float
    ) -> None:
        call = call_of(RetryPolicy(deadline=deadline))
        end(call, httpx.Response(404), STARTED + 5)
        assert call.drain_seconds(wait) == seconds

    @pytest.mark.parametrize("deadline", [10, None])
    def test_does_not_bound_the_body_of_what_comes_back(
        self, flavour: Flavour, deadline: float | None
    ) -> None:
        own = {"read": 7.0}
        request = httpx.Request("GET", URL, extensions={"timeout": own, "caller": 1})
        call = call_of(RetryPolicy(deadline=deadline), request)
        sent = started(flavour, call) or request.extensions
        assert isinstance(sent["timeout"], LiveTimeouts) is (deadline is not None)
        assert sent["caller"] == 1
        call.settle()
        assert sent["timeout"]["read"] == 7.0
        assert request.extensions == {"timeout": own, "caller": 1}

    def test_of_a_request_that_was_never_sent_changes_nothing(self) -> None:
        request = httpx.Request("GET", URL, extensions={"caller": 1})
        call_of(RetryPolicy(deadline=10), request).settle()
        assert request.extensions == {"caller": 1}


@pytest.mark.parametrize("extensions", [{}, {"timeout": None}, {"timeout": 5}])
def test_a_request_that_no_client_built_has_no_timeouts(extensions: dict[str, object]) -> None:
    assert timeouts_of(extensions) == {}


def test_tenacity_is_imported_when_a_first_attempt_fails_and_not_before() -> None:
    program = """
        import sys
        import httpx
        from transportkit import RetryBudget, RetryPolicy, RetryTransport, retry_if_status
        from transportkit import retry_if_transport_error, wait_retry_after

        statuses = [503, 200, 200]
        inner = httpx.MockTransport(lambda request: httpx.Response(statuses.pop()))
        retry = retry_if_status(503) | retry_if_transport_error()
        policy = RetryPolicy(retry=retry, wait=wait_retry_after(lambda state: 0), deadline=60)
        with httpx.Client(transport=RetryTransport(inner, policy, budget=RetryBudget())) as client:
            client.get("https://example.com/")
            client.post("https://example.com/", content=iter([b"abc"]))
            print("tenacity" in sys.modules)
            statuses.insert(0, 200)
            assert client.get("https://example.com/").extensions["attempts"]
        print("tenacity" in sys.modules)
    """
    command = (sys.executable, "-c", inspect.cleandoc(program))
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "True"]
