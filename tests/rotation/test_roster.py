"""The members of a rotation, whatever happens to them in whatever order."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from support.library import httpx
from support.transportkit import Cooldown

from transportkit.rotation.members import Member, Turn
from transportkit.rotation.proxies import Entry, parse
from transportkit.rotation.ring import point_of
from transportkit.rotation.roster import Roster

TRANSPORT = object()
HOST = "h.example"


def entry(number: int, weight: float = 1) -> Entry:
    return parse(f"http://proxy{number}.example", httpx.BaseTransport, weight)


class Fixture:
    """A roster with a clock that stands still until it is moved.

    Arguments:
        count: how many members, called 0, 1, 2...
        part: what is drawn at random; 1 makes every rest as long as it can be.
    """

    def __init__(
        self,
        count: int,
        cooldown: Cooldown | None = None,
        order: str = "round_robin",
        part: float = 1,
    ) -> None:
        self.now = 1000.0
        self.roster: Roster[object] = Roster(
            order, cooldown or Cooldown(first=10, max=35), lambda: self.now, lambda: part
        )
        for number in range(count):
            self.roster.join(self.roster.admit(entry(number), None))

    def take(self, *tried: Member[object], **how: Any) -> Turn[object] | None:
        arguments = {"avoided": (), "host": HOST, "point": None, "even_resting": False} | how
        return self.roster.take(tried, **arguments)

    def number(self, *tried: Member[object], **how: Any) -> int | None:
        """Who would be next; the turn is over at once."""
        turn = self.take(*tried, **how)
        if turn is None:
            return None
        self.roster.done(turn)
        return self.number_of(turn)

    def number_of(self, turn: Turn[object]) -> int:
        return int(turn.member.entry.name.removeprefix("http://proxy").removesuffix(".example"))

    def turn(self, *tried: Member[object], **how: Any) -> Turn[object]:
        turn = self.take(*tried, **how)
        assert turn is not None
        return turn

    def fail(self, **how: Any) -> float | None:
        turn = self.turn(**how)
        self.roster.done(turn)
        return self.roster.rest(turn)

    def up(self) -> list[bool]:
        return [status.up for status in self.roster.status()]


class TestARest:
    def test_ends_in_one_probe_while_the_others_go_on(self) -> None:
        its = Fixture(2)
        assert its.fail() == 10
        assert its.up() == [False, True]
        its.now += 9.9
        assert [its.number() for _ in range(3)] == [1, 1, 1]
        its.now += 0.1
        probe = its.turn()
        assert its.number_of(probe) == 0
        assert [its.number() for _ in range(3)] == [1, 1, 1]
        assert its.roster.succeeded(probe)
        assert its.up() == [True, True]
        its.roster.done(probe)
        assert {its.number() for _ in range(2)} == {0, 1}

    def test_that_ends_in_a_failure_is_followed_by_a_longer_one(self) -> None:
        its = Fixture(2)
        rests = [its.fail()]
        for _ in range(3):
            its.now += 40
            rests.append(its.fail())
        assert rests == [10, 20, 35, 35]

    def test_is_as_short_as_the_first_after_a_success(self) -> None:
        its = Fixture(2)
        its.fail()
        its.now += 10
        its.fail()
        its.now += 20
        probe = its.turn()
        its.roster.succeeded(probe)
        its.roster.done(probe)
        its.number()
        assert its.number() == 0
        its.number()
        assert its.fail() == 10

    def test_is_cut_by_up_to_a_half_at_random(self) -> None:
        assert Fixture(1, part=0).fail() == 5

    def test_whose_probe_learnt_nothing_goes_on_for_a_moment(self) -> None:
        # A proxy that swallows requests would get each and every one of them.
        its = Fixture(2, Cooldown(first=10, max=80))
        its.fail()
        its.now += 10
        assert its.fail() == 20
        its.now += 20
        for _ in range(100):
            probe = its.turn()
            assert its.number_of(probe) == 0
            its.roster.done(probe)
            assert [its.number() for _ in range(3)] == [1, 1, 1]
            its.now += 10
        assert its.up() == [False, True]
        assert len(its.roster._rests.heap) < 30
        # It has not become longer by that.
        assert its.fail() == 40

    def test_begins_once_for_those_who_fail_together(self) -> None:
        its = Fixture(1)
        turns = [its.turn() for _ in range(64)]
        assert [its.roster.rest(turn) for turn in turns] == [10] + [None] * 63
        for turn in turns:
            its.roster.done(turn)
        its.now += 10
        assert its.fail() == 20

    def test_is_not_ended_by_the_success_of_one_that_set_out_before(self) -> None:
        its = Fixture(2)
        early = its.turn()
        its.number()
        its.fail()
        assert not its.roster.succeeded(early)
        assert its.up() == [False, True]

    def test_is_not_begun_by_the_failure_of_one_that_set_out_before(self) -> None:
        its = Fixture(2)
        early = its.turn()
        its.number()
        its.fail()
        its.now += 10
        probe = its.turn()
        its.roster.succeeded(probe)
        assert its.roster.rest(early) is None
        assert its.up() == [True, True]

    def test_a_success_of_one_that_is_up_makes_the_next_one_short_again(self) -> None:
        its = Fixture(1)
        its.fail()
        its.now += 10
        probe = its.turn()
        assert its.roster.succeeded(probe)
        assert not its.roster.succeeded(probe)
        assert not its.roster.succeeded(its.turn())


class TestWhenAllRest:
    def test_nobody_is_picked_unless_somebody_is_better_than_nobody(self) -> None:
        its = Fixture(2)
        its.fail()
        its.now += 1
        its.fail()
        assert its.number() is None
        assert its.number(even_resting=True) == 0

    def test_the_one_that_rests_the_least_longer_is_picked(self) -> None:
        its = Fixture(3)
        for _ in range(3):
            its.fail()
            its.now += 1
        turns = [its.turn(even_resting=True) for _ in range(3)]
        assert [its.number_of(turn) for turn in turns] == [0, 1, 2]
        # All are being tried: who comes now shares the one that was due first.
        shared = its.turn(even_resting=True)
        assert its.number_of(shared) == 0
        assert its.roster.succeeded(shared)
        assert its.up() == [True, False, False]
        assert not its.roster.succeeded(turns[0])

    def test_a_failure_before_the_end_of_a_rest_makes_the_next_one_no_longer(self) -> None:
        its = Fixture(1)
        assert [its.fail(even_resting=True) for _ in range(5)] == [10] * 5
        its.now += 10
        assert its.fail(even_resting=True) == 20

    def test_a_request_tries_none_of_them_twice(self) -> None:
        its = Fixture(3)
        tried: list[Member[object]] = []
        for _ in range(3):
            turn = its.turn(*tried, even_resting=True)
            assert turn.member not in tried
            tried.append(turn.member)
            its.roster.rest(turn)
            its.roster.done(turn)
        assert its.take(*tried, even_resting=True) is None


class TestABan:
    def test_is_for_one_host(self) -> None:
        its = Fixture(2)
        turn = its.turn()
        assert its.roster.ban(turn, HOST) == 10
        assert its.roster.ban(turn, HOST) is None
        its.roster.done(turn)
        assert {its.number() for _ in range(4)} == {1}
        assert {its.number(host="other.example") for _ in range(4)} == {0, 1}
        assert its.up() == [True, True]
        its.now += 10
        assert {its.number() for _ in range(4)} == {0, 1}

    def test_of_all_ends_first_for_the_one_that_was_banned_first(self) -> None:
        its = Fixture(2)
        for _ in range(2):
            turn = its.turn()
            its.roster.ban(turn, HOST)
            its.roster.done(turn)
            its.now += 1
        assert its.number() is None
        first = its.turn(even_resting=True)
        assert its.number_of(first) == 0
        assert its.number(first.member, even_resting=True) == 1

    def test_of_one_whose_rest_is_over_puts_off_its_probe(self) -> None:
        its = Fixture(2)
        turn = its.turn()
        its.roster.ban(turn, HOST)
        its.roster.rest(turn)
        its.roster.done(turn)
        its.now += 9.99
        assert its.number() == 1
        assert its.number(host="other.example") == 1
        its.now += 0.01
        assert its.number(host="other.example") == 0

    def test_of_one_that_has_left_is_none(self) -> None:
        its = Fixture(2)
        turn = its.turn()
        its.roster.remove(turn.member.entry.identity, "it")
        assert its.roster.ban(turn, HOST) is None


class TestAnotherOneIfThereIs:
    def test_goes_elsewhere_than_before(self) -> None:
        its = Fixture(3)
        first = its.turn().member
        assert {its.number(avoided=[first]) for _ in range(9)} == {1, 2}

    def test_takes_the_same_one_when_no_other_is_up(self) -> None:
        its = Fixture(2)
        its.number()
        its.fail()
        (member, _) = its.roster.members()
        assert its.number(avoided=[member]) == 0


class TestAKey:
    def test_sticks_while_its_member_is_up(self) -> None:
        its = Fixture(5)
        points = [point_of(key) for key in range(50)]
        before = [its.number(point=point) for point in points]
        assert [its.number(point=point) for point in points] == before
        assert set(before) == set(range(5))
        down = its.fail(point=points[0])
        assert down == 10
        after = [its.number(point=point) for point in points]
        lost = before[0]
        assert lost not in after
        assert all(now == then for now, then in zip(after, before, strict=True) if then != lost)

    def test_is_the_probe_of_the_member_that_it_sticks_to(self) -> None:
        its = Fixture(5)
        points = [point_of(key) for key in range(50)]
        before = [its.number(point=point) for point in points]
        its.fail(point=points[0])
        other = next(point for point, then in zip(points, before, strict=True) if then != before[0])
        its.now += 10
        # What sticks elsewhere does not leave its own for a probe.
        assert its.number(point=other) != before[0]
        probe = its.turn(point=points[0])
        assert its.number_of(probe) == before[0]
        assert its.number(point=points[0]) != before[0]
        its.roster.succeeded(probe)
        assert its.number(point=points[0]) == before[0]

    def test_goes_on_when_its_member_was_tried_or_is_banned(self) -> None:
        its = Fixture(3)
        point = point_of("key")
        turn = its.turn(point=point)
        assert its.number(turn.member, point=point) != its.number_of(turn)
        its.roster.ban(turn, HOST)
        assert its.number(point=point) != its.number_of(turn)
        assert its.number(point=point, host="other.example") == its.number_of(turn)

    def test_takes_who_is_left_when_nobody_is_up(self) -> None:
        its = Fixture(2)
        point = point_of("key")
        first = its.turn(point=point)
        its.roster.rest(first)
        its.roster.done(first)
        assert its.fail(point=point) == 10
        assert its.number(point=point) is None
        assert its.number(point=point, even_resting=True) == its.number_of(first)

    def test_knows_who_comes_and_goes(self) -> None:
        its = Fixture(3)
        points = [point_of(key) for key in range(60)]
        before = [its.number(point=point) for point in points]
        its.roster.join(its.roster.admit(entry(3), None))
        joined = [its.number(point=point) for point in points]
        assert {now for now, then in zip(joined, before, strict=True) if now != then} == {3}
        its.roster.remove(entry(3).identity, "it")
        assert [its.number(point=point) for point in points] == before


class TestOneThatLeaves:
    def test_is_closed_at_once_when_it_has_nothing_to_do(self) -> None:
        its = Fixture(2)
        its.roster.members()[0].transport = TRANSPORT
        assert its.roster.remove(entry(0).identity, "it") is TRANSPORT
        assert {its.number() for _ in range(3)} == {1}

    def test_is_closed_after_its_last_request(self) -> None:
        its = Fixture(1)
        turns = [its.turn(), its.turn()]
        turns[0].member.transport = TRANSPORT
        assert its.roster.remove(entry(0).identity, "it") is None
        assert its.roster.status() == ()
        assert its.take(even_resting=True) is None
        assert its.roster.done(turns[0]) is None
        assert its.roster.done(turns[0]) is None
        assert its.roster.done(turns[1]) is TRANSPORT
        assert its.roster.done(turns[1]) is None

    @pytest.mark.parametrize("rests", [False, True])
    def test_and_comes_back_meanwhile_is_not_closed(self, rests: bool) -> None:
        its = Fixture(2)
        turn = its.turn()
        if rests:
            its.roster.rest(turn)
        turn.member.transport = TRANSPORT
        its.roster.remove(entry(0).identity, "it")
        member = its.roster.admit(entry(0, weight=3), None)
        assert member is turn.member
        assert its.number(even_resting=True) == 1
        its.roster.join(member)
        assert its.roster.done(turn) is None
        assert its.roster.rest(turn) is None
        assert Counter(its.number() for _ in range(8)) == {0: 6, 1: 2}

    def test_cannot_leave_twice(self) -> None:
        its = Fixture(1)
        its.roster.remove(entry(0).identity, "it")
        with pytest.raises(ValueError, match=r"^it is not among the proxies$"):
            its.roster.remove(entry(0).identity, "it")

    def test_before_it_joined_takes_no_turn(self) -> None:
        its = Fixture(1)
        its.roster.admit(entry(1), None)
        assert {its.number(even_resting=True) for _ in range(3)} == {0}
        its.roster.remove(entry(1).identity, "it")
        assert {its.number() for _ in range(3)} == {0}

    def test_is_known_by_its_name_only(self) -> None:
        its = Fixture(0)
        its.roster.admit(parse("http://scott:tiger@h", httpx.BaseTransport), None)
        assert repr(its.roster.members()) == "[<Member http://****@h>]"
        with pytest.raises(ValueError, match=r"^http://\*\*\*\*@h is among the proxies already$"):
            its.roster.admit(parse("http://scott:tiger@h", httpx.BaseTransport), None)


class Anything(RuleBasedStateMachine):
    """Requests begin, fail, succeed and end in any order while members come and go."""

    turns = Bundle("turns")

    def __init__(self) -> None:
        super().__init__()
        draw = random.Random(0)
        self.now = 0.0
        self.roster: Roster[object] = Roster(
            draw.choice(["round_robin", "least_busy"]),
            Cooldown(max=8),
            lambda: self.now,
            draw.random,
        )
        self.open: list[Turn[object]] = []
        for number in range(3):
            self.roster.join(self.roster.admit(entry(number), None))

    @rule(
        target=turns,
        even_resting=st.booleans(),
        key=st.none() | st.integers(0, 3),
        tried=st.sets(st.integers(0, 3), max_size=3),
    )
    def take(self, even_resting: bool, key: int | None, tried: set[int]) -> Turn[object] | None:
        members = self.roster.members()
        passed = [member for number, member in enumerate(members) if number in tried]
        free = [member for member in members if member not in passed]
        up = [member for member in free if member.until is None]
        probed = {member: member.probe for member in members}
        due = [each for each in free if each.until is not None and each.until <= self.now]
        point = None if key is None else point_of(key)
        turn = self.roster.take(passed, (), HOST, point, even_resting=even_resting)
        if turn is None:
            # No starvation: nobody goes away empty-handed while somebody could.
            assert not up
            assert all(probed[member] is not None for member in due)
            assert not (even_resting and free)
            return None
        member = turn.member
        assert member in free
        if member not in up:
            is_probe = member.probe is turn
            # One probe at a time; only when all rest, one is shared.
            assert is_probe == (probed[member] is None)
            assert is_probe or (even_resting and not up)
            assert not turn.is_early or (even_resting and not up)
        self.open.append(turn)
        return turn

    @rule(turn=turns)
    def succeed(self, turn: Turn[object] | None) -> None:
        if turn is not None and turn.is_open:
            is_news = turn.generation == turn.member.generation and turn.member.until is not None
            assert self.roster.succeeded(turn) == is_news
            assert not is_news or turn.member.until is None

    @rule(turn=turns)
    def fail(self, turn: Turn[object] | None) -> None:
        if turn is not None:
            before, is_news = turn.member.seconds, turn.generation == turn.member.generation
            seconds = self.roster.rest(turn)
            assert (seconds is not None) == is_news
            if seconds is not None:
                longest = turn.member.seconds
                assert longest == (before if turn.is_early else min(before * 2, 8) or 1)
                assert longest / 2 <= seconds <= longest <= 8

    @rule(turn=consumes(turns))
    def end(self, turn: Turn[object] | None) -> None:
        if turn in self.open:
            self.open.remove(turn)
            self.roster.done(turn)

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=st.integers(0, 3))
    def come_or_go(self, number: int) -> None:
        known = entry(number)
        if known.identity in {member.entry.identity for member in self.roster.members()}:
            self.roster.remove(known.identity, known.name)
        else:
            self.roster.join(self.roster.admit(known, None))

    @invariant()
    def counts_what_is_in_flight(self) -> None:
        in_flight = Counter(turn.member for turn in self.open)
        assert all(member.in_flight == count for member, count in in_flight.items())
        assert sum(status.in_flight for status in self.roster.status()) <= len(self.open)

    @invariant()
    def lets_those_that_are_up_take_turns_and_nobody_else(self) -> None:
        up = [member for member in self.roster.members() if member.until is None]
        assert len(self.roster._order) == len(up)
        assert all(member.probe is None for member in up)


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=8, stateful_step_count=30)


@pytest.mark.slow
class TestAnythingForLong(Anything.TestCase):  # type: ignore[misc,valid-type,name-defined]
    settings = settings(max_examples=100, stateful_step_count=60)
