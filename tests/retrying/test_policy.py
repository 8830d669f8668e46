"""Again or not, and after how long: what a policy refuses, and what it decides."""

import dataclasses
import functools
import inspect
import logging
import math
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import tenacity
from hypothesis import example, given
from hypothesis import strategies as st
from support.library import httpx
from support.matrices import thinned
from support.transportkit import (
    Attempt,
    RetryBudget,
    RetryPolicy,
    retry_if_status,
    retry_if_transport_error,
    wait_retry_after,
)
from tenacity import RetryCallState

from transportkit.retrying.budget import Buckets
from transportkit.retrying.policy import RetryCall, policy_for
from transportkit.wire.replay import ReplayStream
from transportkit.wire.trace import SentWatch, Watch

GET = httpx.Request("GET", "https://example.com/")
LOGGER = "transportkit.retrying"
STARTED = 1000.0
CALLABLES = ("retry", "stop", "wait", "before_sleep")

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


def wait_after(
    outcome: Outcome,
    policy: RetryPolicy | None = None,
    request: httpx.Request = GET,
    watch: Watch | None = None,
    replay: ReplayStream | None = None,
) -> float | None:
    """What is decided after a first attempt that took no time."""
    return call_of(policy or patient(), request).wait_after(outcome, watch, replay, STARTED)


def waits_after(
    policy: RetryPolicy, outcomes: Sequence[Outcome], *, seconds: float = 0
) -> list[float | None]:
    """What is decided after each attempt, when each takes so long, up to the last one."""
    call, now = call_of(policy), STARTED
    waits: list[float | None] = []
    for outcome in outcomes:
        now += seconds
        wait = call.wait_after(outcome, None, None, now)
        waits.append(wait)
        if wait is None:
            break
        now += wait
    return waits


def responses(*status_codes: int) -> list[httpx.Response]:
    return [httpx.Response(status_code) for status_code in status_codes]


class AsyncCallable:
    async def __call__(self, retry_state: RetryCallState) -> bool:
        return False


async def coroutine_function(retry_state: RetryCallState) -> bool:
    return False


# Typed as anything: what is refused here a type checker refuses as well.
COROUTINE_FUNCTIONS: dict[str, Any] = {
    "function": coroutine_function,
    "partial": functools.partial(coroutine_function),
    "partials": functools.partial(functools.partial(coroutine_function)),
    "object": AsyncCallable(),
    "method": AsyncCallable().__call__,
    "of object": functools.partial(AsyncCallable()),
    "ours": retry_if_status(503) | coroutine_function,  # type: ignore[operator]
    "theirs": tenacity.retry_any(coroutine_function),  # type: ignore[arg-type]
    "stops": tenacity.stop_any(coroutine_function),  # type: ignore[arg-type]
    "waits": tenacity.wait_combine(coroutine_function),  # type: ignore[arg-type]
    "sum": wait_retry_after() + coroutine_function,  # type: ignore[operator]
    "chain": tenacity.wait_chain(coroutine_function),  # type: ignore[arg-type]
}
CLASSES: dict[str, tuple[Any, str]] = {
    "status": (retry_if_status, "retry_if_status"),
    "transport error": (retry_if_transport_error, "retry_if_transport_error"),
    "retry after": (wait_retry_after, "wait_retry_after"),
    "their retry": (tenacity.retry_if_exception_type, "retry_if_exception_type"),
    "their stop": (tenacity.stop_after_attempt, "stop_after_attempt"),
    "their wait": (tenacity.wait_fixed, "wait_fixed"),
    "in ours": (retry_if_status(503) | retry_if_transport_error, "retry_if_transport_error"),
    "in theirs": (
        tenacity.retry_any(tenacity.retry_if_exception_type),  # type: ignore[arg-type]
        "retry_if_exception_type",
    ),
    "in a stop": (tenacity.stop_after_attempt(3) | tenacity.stop_after_delay, "stop_after_delay"),
    "in a sum": (
        wait_retry_after() + tenacity.wait_fixed,  # type: ignore[operator]
        "wait_fixed",
    ),
}


class TestRetryPolicy:
    def test_alone_does_what_its_documentation_says(self) -> None:
        policy = RetryPolicy()
        assert repr(policy.retry) == (
            "retry_if_status(429, 502, 503, 504) | retry_if_transport_error()"
        )
        assert repr(policy.wait) == "wait_retry_after(None, max=120)"
        assert policy.deadline is None
        assert policy.methods == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"}
        assert policy.max_replay == 2**20
        assert policy.before_sleep is None

    def test_alone_stops_after_four_attempts(self) -> None:
        policy = RetryPolicy(wait=tenacity.wait_fixed(1))
        assert waits_after(policy, responses(*[503] * 9)) == [1, 1, 1, None]

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            RetryPolicy().deadline = 5  # type: ignore[misc]

    def test_has_no_positional_arguments(self) -> None:
        with pytest.raises(TypeError):
            RetryPolicy(retry_if_status(503))  # type: ignore[call-arg]

    def test_is_equal_to_another_of_the_same_settings(self) -> None:
        assert RetryPolicy() == RetryPolicy(methods=RetryPolicy().methods)
        assert hash(RetryPolicy(deadline=3)) == hash(RetryPolicy(deadline=3))
        assert RetryPolicy() != RetryPolicy(deadline=3)

    def test_can_be_derived_from_another(self) -> None:
        policy = RetryPolicy(deadline=3, methods=["get"])
        derived = dataclasses.replace(policy, deadline=5)
        assert (derived.deadline, derived.methods) == (5, {"GET"})
        assert policy.deadline == 3

    def test_derived_from_another_is_checked_too(self) -> None:
        with pytest.raises(ValueError, match=r"^deadline must be"):
            dataclasses.replace(RetryPolicy(), deadline=-5)

    @pytest.mark.parametrize(
        "methods", [["get", "Post"], {"GET", "POST"}, ("post", "get"), {"get": 1, "post": 2}]
    )
    def test_knows_methods_in_any_collection_and_spelling(self, methods: Any) -> None:
        assert RetryPolicy(methods=methods).methods == {"GET", "POST"}

    def test_does_not_see_later_changes_of_its_methods(self) -> None:
        methods = ["GET"]
        policy = RetryPolicy(methods=methods)
        methods.append("POST")
        assert policy.methods == {"GET"}

    @pytest.mark.parametrize("methods", ["", "GET", b"", b"GET"])
    def test_refuses_methods_in_one_string(self, methods: Any) -> None:
        text = r"^methods must be a set such as {'GET', 'PUT'}, not "
        with pytest.raises(TypeError, match=text):
            RetryPolicy(methods=methods)

    @pytest.mark.parametrize("methods", [None, 5, iter(["GET"]), (m for m in ["GET"])])
    def test_refuses_methods_in_no_collection(self, methods: Any) -> None:
        with pytest.raises(TypeError, match=r"^methods must be a set such as {'GET', 'PUT'}, not "):
            RetryPolicy(methods=methods)

    @pytest.mark.parametrize("methods", [[1], [None], ["GET", 1]])
    def test_refuses_methods_that_are_none(self, methods: Any) -> None:
        with pytest.raises(TypeError, match=r"^methods must be strings such as 'GET', not "):
            RetryPolicy(methods=methods)

    def test_refuses_methods_in_bytes(self) -> None:
        with pytest.raises(TypeError, match=r"^methods must be strings such as 'GET', not b'GET'$"):
            RetryPolicy(methods=[b"GET"])  # type: ignore[list-item]

    @pytest.mark.parametrize("deadline", [0, -1, -0.001, math.nan, -math.inf])
    def test_refuses_a_deadline_that_is_no_time(self, deadline: float) -> None:
        with pytest.raises(ValueError, match=r"^deadline must be above 0 seconds, not "):
            RetryPolicy(deadline=deadline)

    def test_refuses_to_keep_less_than_nothing(self) -> None:
        with pytest.raises(ValueError, match=r"^max_replay must be 0 or more bytes, not "):
            RetryPolicy(max_replay=-1)

    @pytest.mark.parametrize("value", ["5", [5], object(), True])
    def test_refuses_a_deadline_that_is_no_number(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"^deadline must be a number of seconds, not "):
            RetryPolicy(deadline=value)

    @pytest.mark.parametrize("value", ["5", [5], None, 1.5, math.nan, True])
    def test_refuses_to_keep_what_is_no_whole_number_of_bytes(self, value: Any) -> None:
        with pytest.raises(TypeError, match=r"^max_replay must be a whole number of bytes, not "):
            RetryPolicy(max_replay=value)

    @pytest.mark.parametrize("name", CALLABLES)
    @pytest.mark.parametrize("value", [True, 503, "503", (), tenacity])
    def test_refuses_a_strategy_that_cannot_be_called(self, name: str, value: Any) -> None:
        with pytest.raises(TypeError, match=rf"^{name} must be a callable such as .*, not "):
            RetryPolicy(**{name: value})

    @pytest.mark.parametrize("name", CALLABLES[:3])
    def test_refuses_to_be_without_a_strategy(self, name: str) -> None:
        settings: dict[str, Any] = {name: None}
        with pytest.raises(TypeError, match=rf"^{name} must be a callable such as .*, not None$"):
            RetryPolicy(**settings)

    @pytest.mark.parametrize(("kind", "name"), thinned(COROUTINE_FUNCTIONS, CALLABLES))
    def test_refuses_a_coroutine_function(self, name: str, kind: str) -> None:
        with pytest.raises(TypeError, match=rf"^{name} must not be a coroutine function"):
            RetryPolicy(**{name: COROUTINE_FUNCTIONS[kind]})

    @pytest.mark.parametrize(("where", "name"), thinned(CLASSES, CALLABLES))
    def test_refuses_the_class_of_a_strategy(self, name: str, where: str) -> None:
        strategy, named = CLASSES[where]
        text = f"{name}: {named} is a class: write {named}(...)"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            RetryPolicy(**{name: strategy})

    @pytest.mark.parametrize("name", CALLABLES)
    @pytest.mark.parametrize("strategy", [tenacity.before_sleep_log, lambda: True])
    def test_refuses_what_takes_no_state(self, name: str, strategy: Any) -> None:
        text = rf"^{name} is called with one argument, a RetryCallState, which .* does not take: "
        with pytest.raises(TypeError, match=text):
            RetryPolicy(**{name: strategy})

    def test_refuses_a_maker_of_log_lines_with_what_to_write(self) -> None:
        text = r"write a callable such as tenacity\.before_sleep_log\(logger, logging\.INFO\)$"
        with pytest.raises(TypeError, match=text):
            RetryPolicy(before_sleep=tenacity.before_sleep_log)  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", CALLABLES)
    def test_takes_functions_objects_and_partials(self, name: str) -> None:
        def function(retry_state: RetryCallState) -> float:
            return 1

        for strategy in (function, functools.partial(function), tenacity.wait_fixed(1)):
            settings: dict[str, Any] = {name: strategy}
            assert getattr(RetryPolicy(**settings), name) is strategy


class TestThePolicyOfARequest:
    @pytest.mark.parametrize("policy", [None, RetryPolicy(), RetryPolicy(deadline=3)])
    def test_is_what_it_brings_along(self, policy: RetryPolicy | None) -> None:
        assert policy_for({"retry": policy}, RetryPolicy()) is policy

    @pytest.mark.parametrize("policy", [True, False, 3, {}, RetryPolicy])
    def test_is_refused_where_it_is_none(self, policy: object) -> None:
        with pytest.raises(TypeError, match=r'^extensions\["retry"\] must be a RetryPolicy, or '):
            policy_for({"retry": policy}, RetryPolicy())


class TestAResponse:
    def test_is_retried_by_default_for_four_codes(self) -> None:
        policy = patient()
        waits = {code: wait_after(httpx.Response(code), policy) for code in range(600)}
        retried = {status_code for status_code, wait in waits.items() if wait is not None}
        assert retried == {429, 502, 503, 504}

    @given(st.integers(100, 399))
    def test_below_400_is_not_even_asked_about(self, status_code: int) -> None:
        def fail(retry_state: RetryCallState) -> bool:
            raise AssertionError("asked")

        policy = RetryPolicy(retry=fail, stop=fail, wait=fail)
        assert wait_after(httpx.Response(status_code), policy) is None

    @pytest.mark.parametrize("status_code", [400, 404, 599])
    def test_from_400_is_the_strategys_to_judge(self, status_code: int) -> None:
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
        call.wait_after(httpx.Response(503), None, None, STARTED)
        call.wait_after(error, None, None, STARTED)
        extensions = {"http_version": b"HTTP/1.1"}
        response = httpx.Response(200, extensions=extensions)
        assert call.wait_after(response, None, None, STARTED) is None
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
            (1, 0.25, "transportkit: 1 attempt in 0.2 seconds"),
            (2, 1, "transportkit: 2 attempts in 3.0 seconds"),
            (4, 0, "transportkit: 4 attempts in 3.0 seconds"),
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


def heard(*methods: bytes) -> Watch:
    """A watch that heard of requests being sent, or only of a connection."""
    watch = SentWatch(None)
    watch("connection.connect_tcp.started", {})
    for method in methods:
        request = type("Request", (), {"method": method})
        watch("http11.send_request_headers.started", {"request": request})
    return watch


class TestAnUnsafeMethod:
    """What has a watch: its method is not among the policy's."""

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
            (httpx.ConnectError(""), Watch(), True),
            (httpx.ProxyError(""), Watch(), True),
            (httpx.ReadError(""), Watch(), False),
            (httpx.Response(503), heard(b"POST"), False),
            # Somebody answered, though nobody was heard: it is no proof.
            (httpx.Response(503), heard(), False),
            (httpx.Response(503), Watch(), False),
        ],
    )
    def test_is_repeated_only_when_it_provably_never_arrived(
        self, outcome: Outcome, watch: Watch, repeated: bool
    ) -> None:
        wait = wait_after(outcome, request=self.POST, watch=watch)
        assert wait == (1 if repeated else None)
        assert wait_after(outcome, request=self.KEYED, watch=watch) == 1

    def test_is_still_the_strategys_to_judge(self) -> None:
        error = httpx.PoolTimeout("")
        assert wait_after(error, request=self.POST, watch=Watch()) is None
        assert wait_after(httpx.Response(500), request=self.KEYED, watch=heard(b"POST")) is None


class TestABodyThatIsLost:
    @staticmethod
    def replay(max_bytes: int) -> ReplayStream:
        replay = ReplayStream(httpx.ByteStream(b"abc"), max_bytes)
        list(replay)
        return replay

    @pytest.mark.parametrize("outcome", [httpx.Response(503), httpx.ConnectError("")])
    @pytest.mark.parametrize("watch", [None, heard()])
    def test_ends_the_call(self, outcome: Outcome, watch: Watch | None) -> None:
        assert wait_after(outcome, watch=watch, replay=self.replay(2)) is None

    def test_ends_it_even_with_an_idempotency_key(self) -> None:
        replay, request = self.replay(2), TestAnUnsafeMethod.KEYED
        assert wait_after(httpx.Response(503), None, request, Watch(), replay) is None

    def test_ends_nothing_while_it_is_kept(self) -> None:
        assert wait_after(httpx.Response(503), replay=self.replay(3)) == 1


class TestStopping:
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
        assert call.wait_after(httpx.Response(503), None, None, STARTED) == 1
        event.set()
        assert call.wait_after(httpx.Response(503), None, None, STARTED) is None


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
            wait = call.wait_after(httpx.Response(503), None, None, now)
            if wait is None:
                return
            assert now - STARTED + wait < deadline
            now += wait


class TestABudget:
    def test_that_is_spent_ends_the_call(self) -> None:
        buckets = Buckets(RetryBudget(capacity=2, per_second=0))
        call = call_of(patient(), buckets=buckets)
        waits = [call.wait_after(httpx.Response(503), None, None, STARTED) for _ in range(3)]
        assert waits == [1, 1, None]

    def test_is_shared_by_calls(self) -> None:
        buckets = Buckets(RetryBudget(capacity=2, per_second=0))
        calls = [call_of(patient(), buckets=buckets) for _ in range(3)]
        waits = [call.wait_after(httpx.Response(503), None, None, STARTED) for call in calls]
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
        assert call.wait_after(httpx.Response(503), None, None, STARTED) is None
        assert not buckets.by_origin

    def test_gets_something_back_for_a_success_after_a_retry(self) -> None:
        buckets = Buckets(RetryBudget(capacity=1, per_success=1, per_second=0))
        call = call_of(patient(), buckets=buckets)
        assert call.wait_after(httpx.Response(503), None, None, STARTED) == 1
        assert call.wait_after(httpx.Response(200), None, None, STARTED) is None
        assert not buckets.by_origin

    @pytest.mark.parametrize("outcome", [httpx.Response(404), ValueError()])
    def test_gets_nothing_back_for_a_failure(self, outcome: Outcome) -> None:
        buckets = Buckets(RetryBudget(capacity=1, per_success=1, per_second=0))
        call = call_of(patient(), buckets=buckets)
        assert call.wait_after(httpx.Response(503), None, None, STARTED) == 1
        assert call.wait_after(outcome, None, None, STARTED) is None
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
