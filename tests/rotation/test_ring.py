"""Keys that stay with their members, whichever others come and go."""

from collections import Counter
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.members import make_member, make_members
from support.transportkit import sticky_by_header, sticky_by_host

from transportkit.rotation.member import Member
from transportkit.rotation.ring import Ring, point_of


def owners(ring: Ring, keys: Collection[str]) -> dict[str, Member | None]:
    return {key: ring.find(point_of(key), 0, (), None) for key in keys}


KEYS = [f"key {number}" for number in range(2000)]


class TestTheRing:
    @pytest.mark.parametrize("key", ["scott", b"scott", 7, ("a", 1), "\ud800"])
    def test_keeps_a_key_where_it_is_in_every_run(self, key: object) -> None:
        picked = {Ring(make_members([1] * 5)).find(point_of(key), 0, (), None) for _ in range(3)}
        assert len({str(member) for member in picked}) == 1
        assert point_of("scott") == point_of(b"scott") == 1131480398074366406

    @given(st.integers(2, 12), st.data())
    def test_moves_only_the_keys_of_one_that_leaves(self, count: int, data: st.DataObject) -> None:
        members = make_members([1] * count)
        ring = Ring(members)
        gone = data.draw(st.sampled_from(members))
        some = KEYS[:300]
        before = owners(ring, some)
        smaller = ring.changed([gone], ())
        after = owners(smaller, some)
        assert {key for key in some if before[key] is not after[key]} == {
            key for key in some if before[key] is gone
        }
        assert owners(ring, some) == before
        assert owners(smaller.changed((), [gone]), some) == before

    @given(st.integers(2, 12), st.data())
    def test_moves_only_the_keys_of_one_that_is_passed_over(
        self, count: int, data: st.DataObject
    ) -> None:
        members = make_members([1] * count)
        ring = Ring(members)
        down = data.draw(st.lists(st.sampled_from(members), unique=True, max_size=count - 1))
        for key, owner in owners(ring, KEYS[:200]).items():
            picked = ring.find(point_of(key), 0, down, None)
            assert ring.find(point_of(key), 0, (), lambda member: member in down) is picked
            assert picked not in down
            assert owner in down or picked is owner

    def test_spreads_the_keys_of_one_over_all_others(self) -> None:
        members = make_members([1] * 5)
        ring = Ring(members)
        mine = [key for key, owner in owners(ring, KEYS).items() if owner is members[0]]
        ring = ring.changed([members[0]], ())
        assert set(owners(ring, mine).values()) == set(members[1:])

    @pytest.mark.parametrize("weights", [[1] * 4, [1, 2, 5], [100, 300], [0.001, 0.002]])
    def test_shares_the_keys_by_weight(self, weights: list[float]) -> None:
        members = make_members(weights)
        counts = Counter(owners(Ring(members), KEYS).values())
        for member in members:
            share = len(KEYS) * member.weight / sum(weights)
            assert share * 0.7 < counts[member] < share * 1.3

    def test_of_one_that_weighs_next_to_nothing_has_a_place_for_it(self) -> None:
        members = make_members([1e-9, 1e9])
        ring = Ring(members)
        assert ring.find(0, 0, [members[1]], None) is members[0]

    def test_takes_one_that_joins_however_heavy(self) -> None:
        ring = Ring(make_members([1, 1]))
        heavy = make_member("heavy", 1e12)
        ring = ring.changed((), [heavy])
        assert Counter(owners(ring, KEYS).values())[heavy] > 1900

    @given(st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**64 - 1]))
    def test_goes_around(self, point: int) -> None:
        ring = Ring(make_members([1] * 3))
        assert ring.find(point, 0, (), None) is not None
        assert ring.find(2**64 - 1, 0, (), None) is ring.find(0, 0, (), None)

    def test_without_members_finds_none(self) -> None:
        assert Ring([]).find(0, 0, (), None) is None

    @pytest.mark.parametrize("weights", [[], [1], [1, 1]])
    def test_finds_none_when_none_is_usable(self, weights: list[float]) -> None:
        assert Ring(make_members(weights)).find(point_of("key"), 0, (), lambda member: True) is None


class TestKeys:
    def test_are_hosts(self) -> None:
        request = httpx.Request("GET", "https://user@SHOP.example:8443/basket?a=b")
        assert sticky_by_host(request) == "shop.example"

    def test_are_headers(self) -> None:
        sticky = sticky_by_header("X-Session")
        request = httpx.Request("GET", "https://h", headers={"x-session": "7"})
        assert sticky(request) == "7"
        assert sticky(httpx.Request("GET", "https://h")) is None

    @pytest.mark.parametrize("name", [None, 3, b"X-Session", httpx.Headers()])
    def test_are_of_headers_that_have_a_name(self, name: object) -> None:
        with pytest.raises(
            TypeError, match=r"^name must be the name of a header such as 'X-Session'"
        ):
            sticky_by_header(name)  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["", "X Y", "X-Session:", "Straße", "X\n", '"X"'])
    def test_are_of_headers_that_a_request_can_have(self, name: str) -> None:
        with pytest.raises(
            ValueError, match="cannot be the name of a header: write letters, digits and"
        ):
            sticky_by_header(name)

    def test_may_be_of_a_header_with_any_character_of_a_token(self) -> None:
        name = "!#$%&'*+-.^_`|~09AZaz"
        assert sticky_by_header(name)(httpx.Request("GET", "https://h", headers={name: "7"})) == "7"
