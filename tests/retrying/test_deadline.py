"""Timeouts that shrink: the smaller of the caller's and what is left, at each look."""

import math
import socket
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flavours import Flavour
from support.library import httpx
from support.raw import raw_server, read_head, wait_for_end

from transportkit.retrying import deadline as module
from transportkit.retrying.deadline import LiveTimeouts

OPERATIONS = ("connect", "read", "write", "pool")


class Clock(SimpleNamespace):
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    # Only what this module looks up: the event loops keep their own clock.
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_without_a_value_of_the_callers_all_is_what_is_left(clock: Clock) -> None:
    assert dict(LiveTimeouts(103, {})) == dict.fromkeys(OPERATIONS, 3)


def test_a_value_of_none_means_what_is_left(clock: Clock) -> None:
    assert LiveTimeouts(103, {"read": None})["read"] == 3


def test_the_smaller_value_counts_for_each_operation(clock: Clock) -> None:
    timeouts = LiveTimeouts(103, {"connect": 1, "read": 5, "write": None, "pool": 2.5})
    assert dict(timeouts) == {"connect": 1, "read": 3, "write": 3, "pool": 2.5}


def test_each_look_is_worked_out_anew(clock: Clock) -> None:
    timeouts = LiveTimeouts(103, {"read": 2})
    seen = []
    for now in (100, 101, 102, 102.5):
        clock.now = now
        seen.append(timeouts["read"])
    assert seen == [2, 2, 1, 0.5]


@pytest.mark.parametrize("now", [103, 104, 1e9])
def test_past_the_deadline_a_little_is_left_as_zero_would_not_block(
    clock: Clock, now: float
) -> None:
    timeouts = LiveTimeouts(103, {"read": 2})
    clock.now = now
    assert 0 < (timeouts["read"] or 0) <= 0.001


def test_it_is_a_mapping_of_the_four_operations(clock: Clock) -> None:
    timeouts = LiveTimeouts(103, {"read": 2, "other": 1})
    assert tuple(timeouts) == OPERATIONS
    assert len(timeouts) == 4
    assert "read" in timeouts
    assert timeouts.get("read") == 2
    assert timeouts == {"connect": 3, "read": 2, "write": 3, "pool": 3}


@pytest.mark.parametrize("operation", ["other", "timeout", "READ"])
def test_there_is_no_other_operation(clock: Clock, operation: str) -> None:
    timeouts = LiveTimeouts(103, {"other": 1})
    assert operation not in timeouts
    assert timeouts.get(operation) is None
    with pytest.raises(KeyError, match=operation):
        timeouts[operation]


def test_httpx_takes_it_for_timeouts(clock: Clock) -> None:
    timeouts = httpx.Timeout(**LiveTimeouts(103, {"read": 2}))
    assert timeouts == httpx.Timeout(3, read=2)


@given(
    own=st.none() | st.floats(min_value=0.001, max_value=1e6),
    deadline=st.floats(min_value=-1e6, max_value=1e6),
    now=st.floats(min_value=-1e6, max_value=1e6),
)
def test_no_timeout_is_longer_than_either_bound(
    own: float | None, deadline: float, now: float
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, "time", Clock(now=now))
        timeout = LiveTimeouts(deadline, {"read": own})["read"]
    assert timeout is not None
    assert 0 < timeout <= max(deadline - now, 0.001)
    assert own is None or timeout <= own


@pytest.mark.parametrize("deadline", [1e10, math.inf])
def test_a_deadline_may_be_as_far_off_as_one_likes(clock: Clock, deadline: float) -> None:
    with socket.socket() as plain:
        plain.settimeout(LiveTimeouts(deadline, {})["read"])


async def test_httpcore_is_bound_by_it(flavour: Flavour) -> None:
    def talk(connection: socket.socket) -> None:
        read_head(connection)
        wait_for_end(connection)

    # The deadline is long past, so each operation has the least time there is; the caller's
    # own connect timeout would not end this test.
    caller = {"connect": None, "read": None, "write": None, "pool": None}
    with raw_server(talk) as url:
        request = httpx.Request("GET", url)
        async with flavour.entered(flavour.HTTPTransport()) as transport:
            request.extensions["timeout"] = LiveTimeouts(0, caller)
            with pytest.raises(httpx.TimeoutException):
                await flavour.send(transport, request)
