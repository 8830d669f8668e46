"""Which connection takes a request: the decisions, without any network."""

import gc
import math
import threading
import weakref
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from transportkit.network.connection import Connection, Origin, Waiter
from transportkit.network.pool import Pool
from transportkit.network.timetable import Timetable

A: Origin = ("https", b"a.example", None)
B: Origin = ("https", b"b.example", None)
C: Origin = ("http", b"c.example", 8080)
ME, OTHER = 1, 2


def pool(most: int | None = 2, idle: int | None = None, expiry: float | None = None) -> Pool[str]:
    return Pool(most, idle, expiry, Timetable())


def take(
    it: Pool[str], origin: Origin = A, holder: int = ME, *, shares: bool = False
) -> Connection[str]:
    """A connection that the pool has at once, ready as the shells make it."""
    connection = it.acquire(origin, holder, shares)
    assert connection is not None
    ready(it, connection)
    return connection


def ready(it: Pool[str], connection: Connection[str]) -> None:
    evicted, connection.evicted = connection.evicted, None
    if evicted is not None:
        evicted.transport = None
    connection.transport = connection.transport or "made"


def give_back(it: Pool[str], connection: Connection[str], now: float = 0) -> None:
    closing = it.release(connection, now)
    if closing is not None:
        it.closed(closing)


def queue(it: Pool[str], origin: Origin = A, holder: int = ME) -> tuple[Waiter[str], list[int]]:
    woken: list[int] = []
    waiter = Waiter[str](origin, holder, lambda: woken.append(1))
    assert it.acquire(origin, holder, False, waiter) is None
    return waiter, woken


class TestChoice:
    def test_takes_the_one_of_the_origin_that_was_used_last(self) -> None:
        it = pool(3)
        first, second, third = take(it), take(it), take(it)
        for connection in (first, third, second):
            give_back(it, connection)
        assert [take(it), take(it), take(it)] == [second, third, first]

    def test_opens_another_beside_an_idle_one_of_another_origin(self) -> None:
        it = pool()
        first = take(it, A)
        give_back(it, first)
        second = it.acquire(B, ME, False)
        assert second is not None
        assert second.evicted is None
        assert take(it, A) is first

    def test_makes_room_by_the_idle_one_that_was_used_least_recently(self) -> None:
        it = pool(3)
        first, second, third = take(it, A), take(it, B), take(it, B)
        for connection in (second, first, third):
            give_back(it, connection)
        made = it.acquire(C, ME, False)
        assert made is not None
        assert made.evicted is second
        assert take(it, B) is third

    def test_has_none_when_all_are_busy(self) -> None:
        it = pool(1)
        take(it)
        assert it.acquire(A, ME, False) is None
        assert it.acquire(B, ME, False) is None

    def test_has_as_many_as_one_likes_without_a_limit(self) -> None:
        it = pool(None)
        assert len({take(it) for _ in range(500)}) == 500


class TestTheQueue:
    def test_is_served_in_order_by_hand_over(self) -> None:
        it = pool(1)
        connection = take(it)
        (first, _), (second, _) = queue(it), queue(it)
        assert it.release(connection, 0) is None
        assert (it.settle(first), second.connection) == (connection, None)
        assert it.release(connection, 0) is None
        assert it.settle(second) is connection

    def test_wakes_who_has_been_served(self) -> None:
        it = pool(1)
        connection = take(it)
        _, woken = queue(it)
        assert woken == []
        it.release(connection, 0)
        assert woken == [1]

    def test_lets_nobody_overtake(self) -> None:
        it = pool(1)
        connection = take(it, A)
        waiter, _ = queue(it, B)
        assert it.acquire(A, ME, False) is None
        it.release(connection, 0)
        assert it.acquire(A, ME, False) is None
        made = it.settle(waiter)
        assert made is not None
        assert (made.origin, made.evicted) == (B, connection)

    def test_is_left_by_who_gives_up(self) -> None:
        it = pool(1)
        connection = take(it)
        (first, woken), (second, _) = queue(it), queue(it)
        assert it.settle(first) is None
        it.release(connection, 0)
        assert (woken, it.settle(second)) == ([], connection)

    def test_is_not_joined_when_something_has_become_free(self) -> None:
        it = pool(1)
        connection = take(it)
        give_back(it, connection)
        waiter = Waiter[str](A, ME, lambda: None)
        assert it.acquire(A, ME, False, waiter) is connection
        assert it.settle(waiter) is None

    def test_is_given_the_place_of_what_was_closed(self) -> None:
        it = pool(1)
        connection = take(it)
        waiter, _ = queue(it)
        it.retire(connection)
        assert it.release(connection, 0) is connection
        assert waiter.connection is None
        it.closed(connection)
        made = it.settle(waiter)
        assert made not in (None, connection)


class TestKeepAlive:
    def test_counts_idle_ones_only(self) -> None:
        it = pool(10, idle=2)
        busy = [take(it) for _ in range(5)]
        assert [it.release(connection, 0) for connection in busy] == [None, None, *busy[:3]]

    def test_of_none_closes_each(self) -> None:
        it = pool(10, idle=0)
        connection = take(it)
        assert it.release(connection, 0) is connection

    def test_ends_when_its_time_is_over(self) -> None:
        it = pool(expiry=5)
        first, second = take(it), take(it)
        it.release(first, 10)
        it.release(second, 12)
        assert it.timetable.due == 15
        assert it.expire(14) == []
        assert it.expire(15) == [first]
        assert it.expire(100) == [second]

    def test_begins_anew_with_each_use(self) -> None:
        it = pool(expiry=5)
        connection = take(it)
        it.release(connection, 10)
        take(it)
        it.release(connection, 14)
        assert it.expire(15) == []
        assert it.expire(19) == [connection]

    def test_without_an_end_asks_for_no_look(self) -> None:
        it = pool(expiry=None)
        it.release(take(it), 10)
        assert it.timetable.due == math.inf

    def test_is_looked_after_once_for_all_pools(self) -> None:
        timetable: Timetable[Pool[str]] = Timetable()
        pools: list[Pool[str]] = [Pool(2, None, expiry, timetable) for expiry in (5, 3, 9)]
        for it in pools:
            it.release(take(it), 0)
        assert timetable.due == 3
        assert timetable.take(2) is None
        assert [timetable.take(5), timetable.take(5)] == [pools[1], pools[0]]
        assert timetable.take(5) is None
        assert timetable.due == 9
        pools[0].expire(2)
        assert timetable.due == 5

    def test_of_a_pool_that_is_gone_is_forgotten(self) -> None:
        timetable: Timetable[Pool[str]] = Timetable()
        it: Pool[str] = Pool(2, None, 5, timetable)
        it.release(take(it), 0)
        del it
        gc.collect()
        assert timetable.take(10) is None

    def test_goes_over_to_another_timetable(self) -> None:
        it = pool(expiry=5)
        it.release(take(it), 0)
        other: Timetable[Pool[str]] = Timetable()
        it.keep_time(other)
        it.keep_time(other)
        it.release(take(it), 1)
        assert other.take(6) is it


class TestSharing:
    def shared(self, it: Pool[str], holder: int = ME) -> Connection[str]:
        connection = take(it, holder=holder, shares=True)
        assert isinstance(connection, Connection)
        it.answered(connection, True)
        return connection

    def test_is_for_requests_of_one_holder(self) -> None:
        it = pool()
        connection = self.shared(it)
        assert take(it, shares=True) is connection
        assert take(it, holder=OTHER, shares=True) is not connection
        assert connection.requests == 2

    def test_is_for_those_that_may(self) -> None:
        it = pool()
        assert self.shared(it) is not take(it, shares=False)

    def test_is_possible_while_it_connects_if_offered(self) -> None:
        it = pool()
        connection = take(it, shares=True)
        assert take(it, shares=True) is not connection
        it.offer(connection)
        assert take(it, shares=True) is connection

    def test_ends_when_it_turns_out_to_be_http1(self) -> None:
        it = pool(3)
        connection = take(it, shares=True)
        it.offer(connection)
        take(it, shares=True)
        it.answered(connection, False)
        assert take(it, shares=True) is not connection
        it.release(connection, 0)
        it.release(connection, 0)
        assert take(it, shares=True) is connection

    def test_ends_when_it_is_refused_and_the_connection_with_it(self) -> None:
        it = pool()
        connection = self.shared(it)
        take(it, shares=True)
        it.refuse(connection)
        assert it.release(connection, 0) is None
        assert take(it, shares=True) is not connection
        assert it.release(connection, 0) is connection

    def test_ends_not_when_it_is_refused_before_the_first_answer(self) -> None:
        it = pool()
        connection = take(it, shares=True)
        it.offer(connection)
        take(it, shares=True)
        it.refuse(connection)
        it.release(connection, 0)
        assert not connection.is_retired
        it.answered(connection, True)
        assert take(it, shares=True) is connection

    def test_goes_on_after_idling(self) -> None:
        it = pool()
        connection = self.shared(it)
        it.release(connection, 0)
        assert take(it, holder=OTHER, shares=True) is connection
        assert take(it, holder=OTHER, shares=True) is connection
        assert take(it, holder=ME, shares=True) is not connection

    def test_serves_all_that_wait_for_the_origin(self) -> None:
        it = pool(1)
        connection = take(it, shares=True)
        mine, others, elsewhere = queue(it), queue(it, holder=OTHER), queue(it, B)
        it.answered(connection, True)
        given = [waiter.connection for waiter, _ in (mine, others, elsewhere)]
        assert given == [connection, None, None]
        for _ in range(2):
            it.release(connection, 0)
        assert others[0].connection is connection
        assert elsewhere[0].connection is None

    def test_goes_on_with_who_waited(self) -> None:
        it = pool(1)
        connection = self.shared(it)
        other, _ = queue(it, holder=OTHER)
        it.release(connection, 0)
        assert other.connection is connection
        assert take(it, holder=OTHER, shares=True) is connection

    def test_is_over_once_retired(self) -> None:
        it = pool()
        connection = self.shared(it)
        take(it, shares=True)
        it.retire(connection)
        it.offer(connection)
        assert take(it, shares=True) is not connection
        assert it.release(connection, 0) is None
        assert it.release(connection, 0) is connection


class TestEnds:
    def test_all_retire_the_idle_at_once(self) -> None:
        it = pool()
        busy, idle = take(it), take(it, B)
        it.release(idle, 0)
        assert it.retire_all() == [idle]
        it.closed(idle)
        assert it.release(busy, 0) is busy
        it.closed(busy)
        assert repr(it) == "<Pool: 0 connections, 0 idle, 0 waiting>"

    def test_closing_forgets_what_is_in_flight(self) -> None:
        it = pool()
        busy, idle = take(it), take(it, B)
        it.release(idle, 0)
        assert set(it.close()) == {busy, idle}
        it.closed(busy)
        it.closed(idle)
        assert take(it) is not busy
        assert it.release(busy, 0) is busy
        it.closed(busy)
        assert repr(it) == "<Pool: 1 connections, 0 idle, 0 waiting>"

    def test_closing_makes_room_for_who_waits(self) -> None:
        it = pool(1)
        busy = take(it)
        waiter, woken = queue(it)
        assert it.close() == [busy]
        it.closed(busy)
        assert woken == [1]
        assert it.settle(waiter) is not busy

    def test_a_child_process_starts_afresh(self) -> None:
        it = pool(1, expiry=5)
        busy = take(it)
        queue(it)
        it.renew()
        assert it.release(busy, 0) is None
        assert take(it) is not busy
        it.timetable.renew()
        assert it.timetable.due == math.inf

    def test_a_child_process_leaves_open_what_its_parent_uses(self) -> None:
        # The end of a TLS connection, say, is told to the peer by whoever closes it.
        it: Pool[Any] = pool()
        connection: Connection[Any] | None = take(it)
        assert connection is not None
        transport = connection.transport = threading.Event()
        used = weakref.ref(transport)
        del transport, connection
        it.renew()
        gc.collect()
        assert used() is not None

    def test_a_child_process_retires_what_its_parent_shares(self) -> None:
        it = pool()
        inherited, own = take(it, shares=True), take(it, B, shares=True)
        it.answered(inherited, True)
        it.answered(own, True)
        it.renew()
        assert it.acquire(A, ME, True) is not inherited
        it.retire(inherited)
        assert not inherited.is_shared


class Machine(RuleBasedStateMachine):
    """Any order of what shells do; what must hold, holds after each."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.most = 3
        self.it = pool(self.most, idle=2, expiry=5)
        self.flying: list[Connection[str]] = []
        self.waiting: list[tuple[Waiter[str], list[int]]] = []
        self.closing: list[Connection[str]] = []

    def arrived(self, connection: Connection[str] | None) -> None:
        assert connection is not None
        ready(self.it, connection)
        if connection.is_http2 is None:
            self.it.offer(connection)
        self.flying.append(connection)

    @rule(
        origin=st.sampled_from([A, B, C]), holder=st.sampled_from([ME, OTHER]), share=st.booleans()
    )
    def ask(self, origin: Origin, holder: int, share: bool) -> None:
        connection = self.it.acquire(origin, holder, share)
        if connection is None:
            woken: list[int] = []
            waiter = Waiter[str](origin, holder, lambda: woken.append(1))
            assert self.it.acquire(origin, holder, share, waiter) is None
            self.waiting.append((waiter, woken))
        else:
            assert connection.origin == origin
            assert connection.holder == holder
            self.arrived(connection)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def stop_waiting(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(entry)
        waiter, woken = entry
        connection = self.it.settle(waiter)
        assert bool(woken) == (connection is not None)
        if connection is not None:
            assert connection.origin == waiter.origin
            self.arrived(connection)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), is_http2=st.booleans(), how=st.sampled_from(["", "retire", "refuse"]))
    def finish(self, data: st.DataObject, is_http2: bool, how: str) -> None:
        connection = data.draw(st.sampled_from(self.flying))
        if connection.is_http2 is None and how != "refuse":
            assume(is_http2 or connection.requests == 1)
            self.it.answered(connection, is_http2)
        if how:
            getattr(self.it, how)(connection)
        self.flying.remove(connection)
        closing = self.it.release(connection, self.now)
        self.closing += [] if closing is None else [closing]

    @precondition(lambda self: self.closing)
    @rule()
    def close_one(self) -> None:
        self.it.closed(self.closing.pop(0))

    @rule(seconds=st.floats(0.1, 4))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds
        while (it := self.it.timetable.take(self.now)) is not None:
            self.closing += it.expire(self.now)

    @rule()
    def retire_all(self) -> None:
        self.closing += self.it.retire_all()

    @rule()
    def close_all(self) -> None:
        self.closing += self.it.close()

    @invariant()
    def no_more_than_there_may_be(self) -> None:
        counted = len({id(each) for each in self.closing if each.is_counted})
        assert self.it._taken == len(self.it._connections) + counted
        assert self.it._taken <= self.most
        assert len(self.it._idle) <= 2

    @invariant()
    def nobody_waits_beside_what_is_free(self) -> None:
        if any(waiter.connection is None for waiter, _ in self.waiting):
            assert not self.it._idle
            assert self.it._taken == self.most

    @invariant()
    def what_is_idle_is_in_order_and_in_time(self) -> None:
        expiries = [connection.expires for connection in self.it._idle]
        assert expiries == sorted(expiries)
        assert all(self.now < expires for expires in expiries)
        assert sum(map(len, self.it._idle._by_origin.values())) == len(self.it._idle)
        assert all(self.it._idle._by_origin.values())
        assert all(self.it._shared._by_origin.values())


TestAnyOrder = Machine.TestCase


@pytest.mark.parametrize("count", [10, 1000])
def test_a_decision_looks_at_few_connections_however_many_there_are(count: int) -> None:
    looked: list[int] = []

    class Counting(Connection[str]):
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            looked.append(1)
            return super().__getattribute__(name)

    it = pool(None, idle=None)
    kept = [take(it) for _ in range(count)]
    for connection in kept:
        connection.__class__ = Counting
        it.release(connection, 0)
    looked.clear()
    it.release(take(it), 0)
    assert len(looked) < 40
