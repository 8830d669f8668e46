"""The user's decisions: what a policy is by default, and what it refuses."""

import dataclasses
import functools
import math
import re
from typing import Any

import pytest
import tenacity
from support.library import httpx
from support.matrices import thinned
from support.transportkit import (
    RetryPolicy,
    retry_if_status,
    retry_if_transport_error,
    wait_retry_after,
)
from tenacity import RetryCallState

from transportkit.retrying.policy import policy_for

CALLABLES = ("retry", "stop", "wait", "before_sleep")
NEVER_AWAITED = ("stop", "wait", "before_sleep")


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
        assert repr(policy.wait) == "wait_retry_after()"
        assert policy.deadline is None
        assert policy.methods == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"}
        assert policy.max_replay == 2**20
        assert policy.before_sleep is None

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            RetryPolicy().deadline = 5  # type: ignore[misc]

    def test_takes_what_to_retry_first_and_the_others_by_name(self) -> None:
        retry, stop = retry_if_status(503), tenacity.stop_after_attempt(3)
        assert RetryPolicy(retry) == RetryPolicy(retry=retry)
        with pytest.raises(TypeError):
            RetryPolicy(retry, stop)  # type: ignore[call-arg]

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
        text = r"^methods must be a set such as {\*RetryPolicy\(\).methods, 'POST'}, not "
        with pytest.raises(TypeError, match=text):
            RetryPolicy(methods=methods)

    @pytest.mark.parametrize("methods", [None, 5, iter(["GET"]), (m for m in ["GET"])])
    def test_refuses_methods_in_no_collection(self, methods: Any) -> None:
        with pytest.raises(
            TypeError,
            match=r"^methods must be a set such as {\*RetryPolicy\(\).methods, 'POST'}, not ",
        ):
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

    @pytest.mark.parametrize(("kind", "name"), thinned(COROUTINE_FUNCTIONS, NEVER_AWAITED))
    def test_refuses_a_coroutine_function(self, name: str, kind: str) -> None:
        with pytest.raises(TypeError, match=rf"^{name} must not be a coroutine function"):
            RetryPolicy(**{name: COROUTINE_FUNCTIONS[kind]})

    @pytest.mark.parametrize("kind", ["theirs", "stops", "waits", "sum", "chain"])
    def test_refuses_a_coroutine_function_within_what_does_not_await_it(self, kind: str) -> None:
        with pytest.raises(TypeError, match=r"^retry must not be a coroutine function"):
            RetryPolicy(retry=COROUTINE_FUNCTIONS[kind])

    @pytest.mark.parametrize(
        ("retry", "asked"),
        [
            (RetryPolicy.retry, False),
            (retry_if_status(400), False),
            (retry_if_status(399, 503), True),
            (retry_if_transport_error() & retry_if_status(503, 429), False),
            (retry_if_transport_error() | (retry_if_status(503) & retry_if_status(202)), True),
            (retry_if_status(503) | (lambda state: False), True),
            (tenacity.retry_never, True),
        ],
    )
    def test_knows_whether_successes_matter(self, retry: Any, asked: bool) -> None:
        assert RetryPolicy(retry=retry).asks_about_successes is asked

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

        class Callable:
            __call__ = staticmethod(function)

        for strategy in (function, functools.partial(function), Callable()):
            settings: dict[str, Any] = {name: strategy}
            assert getattr(RetryPolicy(**settings), name) is strategy


class TestThePolicyOfARequest:
    @pytest.mark.parametrize("policy", [None, RetryPolicy(), RetryPolicy(deadline=3)])
    def test_is_what_it_brings_along(self, policy: RetryPolicy | None) -> None:
        given = {"retry": policy}
        assert policy_for(given, RetryPolicy(), httpx.BaseTransport) is policy

    @pytest.mark.parametrize("policy", [True, False, 3, {}, RetryPolicy])
    def test_is_refused_where_it_is_none(self, policy: object) -> None:
        with pytest.raises(TypeError, match=r'^extensions\["retry"\] must be a RetryPolicy, or '):
            policy_for({"retry": policy}, RetryPolicy(), httpx.BaseTransport)

    @pytest.mark.parametrize(
        "retry",
        [
            coroutine_function,
            retry_if_status(503) | coroutine_function,
            coroutine_function & retry_if_status(503),
            functools.partial(coroutine_function),
        ],
    )
    def test_has_coroutine_functions_in_async_transports_alone(self, retry: Any) -> None:
        given = {"retry": RetryPolicy(retry=retry)}
        default = RetryPolicy()
        assert policy_for(given, default, httpx.AsyncBaseTransport) is given["retry"]
        with pytest.raises(TypeError, match=r"^retry must not be a coroutine function in RetryT"):
            policy_for(given, default, httpx.BaseTransport)
