"""Who is next: exact shares, no bursts, nobody forgotten."""

import itertools
import random
from collections import Counter
from collections.abc import Collection
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from support.seats import Seat, seats

from transportkit.rotation.orders import LeastBusy, Order, RoundRobin


def turns(order: Order[Seat], count: int, tried: Collection[Seat] = ()) -> list[str]:
    return [str(order.pick(tried, None)) for _ in range(count)]


def joined(order: Order[Seat], members: Collection[Seat]) -> Order[Seat]:
    for member in members:
        order.join(member)
    return order


WEIGHTS = st.lists(st.integers(1, 12), min_size=1, max_size=8)


class TestRoundRobin:
    def test_without_weights_goes_around(self) -> None:
        order = joined(RoundRobin(), seats([1, 1, 1]))
        assert turns(order, 7) == ["s0", "s1", "s2", "s0", "s1", "s2", "s0"]

    def test_spreads_the_turns_of_a_heavy_one(self) -> None:
        order = joined(RoundRobin(), seats([2, 1, 1]))
        assert turns(order, 8) == ["s0", "s1", "s2", "s0"] * 2

    @given(WEIGHTS, st.integers(1, 4))
    def test_is_exact_over_a_period(self, weights: list[int], periods: int) -> None:
        members = seats(weights)
        order = joined(RoundRobin(), members)
        for _ in range(periods):
            counts = Counter(turns(order, sum(weights)))
            assert counts == {member.label: member.weight for member in members}

    @given(WEIGHTS)
    def test_is_never_far_from_each_share(self, weights: list[int]) -> None:
        members = seats(weights)
        order = joined(RoundRobin(), members)
        counts: Counter[str] = Counter()
        for number, label in enumerate(turns(order, 2 * sum(weights)), 1):
            counts[label] += 1
            for member in members:
                share = Fraction(number * int(member.weight), sum(weights))
                assert abs(counts[member.label] - share) < 2

    def test_takes_fractions(self) -> None:
        order = joined(RoundRobin(), seats([0.5, 1.5]))
        assert Counter(turns(order, 400)) == {"s0": 100, "s1": 300}

    @given(WEIGHTS, st.integers(0, 40), st.data())
    def test_one_that_was_tried_loses_no_turn(
        self, weights: list[int], before: int, data: st.DataObject
    ) -> None:
        members = seats([*weights, 1])
        plain, other = joined(RoundRobin(), members), joined(RoundRobin(), members)
        assert turns(plain, before) == turns(other, before)
        tried = data.draw(st.lists(st.sampled_from(members), max_size=2))
        picked = other.pick(tried, None)
        upcoming = turns(plain, 30)
        # It has taken the first turn of somebody else, and nobody's place has changed.
        first = next((label for label in upcoming if label not in map(str, tried)), None)
        assert str(picked) == str(first)
        if first is not None:
            upcoming.remove(first)
            assert turns(other, len(upcoming)) == upcoming

    def test_has_nobody_when_all_were_tried(self) -> None:
        members = seats([1, 2])
        order = joined(RoundRobin(), members)
        assert order.pick(members, None) is None
        assert turns(order, 3) == ["s1", "s0", "s1"]

    def test_without_members_has_nobody(self) -> None:
        assert RoundRobin[Seat]().pick((), None) is None

    def test_one_that_is_banned_keeps_its_turn_for_others(self) -> None:
        members = seats([1, 1, 1])
        order = joined(RoundRobin(), members)
        assert order.pick((), lambda member: member is members[0]) is members[1]
        assert turns(order, 4) == ["s0", "s2", "s0", "s1"]

    def test_one_that_is_banned_has_had_its_turn_after_a_while(self) -> None:
        members = seats([1, 1, 1])
        order = joined(RoundRobin(), members)
        looks = 0

        def is_banned(member: Seat) -> bool:
            nonlocal looks
            looks += 1
            return member is members[0]

        picked = [order.pick((), is_banned) for _ in range(30)]
        assert Counter(member.label for member in picked if member) == {"s1": 15, "s2": 15}
        # Its own turns come as often as those of the others, each with three looks.
        assert looks <= 30 + 3 * 16
        # Nothing has piled up that it would catch up with now.
        assert 9 <= Counter(turns(order, 30))["s0"] <= 12

    def test_one_that_is_banned_by_every_second_target_has_its_share_of_the_others(self) -> None:
        members = seats([1, 1, 1])
        order = joined(RoundRobin(), members)
        seen: Counter[str] = Counter()
        for _ in range(300):
            order.pick((), lambda member: member is members[0])
            (label,) = turns(order, 1)
            seen[label] += 1
        assert seen["s0"] >= 100

    def test_has_nobody_when_all_are_banned_and_goes_on_after_that(self) -> None:
        order = joined(RoundRobin(), seats([1, 5]))
        assert order.pick((), lambda member: True) is None
        assert Counter(turns(order, 60))["s0"] in (9, 10, 11)

    @given(st.integers(1, 30))
    def test_one_that_comes_back_has_missed_nothing(self, away: int) -> None:
        members = seats([1, 1, 1])
        order = joined(RoundRobin(), members)
        turns(order, 4)
        order.leave(members[1])
        assert Counter(turns(order, 2 * away)) == {"s0": away, "s2": away}
        order.join(members[1])
        counts = Counter(turns(order, 30))
        assert all(9 <= counts[member.label] <= 11 for member in members)

    def test_what_has_left_does_not_pile_up(self) -> None:
        members = seats([1] * 5)
        order = RoundRobin[Seat]()
        joined(order, members)
        for member in itertools.islice(itertools.cycle(members), 1000):
            order.leave(member)
            order.join(member)
        assert len(order) == 5
        assert len(order._heap) < 50
        assert sorted(turns(order, 5)) == ["s0", "s1", "s2", "s3", "s4"]


class TestLeastBusy:
    def order(self, members: list[Seat], seed: int = 0) -> LeastBusy[Seat]:
        order = LeastBusy[Seat](random.Random(seed).random)
        joined(order, members)
        return order

    def test_takes_the_less_busy_of_two(self) -> None:
        members = seats([1, 1])
        members[0].in_flight = 1
        assert set(turns(self.order(members), 20)) == {"s1"}

    def test_counts_for_the_weight(self) -> None:
        members = seats([4, 1])
        members[0].in_flight = 2
        assert set(turns(self.order(members), 20)) == {"s0"}

    @given(st.integers(0, 100))
    def test_spreads_what_is_in_flight(self, seed: int) -> None:
        members = seats([1] * 10)
        order = self.order(members, seed)
        for _ in range(100):
            member = order.pick((), None)
            assert member is not None
            member.in_flight += 1
        assert max(member.in_flight for member in members) <= 10 + 6

    def test_forgets_nobody_when_all_are_idle(self) -> None:
        for count in (2, 3, 10):
            counts = Counter(turns(self.order(seats([1] * count)), 100 * count))
            assert len(counts) == count
            assert min(counts.values()) > 50

    @given(st.integers(1, 6), st.data())
    def test_picks_who_is_neither_tried_nor_banned(self, count: int, data: st.DataObject) -> None:
        members = seats([1] * count)
        subset = st.lists(st.sampled_from(members), unique=True)
        tried, banned = data.draw(subset), data.draw(subset)
        free = set(members) - set(tried) - set(banned)
        picked = self.order(members).pick(tried, lambda member: member in banned)
        assert picked in free if free else picked is None

    @given(st.lists(st.integers(0, 5)))
    def test_knows_who_is_there(self, toggled: list[int]) -> None:
        members = seats([1] * 6)
        order = self.order([])
        there: set[Seat] = set()
        for number in toggled:
            (order.leave if members[number] in there else order.join)(members[number])
            there ^= {members[number]}
            assert len(order) == len(there)
            assert (order.pick((), None) in there) if there else order.pick((), None) is None
        assert {order.pick((), None) for _ in range(60 * len(there))} == there
