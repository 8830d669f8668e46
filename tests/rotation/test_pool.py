"""The pool: its members, whatever happens to them in whatever order."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from support.library import httpx
from support.transportkit import Cooldown

from transportkit.rotation.member import Lease, Member
from transportkit.rotation.pool import Pool
from transportkit.rotation.proxies import Entry, parse
from transportkit.rotation.ring import point_of

HOST = "h.example"


def entry(number: int, weight: float = 1) -> Entry:
    return parse(f"http://proxy{number}.example", httpx.BaseTransport, weight)


class Fixture:
    """A pool with a clock that stands still until it is moved.

    Arguments:
        count: how many members, called 0, 1, 2...
        part: what is drawn at random; 1 makes every ejection as long as it can be.
    """

    def __init__(
        self,
        count: int,
        cooldown: Cooldown | None = None,
        order: str = "round_robin",
        part: float = 1,
    ) -> None:
        self.now = 1000.0
        self.pool: Pool = Pool(
            order, cooldown or Cooldown(first=10, max=35), lambda: self.now, lambda: part
        )
        for number in range(count):
            self.pool.join([self.pool.admit(entry(number))])

    def acquire(self, *tried: Member, **how: Any) -> Lease | None:
        arguments = {"avoided": (), "host": HOST, "point": None, "panic": False} | how
        return self.pool.acquire(tried, **arguments)

    def number(self, *tried: Member, **how: Any) -> int | None:
        """The number of the next member; its lease is released at once."""
        lease = self.acquire(*tried, **how)
        if lease is None:
            return None
        self.pool.release(lease)
        return self.number_of(lease)

    def number_of(self, lease: Lease) -> int:
        return int(lease.member.name.removeprefix("http://proxy").removesuffix(".example"))

    def lease(self, *tried: Member, **how: Any) -> Lease:
        lease = self.acquire(*tried, **how)
        assert lease is not None
        return lease

    def fail(self, **how: Any) -> float | None:
        lease = self.lease(**how)
        self.pool.release(lease)
        return self.pool.eject(lease)

    def up(self) -> list[bool]:
        return [status.up for status in self.pool.status()]


class TestAnEjection:
    def test_ends_in_one_probe_while_the_others_go_on(self) -> None:
        its = Fixture(2)
        assert its.fail() == 10
        assert its.up() == [False, True]
        its.now += 9.9
        assert [its.number() for _ in range(3)] == [1, 1, 1]
        its.now += 0.1
        probe = its.lease()
        assert its.number_of(probe) == 0
        assert [its.number() for _ in range(3)] == [1, 1, 1]
        assert its.pool.report_success(probe, HOST)
        assert its.up() == [True, True]
        its.pool.release(probe)
        assert {its.number() for _ in range(2)} == {0, 1}

    def test_that_ends_in_a_failure_is_followed_by_a_longer_one(self) -> None:
        its = Fixture(2)
        seconds = [its.fail()]
        for _ in range(3):
            its.now += 40
            seconds.append(its.fail())
        assert seconds == [10, 20, 35, 35]

    def test_is_as_short_as_the_first_after_a_success(self) -> None:
        its = Fixture(2)
        its.fail()
        its.now += 10
        its.fail()
        its.now += 20
        probe = its.lease()
        its.pool.report_success(probe, HOST)
        its.pool.release(probe)
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
            probe = its.lease()
            assert its.number_of(probe) == 0
            its.pool.release(probe)
            assert [its.number() for _ in range(3)] == [1, 1, 1]
            its.now += 10
        assert its.up() == [False, True]
        assert len(its.pool._ejections.heap) < 30
        # It has not become longer by that.
        assert its.fail() == 40

    def test_is_not_cut_short_by_a_request_that_learnt_nothing(self) -> None:
        its = Fixture(1, Cooldown(first=10, max=80, factor=8))
        its.fail()
        its.now += 10
        assert its.fail() == 80
        assert its.number(panic=True) == 0
        its.now += 79
        assert its.number() is None
        its.now += 1
        assert its.number() == 0

    def test_begins_once_for_those_that_fail_together(self) -> None:
        its = Fixture(1)
        leases = [its.lease() for _ in range(64)]
        assert [its.pool.eject(lease) for lease in leases] == [10] + [None] * 63
        for lease in leases:
            its.pool.release(lease)
        its.now += 10
        assert its.fail() == 20

    def test_is_not_ended_by_the_success_of_one_that_set_out_before(self) -> None:
        its = Fixture(2)
        early = its.lease()
        its.number()
        its.fail()
        assert not its.pool.report_success(early, HOST)
        assert its.up() == [False, True]

    def test_is_not_begun_by_the_failure_of_one_that_set_out_before(self) -> None:
        its = Fixture(2)
        early = its.lease()
        its.number()
        its.fail()
        its.now += 10
        probe = its.lease()
        its.pool.report_success(probe, HOST)
        assert its.pool.eject(early) is None
        assert its.up() == [True, True]

    def test_a_success_of_one_that_is_up_makes_the_next_one_short_again(self) -> None:
        its = Fixture(1)
        its.fail()
        its.now += 10
        probe = its.lease()
        assert its.pool.report_success(probe, HOST)
        assert not its.pool.report_success(probe, HOST)
        assert not its.pool.report_success(its.lease(), HOST)


class TestAPanic:
    def test_is_needed_to_lease_an_ejected_member(self) -> None:
        its = Fixture(2)
        its.fail()
        its.now += 1
        its.fail()
        assert its.number() is None
        assert its.number(panic=True) == 0

    def test_leases_the_one_whose_ejection_ends_first(self) -> None:
        its = Fixture(3)
        for _ in range(3):
            its.fail()
            its.now += 1
        leases = [its.lease(panic=True) for _ in range(3)]
        assert [its.number_of(lease) for lease in leases] == [0, 1, 2]
        # All are being tried: the next request shares the one that was due first.
        shared = its.lease(panic=True)
        assert its.number_of(shared) == 0
        assert its.pool.report_success(shared, HOST)
        assert its.up() == [True, False, False]
        assert not its.pool.report_success(leases[0], HOST)

    def test_a_failure_before_the_end_of_a_rest_makes_the_next_one_no_longer(self) -> None:
        its = Fixture(1)
        assert [its.fail(panic=True) for _ in range(5)] == [10] * 5
        its.now += 10
        assert its.fail(panic=True) == 20

    def test_a_request_tries_none_of_them_twice(self) -> None:
        its = Fixture(3)
        tried: list[Member] = []
        for _ in range(3):
            lease = its.lease(*tried, panic=True)
            assert lease.member not in tried
            tried.append(lease.member)
            its.pool.eject(lease)
            its.pool.release(lease)
        assert its.acquire(*tried, panic=True) is None


class TestABan:
    def test_is_for_one_host(self) -> None:
        its = Fixture(2)
        lease = its.lease()
        assert its.pool.ban(lease, HOST) == 10
        assert its.pool.ban(lease, HOST) is None
        its.pool.release(lease)
        assert {its.number() for _ in range(4)} == {1}
        assert {its.number(host="other.example") for _ in range(4)} == {0, 1}
        assert its.up() == [True, True]
        its.now += 10
        assert {its.number() for _ in range(4)} == {0, 1}

    def test_of_all_ends_first_for_the_one_that_was_banned_first(self) -> None:
        its = Fixture(2)
        for _ in range(2):
            lease = its.lease()
            its.pool.ban(lease, HOST)
            its.pool.release(lease)
            its.now += 1
        assert its.number() is None
        first = its.lease(panic=True)
        assert its.number_of(first) == 0
        assert its.number(first.member, panic=True) == 1

    def test_of_one_whose_rest_is_over_puts_off_its_probe(self) -> None:
        its = Fixture(2)
        lease = its.lease()
        its.pool.ban(lease, HOST)
        its.pool.eject(lease)
        its.pool.release(lease)
        its.now += 9.99
        assert its.number() == 1
        assert its.number(host="other.example") == 1
        its.now += 0.01
        assert its.number(host="other.example") == 0

    def test_of_one_that_has_left_is_none(self) -> None:
        its = Fixture(2)
        lease = its.lease()
        its.pool.remove(lease.member.entry.identity, "it")
        assert its.pool.ban(lease, HOST) is None


class TestAnotherOneIfThereIs:
    def test_goes_elsewhere_than_before(self) -> None:
        its = Fixture(3)
        first = its.lease().member
        assert {its.number(avoided=[first]) for _ in range(9)} == {1, 2}

    def test_takes_the_same_one_when_no_other_is_up(self) -> None:
        its = Fixture(2)
        its.number()
        its.fail()
        (member, _) = its.pool.members()
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
        probe = its.lease(point=points[0])
        assert its.number_of(probe) == before[0]
        assert its.number(point=points[0]) != before[0]
        its.pool.report_success(probe, HOST)
        assert its.number(point=points[0]) == before[0]

    def test_goes_on_when_its_member_was_tried_or_is_banned(self) -> None:
        its = Fixture(3)
        point = point_of("key")
        lease = its.lease(point=point)
        assert its.number(lease.member, point=point) != its.number_of(lease)
        its.pool.ban(lease, HOST)
        assert its.number(point=point) != its.number_of(lease)
        assert its.number(point=point, host="other.example") == its.number_of(lease)

    def test_takes_the_member_that_is_left_when_none_is_up(self) -> None:
        its = Fixture(2)
        point = point_of("key")
        first = its.lease(point=point)
        its.pool.eject(first)
        its.pool.release(first)
        assert its.fail(point=point) == 10
        assert its.number(point=point) is None
        assert its.number(point=point, panic=True) == its.number_of(first)

    def test_moves_only_to_one_that_joins_and_back_when_it_leaves(self) -> None:
        its = Fixture(3)
        points = [point_of(key) for key in range(60)]
        before = [its.number(point=point) for point in points]
        its.pool.join([its.pool.admit(entry(3))])
        joined = [its.number(point=point) for point in points]
        assert {now for now, then in zip(joined, before, strict=True) if now != then} == {3}
        its.pool.remove(entry(3).identity, "it")
        assert [its.number(point=point) for point in points] == before


class TestOneThatLeaves:
    def test_is_closed_at_once_when_it_has_nothing_to_do(self) -> None:
        its = Fixture(2)
        (first, _) = its.pool.members()
        assert its.pool.remove(entry(0).identity, "it") is first
        assert {its.number() for _ in range(3)} == {1}

    def test_is_closed_after_its_last_request(self) -> None:
        its = Fixture(1)
        leases = [its.lease(), its.lease()]
        (member,) = its.pool.members()
        assert its.pool.remove(entry(0).identity, "it") is None
        assert its.pool.status() == ()
        assert its.acquire(panic=True) is None
        assert its.pool.release(leases[0]) is None
        assert its.pool.release(leases[0]) is None
        assert its.pool.release(leases[1]) is member
        assert its.pool.release(leases[1]) is None

    @pytest.mark.parametrize("is_ejected", [False, True])
    def test_and_comes_back_meanwhile_is_not_closed(self, is_ejected: bool) -> None:
        its = Fixture(2)
        lease = its.lease()
        if is_ejected:
            its.pool.eject(lease)
        its.pool.remove(entry(0).identity, "it")
        member = its.pool.admit(entry(0, weight=3))
        assert member is lease.member
        assert its.number(panic=True) == 1
        its.pool.join([member])
        assert its.pool.release(lease) is None
        assert its.pool.eject(lease) is None
        assert Counter(its.number() for _ in range(8)) == {0: 6, 1: 2}

    def test_cannot_leave_twice(self) -> None:
        its = Fixture(1)
        its.pool.remove(entry(0).identity, "it")
        with pytest.raises(ValueError, match=r"^it is not among the proxies$"):
            its.pool.remove(entry(0).identity, "it")

    def test_before_it_joined_takes_no_turn(self) -> None:
        its = Fixture(1)
        its.pool.admit(entry(1))
        assert {its.number(panic=True) for _ in range(3)} == {0}
        its.pool.remove(entry(1).identity, "it")
        assert {its.number() for _ in range(3)} == {0}

    def test_is_known_by_its_name_only(self) -> None:
        its = Fixture(0)
        its.pool.admit(parse("http://scott:tiger@h", httpx.BaseTransport))
        assert repr(its.pool.members()) == "[<Member http://****@h>]"
        with pytest.raises(ValueError, match=r"^http://\*\*\*\*@h is among the proxies already$"):
            its.pool.admit(parse("http://scott:tiger@h", httpx.BaseTransport))


class TestAChildProcess:
    def test_knows_nothing_of_what_its_parent_has_in_flight(self) -> None:
        its = Fixture(2)
        its.fail()
        its.now += 10
        leases = [its.lease(), its.lease(), its.lease()]
        assert its.number_of(leases[0]) == 0
        its.pool.remove(leases[1].member.entry.identity, "1")
        its.pool._renew()
        assert [status.in_flight for status in its.pool.status()] == [0]
        # What it probed, its child probes again.
        probe = its.lease()
        assert its.number_of(probe) == 0
        for lease in leases:
            its.pool.release(lease)
        assert its.pool.report_success(probe, HOST)
        assert [status.up for status in its.pool.status()] == [True]


class Anything(RuleBasedStateMachine):
    """Requests begin, fail, succeed and end in any order while members come and go."""

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        draw = random.Random(0)
        self.now = 0.0
        self.pool: Pool = Pool(
            draw.choice(["round_robin", "least_busy"]),
            Cooldown(max=8),
            lambda: self.now,
            draw.random,
        )
        self.open: list[Lease] = []
        for number in range(3):
            self.pool.join([self.pool.admit(entry(number))])

    @rule(
        target=leases,
        panic=st.booleans(),
        key=st.none() | st.integers(0, 3),
        tried=st.sets(st.integers(0, 3), max_size=3),
    )
    def acquire(self, panic: bool, key: int | None, tried: set[int]) -> Lease | None:
        members = self.pool.members()
        passed = [member for number, member in enumerate(members) if number in tried]
        free = [member for member in members if member not in passed]
        up = [member for member in free if member.ejected_until is None]
        probed = {member: member.probe for member in members}
        due = [
            each
            for each in free
            if each.ejected_until is not None and each.ejected_until <= self.now
        ]
        point = None if key is None else point_of(key)
        lease = self.pool.acquire(passed, (), HOST, point, panic=panic)
        if lease is None:
            # No starvation: no request goes away empty-handed while there is a member for it.
            assert not up
            assert all(probed[member] is not None for member in due)
            assert not (panic and free)
            return None
        member = lease.member
        assert member in free
        if member not in up:
            is_probe = member.probe is lease
            # One probe at a time; only in a panic, one is shared.
            assert is_probe == (probed[member] is None)
            assert is_probe or (panic and not up)
            assert not lease.is_premature or (panic and not up)
        self.open.append(lease)
        return lease

    @rule(lease=leases)
    def succeed(self, lease: Lease | None) -> None:
        if lease is not None and lease.is_held:
            is_news = (
                lease.generation == lease.member.generation
                and lease.member.ejected_until is not None
            )
            assert self.pool.report_success(lease, HOST) == is_news
            assert not is_news or lease.member.ejected_until is None

    @rule(lease=leases)
    def fail(self, lease: Lease | None) -> None:
        if lease is not None:
            before, is_news = (
                lease.member.ejection_time,
                lease.generation == lease.member.generation,
            )
            seconds = self.pool.eject(lease)
            assert (seconds is not None) == is_news
            if seconds is not None:
                longest = lease.member.ejection_time
                assert longest == (before if lease.is_premature else min(before * 2, 8) or 1)
                assert longest / 2 <= seconds <= longest <= 8

    @rule(lease=consumes(leases))
    def end(self, lease: Lease | None) -> None:
        if lease in self.open:
            self.open.remove(lease)
            self.pool.release(lease)

    @rule(seconds=st.floats(0, 10))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=st.integers(0, 3))
    def come_or_go(self, number: int) -> None:
        known = entry(number)
        if known.identity in {member.entry.identity for member in self.pool.members()}:
            self.pool.remove(known.identity, known.name)
        else:
            self.pool.join([self.pool.admit(known)])

    @invariant()
    def counts_what_is_in_flight(self) -> None:
        in_flight = Counter(lease.member for lease in self.open)
        assert all(len(member.leases) == count for member, count in in_flight.items())
        assert sum(status.in_flight for status in self.pool.status()) <= len(self.open)

    @invariant()
    def shares_requests_among_those_in_rotation_and_no_others(self) -> None:
        up = [member for member in self.pool.members() if member.ejected_until is None]
        assert len(self.pool._balancer) == len(up)
        assert all(member.probe is None for member in up)


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=8, stateful_step_count=30)


@pytest.mark.slow
class TestAnythingForLong(Anything.TestCase):  # type: ignore[misc,valid-type]
    settings = settings(max_examples=100, stateful_step_count=60)


def test_a_ring_is_made_once() -> None:
    pool = Fixture(3).pool
    assert pool.make_ring() is pool.make_ring()


def test_an_ejected_member_takes_no_turn_when_its_weight_changes() -> None:
    its = Fixture(2)
    its.pool.eject(its.lease())
    entries = [entry(0, weight=5), entry(1)]
    its.pool.replace({each.identity: each for each in entries})
    assert [its.number() for _ in range(3)] == [1, 1, 1]


def test_a_request_probes_one_at_most_while_others_are_in_rotation() -> None:
    fixture = Fixture(4)
    for number in range(3):
        lease = fixture.acquire()
        assert lease is not None
        assert fixture.number_of(lease) == number
        fixture.pool.eject(lease)
        fixture.pool.release(lease)
    fixture.now += 100
    probe = fixture.acquire()
    assert probe is not None
    assert fixture.number_of(probe) == 0
    following = fixture.acquire(probe.member)
    assert following is not None
    assert fixture.number_of(following) == 3
    # With that one tried too, there is nobody else.
    last = fixture.acquire(probe.member, following.member)
    assert last is not None
    assert fixture.number_of(last) == 1
