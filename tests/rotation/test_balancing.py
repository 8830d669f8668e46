"""The balancers: exact shares, no bursts, no member forgotten."""

import itertools
import random
from collections import Counter
from collections.abc import Collection
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from support.members import hold, make_members, name_of

from transportkit.rotation.balancing import LeastRequest, RoundRobin
from transportkit.rotation.member import Member

Balancer = RoundRobin | LeastRequest


def picks(balancer: Balancer, count: int, tried: Collection[Member] = ()) -> list[str]:
    picked = [balancer.pick(tried, None) for _ in range(count)]
    return ["None" if member is None else name_of(member) for member in picked]


def joined(balancer: Balancer, members: Collection[Member]) -> Balancer:
    for member in members:
        balancer.add(member)
    return balancer


WEIGHTS = st.lists(st.integers(1, 12), min_size=1, max_size=8)


class TestRoundRobin:
    def test_without_weights_goes_around(self) -> None:
        balancer = joined(RoundRobin(), make_members([1, 1, 1]))
        assert picks(balancer, 7) == ["m0", "m1", "m2", "m0", "m1", "m2", "m0"]

    def test_spreads_the_turns_of_a_heavy_one(self) -> None:
        balancer = joined(RoundRobin(), make_members([2, 1, 1]))
        assert picks(balancer, 8) == ["m0", "m1", "m2", "m0"] * 2

    @given(WEIGHTS, st.integers(1, 4))
    def test_is_exact_over_a_period(self, weights: list[int], periods: int) -> None:
        members = make_members(weights)
        balancer = joined(RoundRobin(), members)
        for _ in range(periods):
            counts = Counter(picks(balancer, sum(weights)))
            assert counts == {name_of(member): member.weight for member in members}

    @given(WEIGHTS)
    def test_is_never_far_from_each_share(self, weights: list[int]) -> None:
        members = make_members(weights)
        balancer = joined(RoundRobin(), members)
        counts: Counter[str] = Counter()
        for number, name in enumerate(picks(balancer, 2 * sum(weights)), 1):
            counts[name] += 1
            for member in members:
                share = Fraction(number * int(member.weight), sum(weights))
                assert abs(counts[name_of(member)] - share) < 2

    def test_takes_fractions(self) -> None:
        balancer = joined(RoundRobin(), make_members([0.5, 1.5]))
        assert Counter(picks(balancer, 400)) == {"m0": 100, "m1": 300}

    @given(WEIGHTS, st.integers(0, 40), st.data())
    def test_one_that_was_tried_loses_no_turn(
        self, weights: list[int], before: int, data: st.DataObject
    ) -> None:
        members = make_members([*weights, 1])
        plain, other = joined(RoundRobin(), members), joined(RoundRobin(), members)
        assert picks(plain, before) == picks(other, before)
        tried = data.draw(st.lists(st.sampled_from(members), max_size=2))
        picked = other.pick(tried, None)
        upcoming = picks(plain, 30)
        # It has taken the first turn of another member, and no place has changed.
        first = next((name for name in upcoming if name not in map(name_of, tried)), None)
        assert (picked and name_of(picked)) == first
        if first is not None:
            upcoming.remove(first)
            assert picks(other, len(upcoming)) == upcoming

    def test_picks_none_when_all_were_tried(self) -> None:
        members = make_members([1, 2])
        balancer = joined(RoundRobin(), members)
        assert balancer.pick(members, None) is None
        assert picks(balancer, 3) == ["m1", "m0", "m1"]

    def test_without_members_picks_none(self) -> None:
        assert RoundRobin().pick((), None) is None

    def test_one_that_is_banned_keeps_its_turn_for_others(self) -> None:
        members = make_members([1, 1, 1])
        balancer = joined(RoundRobin(), members)
        assert balancer.pick((), lambda member: member is members[0]) is members[1]
        assert picks(balancer, 4) == ["m0", "m2", "m0", "m1"]

    def test_one_that_is_banned_now_and_then_keeps_each_of_its_turns(self) -> None:
        members = make_members([1, 1])
        balancer = joined(RoundRobin(), members)
        for following in (["m0", "m0"], ["m0", "m1"]) * 3:
            assert balancer.pick((), lambda member: member is members[0]) is members[1]
            assert picks(balancer, 2) == following

    def test_one_that_is_banned_has_had_its_turn_after_a_while(self) -> None:
        members = make_members([1, 1, 1])
        balancer = joined(RoundRobin(), members)
        looks = 0

        def is_banned(member: Member) -> bool:
            nonlocal looks
            looks += 1
            return member is members[0]

        picked = [balancer.pick((), is_banned) for _ in range(30)]
        assert Counter(name_of(member) for member in picked if member) == {"m1": 15, "m2": 15}
        # Its own turns come as often as those of the others, each with three looks.
        assert looks <= 30 + 3 * 16
        # Nothing has piled up that it would catch up with now.
        assert 9 <= Counter(picks(balancer, 30))["m0"] <= 12

    def test_one_that_is_banned_by_every_second_target_has_its_share_of_the_others(self) -> None:
        members = make_members([1, 1, 1])
        balancer = joined(RoundRobin(), members)
        seen: Counter[str] = Counter()
        for _ in range(300):
            balancer.pick((), lambda member: member is members[0])
            (name,) = picks(balancer, 1)
            seen[name] += 1
        assert seen["m0"] >= 100

    def test_picks_none_when_all_are_banned_and_goes_on_after_that(self) -> None:
        balancer = joined(RoundRobin(), make_members([1, 5]))
        assert balancer.pick((), lambda member: True) is None
        assert Counter(picks(balancer, 60))["m0"] in (9, 10, 11)

    @given(st.integers(1, 30))
    def test_one_that_comes_back_has_missed_nothing(self, away: int) -> None:
        members = make_members([1, 1, 1])
        balancer = joined(RoundRobin(), members)
        picks(balancer, 4)
        balancer.remove(members[1])
        assert Counter(picks(balancer, 2 * away)) == {"m0": away, "m2": away}
        balancer.add(members[1])
        counts = Counter(picks(balancer, 30))
        assert all(9 <= counts[name_of(member)] <= 11 for member in members)

    def test_removed_ones_do_not_pile_up(self) -> None:
        members = make_members([1] * 5)
        balancer = RoundRobin()
        joined(balancer, members)
        for member in itertools.islice(itertools.cycle(members), 1000):
            balancer.remove(member)
            balancer.add(member)
        assert len(balancer) == 5
        assert len(balancer._heap) < 50
        assert sorted(picks(balancer, 5)) == ["m0", "m1", "m2", "m3", "m4"]


class TestLeastRequest:
    def balancer(self, members: list[Member], seed: int = 0) -> LeastRequest:
        balancer = LeastRequest(random.Random(seed).random)
        joined(balancer, members)
        return balancer

    def test_takes_the_one_with_fewer_requests_of_two(self) -> None:
        members = make_members([1, 1])
        hold(members[0])
        assert set(picks(self.balancer(members), 20)) == {"m1"}

    def test_counts_for_the_weight(self) -> None:
        members = make_members([4, 1])
        hold(members[0])
        assert set(picks(self.balancer(members), 20)) == {"m0"}

    @given(st.integers(0, 100))
    def test_spreads_what_is_in_flight(self, seed: int) -> None:
        members = make_members([1] * 10)
        balancer = self.balancer(members, seed)
        for _ in range(100):
            member = balancer.pick((), None)
            assert member is not None
            hold(member)
        assert max(len(member.leases) for member in members) <= 10 + 6

    def test_forgets_none_when_all_are_idle(self) -> None:
        for count in (2, 3, 10):
            counts = Counter(picks(self.balancer(make_members([1] * count)), 100 * count))
            assert len(counts) == count
            assert min(counts.values()) > 50

    @given(st.integers(1, 6), st.data())
    def test_picks_one_that_is_neither_tried_nor_banned(
        self, count: int, data: st.DataObject
    ) -> None:
        members = make_members([1] * count)
        subset = st.lists(st.sampled_from(members), unique=True)
        tried, banned = data.draw(subset), data.draw(subset)
        free = set(members) - set(tried) - set(banned)
        picked = self.balancer(members).pick(tried, lambda member: member in banned)
        assert picked in free if free else picked is None

    @given(st.lists(st.integers(0, 5)))
    def test_picks_only_from_those_that_are_there(self, toggled: list[int]) -> None:
        members = make_members([1] * 6)
        balancer = self.balancer([])
        there: set[Member] = set()
        for number in toggled:
            (balancer.remove if members[number] in there else balancer.add)(members[number])
            there ^= {members[number]}
            assert len(balancer) == len(there)
            assert (balancer.pick((), None) in there) if there else balancer.pick((), None) is None
        assert {balancer.pick((), None) for _ in range(60 * len(there))} == there
