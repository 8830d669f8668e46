"""What retries are paid from: a token bucket for each origin."""

import dataclasses
import math
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import RetryBudget

from transportkit.retrying import budget as module
from transportkit.retrying.budget import Buckets

URL = httpx.URL("https://example.com/")
THREADS = 8
UNTIMED = RetryBudget(capacity=3, per_success=0.5, per_second=0)


def taken(buckets: Buckets, now: float, most: int, url: httpx.URL = URL) -> int:
    """How many retries can be paid for at one moment."""
    return sum(buckets.take(url, now) for _ in range(most))


class TestRetryBudget:
    def test_allows_by_default_a_hundred_at_once_and_a_fifth_of_the_traffic(self) -> None:
        budget = RetryBudget()
        assert (budget.capacity, budget.per_success, budget.per_second) == (100, 0.2, 10)

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            RetryBudget().capacity = 5  # type: ignore[misc]

    def test_takes_its_capacity_first_and_the_others_by_name(self) -> None:
        assert RetryBudget(5) == RetryBudget(capacity=5)
        with pytest.raises(TypeError):
            RetryBudget(5, 0.1)  # type: ignore[call-arg]

    def test_of_equal_settings_are_equal(self) -> None:
        assert RetryBudget(capacity=5) == dataclasses.replace(RetryBudget(), capacity=5)
        assert len({RetryBudget(), RetryBudget(capacity=100)}) == 1

    @pytest.mark.parametrize("capacity", [0, 0.99])
    def test_that_never_pays_for_one_retry_is_refused(self, capacity: float) -> None:
        with pytest.raises(ValueError, match=r"^capacity must be 1 or more, not .*: for no ret"):
            RetryBudget(capacity=capacity)

    @pytest.mark.parametrize("name", ["capacity", "per_success", "per_second"])
    @pytest.mark.parametrize("value", [-1, -0.001, math.nan, -math.inf])
    def test_that_shrinks_is_refused(self, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=rf"^{name} must be 0 or more tokens, not "):
            RetryBudget(**{name: value})

    @pytest.mark.parametrize("name", ["capacity", "per_success", "per_second"])
    @pytest.mark.parametrize("value", ["5", None, [5]])
    def test_of_what_is_no_number_is_refused(self, name: str, value: Any) -> None:
        with pytest.raises(TypeError, match=rf"^{name} must be a number of tokens, not "):
            RetryBudget(**{name: value})

    @pytest.mark.parametrize("budget", [{"capacity": 1}, {"per_success": 0, "per_second": 0}])
    def test_at_its_bounds_is_taken(self, budget: dict[str, float]) -> None:
        assert Buckets(RetryBudget(**budget)).take(URL, 0)


class TestABucket:
    def test_is_full_at_first_and_then_empty(self) -> None:
        assert taken(Buckets(UNTIMED), 0, 10) == 3

    def test_gives_no_part_of_a_retry(self) -> None:
        buckets = Buckets(RetryBudget(capacity=1.9, per_success=0, per_second=0))
        assert taken(buckets, 0, 10) == 1

    def test_is_filled_by_successes(self) -> None:
        buckets = Buckets(UNTIMED)
        taken(buckets, 0, 3)
        buckets.record_success(URL)
        assert not buckets.take(URL, 0)
        buckets.record_success(URL)
        assert taken(buckets, 0, 10) == 1

    def test_is_filled_by_time(self) -> None:
        buckets = Buckets(RetryBudget(capacity=3, per_second=2))
        taken(buckets, 100, 3)
        assert not buckets.take(URL, 100.25)
        assert taken(buckets, 101.5, 10) == 3
        assert taken(buckets, 102, 10) == 1

    def test_that_is_asked_in_vain_is_filled_all_the_same(self) -> None:
        # Whoever asks often must not keep it from filling.
        buckets = Buckets(RetryBudget(capacity=1, per_second=1))
        times = [step / 8 for step in range(33)]
        assert sum(buckets.take(URL, now) for now in times) == 5

    def test_holds_no_more_than_its_capacity(self) -> None:
        buckets = Buckets(RetryBudget(capacity=3, per_success=2, per_second=2))
        taken(buckets, 0, 2)
        assert taken(buckets, 1e9, 10) == 3
        for _ in range(10):
            buckets.record_success(URL)
        assert taken(buckets, 1e9, 10) == 3

    def test_that_is_full_again_is_forgotten(self) -> None:
        buckets = Buckets(UNTIMED)
        buckets.take(URL, 0)
        buckets.record_success(URL)
        assert buckets.by_origin
        buckets.record_success(URL)
        assert not buckets.by_origin
        assert taken(buckets, 0, 10) == 3

    def test_is_not_made_by_a_success(self) -> None:
        buckets = Buckets(UNTIMED)
        buckets.record_success(URL)
        assert not buckets.by_origin

    @pytest.mark.parametrize("name", ["capacity", "per_success", "per_second"])
    def test_may_be_without_bounds(self, name: str) -> None:
        buckets = Buckets(RetryBudget(**{name: math.inf}))
        assert taken(buckets, 0, 50) == 50
        buckets.record_success(URL)
        assert taken(buckets, 1, 50) == 50

    def test_of_no_budget_pays_for_everything_and_keeps_nothing(self) -> None:
        buckets = Buckets(None)
        assert taken(buckets, 0, 1000) == 1000
        buckets.record_success(URL)
        assert not buckets.by_origin


class TestAClockThatGoesBack:
    def test_takes_nothing_away(self) -> None:
        buckets = Buckets(RetryBudget(capacity=3, per_second=1))
        taken(buckets, 100, 1)
        assert taken(buckets, 0, 10) == 2

    def test_gives_no_second_its_worth_twice(self) -> None:
        # Threads look at the clock before they come to the bucket, so times come out of order.
        buckets = Buckets(RetryBudget(capacity=10, per_second=1))
        taken(buckets, 0, 10)
        assert taken(buckets, 2, 10) == 2
        assert taken(buckets, 0, 10) == 0
        assert taken(buckets, 2, 10) == 0


class TestOrigins:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/",
            "https://example.org/",
            "https://a.example.com/",
            "https://example.com:8443/",
        ],
    )
    def test_that_differ_do_not_share(self, url: str) -> None:
        buckets = Buckets(UNTIMED)
        taken(buckets, 0, 3)
        assert taken(buckets, 0, 10, httpx.URL(url)) == 3
        assert not buckets.take(URL, 0)

    @pytest.mark.parametrize(
        "url",
        [
            "https://example.com:443/",
            "https://EXAMPLE.com/path?query#fragment",
            "https://scott:tiger@example.com",
        ],
    )
    def test_that_are_the_same_share(self, url: str) -> None:
        buckets = Buckets(UNTIMED)
        taken(buckets, 0, 3)
        assert not buckets.take(httpx.URL(url), 0)

    def test_fill_only_their_own_bucket(self) -> None:
        buckets = Buckets(UNTIMED)
        other = httpx.URL("https://example.org/")
        taken(buckets, 0, 3)
        taken(buckets, 0, 3, other)
        for _ in range(6):
            buckets.record_success(other)
        assert not buckets.take(URL, 0)

    def test_are_kept_in_a_bounded_number_the_last_touched_ones(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_MAX_ORIGINS", 3)
        buckets = Buckets(UNTIMED)
        urls = [httpx.URL(f"https://{name}.example/") for name in "abcd"]
        for url in urls[:3]:
            taken(buckets, 0, 3, url)
        assert not buckets.take(urls[0], 0)
        taken(buckets, 0, 3, urls[3])
        assert len(buckets.by_origin) == 3
        assert not buckets.take(urls[0], 0)
        assert not buckets.take(urls[2], 0)
        assert buckets.take(urls[1], 0)

    def test_are_no_more_than_a_thousand_or_so(self) -> None:
        buckets = Buckets(UNTIMED)
        for number in range(1500):
            buckets.take(httpx.URL(f"https://h{number}.example/"), 0)
        assert len(buckets.by_origin) <= 1024


# Quarters are exact in binary, so that the sums below have no rounding to forgive.
quarters = st.integers(0, 20).map(lambda number: number / 4)


@given(
    capacity=st.integers(4, 20).map(lambda number: number / 4),
    per_success=quarters,
    per_second=quarters,
    steps=st.lists(
        st.tuples(st.sampled_from(["take", "succeed", "wait"]), st.sampled_from("ab"), quarters),
        max_size=60,
    ),
)
@example(1, 0, 1, [("take", "a", 0.0), ("wait", "a", 0.25), ("take", "a", 0.0)] * 5)
def test_retries_are_never_more_than_their_worth(
    capacity: float, per_success: float, per_second: float, steps: list[tuple[str, str, float]]
) -> None:
    budget = RetryBudget(capacity=capacity, per_success=per_success, per_second=per_second)
    buckets = Buckets(budget)
    urls = {name: httpx.URL(f"https://{name}.example/") for name in "ab"}
    now = started = 1000.0
    # What a bucket that knew everything would hold, in plain words.
    tokens = dict.fromkeys("ab", capacity)
    taken, succeeded = dict.fromkeys("ab", 0), dict.fromkeys("ab", 0)
    for step, name, seconds in steps:
        if step == "wait":
            now += seconds
            for each in tokens:
                tokens[each] = min(capacity, tokens[each] + seconds * per_second)
        elif step == "succeed":
            buckets.record_success(urls[name])
            succeeded[name] += 1
            tokens[name] = min(capacity, tokens[name] + per_success)
        elif buckets.take(urls[name], now):
            taken[name] += 1
            tokens[name] -= 1
            assert tokens[name] >= 0
        else:
            # Time is put in after the successes it came before: that may cost a part of
            # what they were worth, but a retry that can be paid for from time is paid for.
            assert tokens[name] < capacity
        most = capacity + per_success * succeeded[name] + per_second * (now - started)
        assert taken[name] <= most


def test_threads_never_take_more_than_there_is() -> None:
    buckets = Buckets(RetryBudget(capacity=100, per_success=0.25, per_second=0))
    barrier = threading.Barrier(THREADS)

    def work(_: int) -> int:
        barrier.wait()
        took = 0
        for turn in range(200):
            took += buckets.take(URL, 0)
            if turn % 4 == 3:
                buckets.record_success(URL)
        return took

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            took = sum(pool.map(work, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)
    given_back = THREADS * 50 * 0.25
    # Only what came back to a full bucket is lost, and it was full for the first few.
    assert 100 <= took <= 100 + given_back


def test_threads_may_fill_and_forget_at_once() -> None:
    buckets = Buckets(RetryBudget(capacity=1, per_success=1, per_second=0))
    barrier = threading.Barrier(THREADS)

    def work(number: int) -> int:
        barrier.wait()
        took = 0
        for _ in range(300):
            took += buckets.take(URL, 0)
            buckets.record_success(URL)
        return took

    with ThreadPoolExecutor(THREADS) as pool:
        took = sum(pool.map(work, range(THREADS)))
    assert THREADS <= took <= THREADS * 300 + 1
    assert not buckets.by_origin
