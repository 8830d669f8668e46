"""Who rests until when, and for which hosts only."""

import math
from dataclasses import dataclass

from support.transportkit import Cooldown

from transportkit.rotation.rests import Bans, Rests


@dataclass(eq=False)
class Rester:
    until: float | None
    is_probed: bool = False


class TestRests:
    def test_are_over_in_order(self) -> None:
        resting = [Rester(3), Rester(1), Rester(2)]
        rests = Rests[Rester]()
        for each in resting:
            rests.add(each)
        assert rests.take(0.9, (), None) is None
        taken = [rests.take(2.5, (), None) for _ in range(3)]
        assert [each and each.until for each in taken] == [1, 2, None]
        assert rests.take(math.inf, (), None) is resting[0]
        assert len(rests.heap) == 0

    def test_of_those_that_were_tried_or_are_banned_wait(self) -> None:
        first, second, third = resting = [Rester(1), Rester(2), Rester(3)]
        rests = Rests[Rester]()
        for each in resting:
            rests.add(each)
        assert rests.take(9, [first], lambda each: each is second) is third
        assert [rests.take(9, (), None) for _ in range(2)] == [first, second]

    def test_that_are_no_more_are_passed_over(self) -> None:
        up, probed, rested_again = resting = [Rester(1), Rester(1), Rester(1)]
        rests = Rests[Rester]()
        for each in resting:
            rests.add(each)
        up.until, probed.is_probed, rested_again.until = None, True, 5
        assert rests.take(9, (), None) is None

    def test_do_not_pile_up(self) -> None:
        member = Rester(0)
        rests = Rests[Rester]()
        for number in range(1000):
            member.until = number
            rests.tidy(1)
            rests.add(member)
        assert len(rests.heap) < 30
        assert rests.take(999, (), None) is member


class TestBans:
    def test_are_for_one_host(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        assert bans.add("h", "a", 100, 1) == 10
        is_banned = bans.test("h", 105)
        assert is_banned is not None
        assert is_banned("a")
        assert not is_banned("b")
        assert bans.test("other", 105) is None
        over = bans.test("h", 110)
        assert over is not None
        assert not over("a")

    def test_that_hold_are_no_news(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        bans.add("h", "a", 100, 1)
        assert bans.add("h", "a", 109, 1) is None
        is_banned = bans.test("h", 109)
        assert is_banned is not None
        assert is_banned("a")

    def test_that_follow_soon_are_longer(self) -> None:
        bans = Bans[str](Cooldown(first=10, max=15))
        assert bans.add("h", "a", 100, 1) == 10
        assert bans.add("h", "a", 119, 1) == 15
        assert bans.add("h", "a", 140, 0) == 7.5

    def test_are_forgotten(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        bans.add("h", "a", 100, 1)
        assert bans.add("other", "b", 120, 1) == 10
        assert bans.test("h", 120) is None
        assert len(bans.by_host) == 1
        assert bans.add("h", "a", 120, 1) == 10

    def test_that_were_renewed_are_not_forgotten_too_soon(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        bans.add("h", "a", 100, 1)
        bans.add("h", "a", 111, 1)
        bans.add("other", "b", 121, 1)
        is_banned = bans.test("h", 121)
        assert is_banned is not None
        assert is_banned("a")

    def test_of_one_that_has_left_are_lifted(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        for host, member in [("h", "a"), ("h", "b"), ("i", "a")]:
            bans.add(host, member, 100, 1)
        bans.forget("a")
        assert bans.test("i", 101) is None
        is_banned = bans.test("h", 101)
        assert is_banned is not None
        assert [is_banned(member) for member in "ab"] == [False, True]
        bans.add("j", "c", 1000, 1)
        assert len(bans.by_host) == 1

    def test_that_end_together_are_forgotten_bit_by_bit(self) -> None:
        bans = Bans[int](Cooldown(first=10))
        for member in range(20):
            bans.add("h", member, 100, 1)
        left = []
        while bans.by_host:
            bans.forget_over(1000)
            left.append(len(bans.by_host.get("h", ())))
        assert left == [12, 4, 0]
        bans.forget_over(1000)

    def test_know_whose_is_over_first(self) -> None:
        bans = Bans[str](Cooldown(first=10))
        assert bans.first_over("h", ()) is None
        bans.add("h", "a", 105, 1)
        bans.add("h", "b", 100, 1)
        assert bans.first_over("h", ()) == "b"
        assert bans.first_over("h", ["b"]) == "a"
        assert bans.first_over("h", ["b", "a"]) is None
