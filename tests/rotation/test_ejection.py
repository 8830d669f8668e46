"""Ejections: how long they last, when they end, and for which hosts."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.members import make_member, make_members
from support.transportkit import Cooldown

from transportkit.rotation.bans import Bans
from transportkit.rotation.ejection import Ejections, jittered
from transportkit.rotation.member import Lease, Member

A, B, C = make_members([1, 1, 1])


def ejected(until: float) -> Member:
    member = make_member("m")
    member.ejected_until = until
    return member


class TestCooldown:
    def test_grows_with_each_failure_in_a_row_up_to_its_cap(self) -> None:
        cooldown = Cooldown(first=1, max=10, factor=3)
        rests = [0.0]
        for _ in range(5):
            rests.append(cooldown.after(rests[-1]))
        assert rests == [0, 1, 3, 9, 10, 10]

    @given(st.floats(1e-3, 1e6), st.floats(1, 1e6), st.floats(1, 1e300), st.integers(1, 2000))
    def test_neither_shrinks_nor_overflows(
        self, first: float, more: float, factor: float, failures: int
    ) -> None:
        cooldown = Cooldown(first=first, max=first * more, factor=factor)
        last = 0.0
        for _ in range(failures):
            rest = cooldown.after(last)
            assert last <= rest <= cooldown.max
            last = rest

    @given(st.floats(1e-3, 1e6), st.floats(0, 1))
    def test_is_cut_by_half_at_most(self, seconds: float, random: float) -> None:
        assert seconds / 2 <= jittered(seconds, random) <= seconds

    @pytest.mark.parametrize(
        ("arguments", "kind", "text"),
        [
            ({"first": 0}, ValueError, "first must be a finite number of seconds above 0, not 0"),
            ({"first": -1}, ValueError, "first must be a finite number of seconds above 0, not -1"),
            ({"max": math.inf}, ValueError, "max must be a finite number of seconds above 0"),
            ({"max": 10**400}, ValueError, "max must be a finite number of seconds above 0"),
            ({"max": math.nan}, ValueError, "max must be a finite number of seconds above 0"),
            ({"first": "1"}, TypeError, "first must be a number of seconds, not '1'"),
            ({"max": None}, TypeError, "max must be a number of seconds, not None"),
            ({"factor": True}, TypeError, "factor must be a number of times, not True"),
            ({"factor": 0.5}, ValueError, "factor must be 1 or more, not 0.5"),
            ({"first": 500}, ValueError, "max must be 500 (first) or more, not 300.0"),
        ],
        ids=str,
    )
    def test_that_cannot_work_is_refused(
        self, arguments: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=f"^{re.escape(text)}"):
            Cooldown(**arguments)


class TestEjections:
    def test_are_over_in_order(self) -> None:
        members = [ejected(3), ejected(1), ejected(2)]
        ejections = Ejections()
        for each in members:
            ejections.add(each)
        assert ejections.pop(0.9, (), None) is None
        taken = [ejections.pop(2.5, (), None) for _ in range(3)]
        assert [each and each.ejected_until for each in taken] == [1, 2, None]
        assert ejections.pop(math.inf, (), None) is members[0]
        assert len(ejections.heap) == 0

    def test_of_those_that_were_tried_or_are_banned_wait(self) -> None:
        first, second, third = members = [ejected(1), ejected(2), ejected(3)]
        ejections = Ejections()
        for each in members:
            ejections.add(each)
        assert ejections.pop(9, [first], lambda each: each is second) is third
        assert [ejections.pop(9, (), None) for _ in range(2)] == [first, second]

    def test_that_are_no_more_are_passed_over(self) -> None:
        up, probed, ejected_again = members = [ejected(1), ejected(1), ejected(1)]
        ejections = Ejections()
        for each in members:
            ejections.add(each)
        up.ejected_until, ejected_again.ejected_until = None, 5
        probed.probe = Lease(probed, False)
        assert ejections.pop(9, (), None) is None

    def test_do_not_pile_up(self) -> None:
        member = ejected(0)
        ejections = Ejections()
        for number in range(1000):
            member.ejected_until = number
            ejections.compact(1)
            ejections.add(member)
        assert len(ejections.heap) < 30
        assert ejections.pop(999, (), None) is member


class TestBans:
    def test_are_for_one_host(self) -> None:
        bans = Bans(Cooldown(first=10))
        assert bans.add("h", A, 100, 1) == 10
        is_banned = bans.test("h", 105)
        assert is_banned is not None
        assert is_banned(A)
        assert not is_banned(B)
        assert bans.test("other", 105) is None
        over = bans.test("h", 110)
        assert over is not None
        assert not over(A)

    def test_that_hold_are_no_news(self) -> None:
        bans = Bans(Cooldown(first=10))
        bans.add("h", A, 100, 1)
        assert bans.add("h", A, 109, 1) is None
        is_banned = bans.test("h", 109)
        assert is_banned is not None
        assert is_banned(A)

    def test_that_follow_soon_are_longer(self) -> None:
        bans = Bans(Cooldown(first=10, max=15))
        assert bans.add("h", A, 100, 1) == 10
        assert bans.add("h", A, 119, 1) == 15
        assert bans.add("h", A, 140, 0) == 7.5

    def test_are_forgotten(self) -> None:
        bans = Bans(Cooldown(first=10))
        bans.add("h", A, 100, 1)
        assert bans.add("other", B, 120, 1) == 10
        assert bans.test("h", 120) is None
        assert len(bans.by_host) == 1
        assert bans.add("h", A, 120, 1) == 10

    def test_that_were_renewed_are_not_forgotten_too_soon(self) -> None:
        bans = Bans(Cooldown(first=10))
        bans.add("h", A, 100, 1)
        bans.add("h", A, 111, 1)
        bans.add("other", B, 121, 1)
        is_banned = bans.test("h", 121)
        assert is_banned is not None
        assert is_banned(A)

    def test_of_one_that_has_left_are_lifted(self) -> None:
        bans = Bans(Cooldown(first=10))
        for host, member in [("h", A), ("h", B), ("i", A)]:
            bans.add(host, member, 100, 1)
        bans.forget(A)
        assert bans.test("i", 101) is None
        is_banned = bans.test("h", 101)
        assert is_banned is not None
        assert [is_banned(member) for member in (A, B)] == [False, True]
        bans.add("j", C, 1000, 1)
        assert len(bans.by_host) == 1

    def test_that_end_together_are_forgotten_bit_by_bit(self) -> None:
        bans = Bans(Cooldown(first=10))
        for member in make_members([1] * 20):
            bans.add("h", member, 100, 1)
        left = []
        while bans.by_host:
            bans.purge(1000)
            left.append(len(bans.by_host.get("h", ())))
        assert left == [12, 4, 0]
        bans.purge(1000)

    def test_know_which_ends_first(self) -> None:
        bans = Bans(Cooldown(first=10))
        assert bans.first_to_end("h", ()) is None
        bans.add("h", A, 105, 1)
        bans.add("h", B, 100, 1)
        assert bans.first_to_end("h", ()) is B
        assert bans.first_to_end("h", [B]) is A
        assert bans.first_to_end("h", [B, A]) is None

    def test_are_bounded_in_number(self) -> None:
        bans = Bans(Cooldown(first=10, max=40), most=3)
        for number in range(10):
            bans.add(f"h{number}", A, 100 + number / 10, 1)
        assert len(bans) == len(bans.by_host) == 3
        # The ones that would have ended first are forgotten.
        assert sorted(bans.by_host) == ["h7", "h8", "h9"]
        bans.forget(A)
        assert (len(bans), bans.by_host) == (0, {})

    def test_that_were_lifted_leave_nothing(self) -> None:
        bans = Bans(Cooldown(first=1000, max=1000))
        for number in range(200):
            bans.add(f"h{number}", A, 100, 1)
            bans.forget(A)
        assert len(bans._ends) < 40
