"""Strategies as one would write them, tenacity's and ours, alone and combined."""

import functools
import logging
import re

import pytest
import tenacity
from support.transportkit import (
    RetryPolicy,
    retry_if_status,
    retry_if_transport_error,
    wait_retry_after,
)

from transportkit.retrying.notation import written


def accept(retry_state: object) -> bool:
    return True


WRITTEN = [
    (tenacity.stop_after_attempt(3), "stop_after_attempt(3)"),
    (
        tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(20.5),
        "stop_after_attempt(3) | stop_after_delay(20.5)",
    ),
    (
        tenacity.stop_all(tenacity.stop_never, tenacity.stop_before_delay(3)),
        "stop_never & stop_before_delay(3)",
    ),
    (
        (retry_if_status(503) | tenacity.retry_if_exception_type(OSError)) & accept,
        "(retry_if_status(503) | retry_if_exception_type(OSError)) & accept",
    ),
    (tenacity.wait_fixed(2) + tenacity.wait_random(1, 4), "wait_fixed(2) + wait_random(1, 4)"),
    (wait_retry_after() + tenacity.wait_fixed(1), "wait_retry_after() + wait_fixed(1)"),
    (wait_retry_after(tenacity.wait_fixed(2), max=9), "wait_retry_after(wait_fixed(2), max=9)"),
    (
        tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_none()),
        "wait_chain(wait_fixed(1), wait_none())",
    ),
    (tenacity.wait_exponential(multiplier=2, min=1), "wait_exponential(2, min=1)"),
    (tenacity.wait_exponential_jitter(max=5), "wait_exponential_jitter(max=5)"),
    (
        tenacity.retry_if_exception_type((TimeoutError, OSError)),
        "retry_if_exception_type((TimeoutError, OSError))",
    ),
    (tenacity.retry_if_result(accept), "retry_if_result(accept)"),
    (tenacity.before_sleep_log(logging.getLogger("x"), logging.INFO), "log_it"),
    (functools.partial(accept, retry_state=3), "partial(accept, retry_state=3)"),
    (frozenset({"PUT", "GET"}), "{'GET', 'PUT'}"),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN, ids=[text for _, text in WRITTEN])
def test_it_is_what_one_would_type(value: object, text: str) -> None:
    assert written(value) == text


def test_a_policy_is_written_with_what_differs_from_the_default() -> None:
    assert repr(RetryPolicy()) == "RetryPolicy()"
    policy = RetryPolicy(
        retry_if_status(503) | retry_if_transport_error(),
        stop=tenacity.stop_after_attempt(2),
        methods={"put", "GET"},
        deadline=10,
    )
    assert repr(policy) == (
        "RetryPolicy(retry=retry_if_status(503) | retry_if_transport_error(), "
        "stop=stop_after_attempt(2), deadline=10, methods={'GET', 'PUT'})"
    )
    assert not re.search(" at 0x", repr(RetryPolicy(lambda retry_state: True)))
