"""The consistent-hash ring that sticky keys are looked up in, and the sources of such keys.

A ring holds all members, in rotation or not. Nothing here does I/O.
"""

import re
from array import array
from bisect import bisect, bisect_left
from collections.abc import Callable, Collection, Sequence
from copy import copy
from functools import partial
from hashlib import blake2b, shake_128
from struct import unpack

from ..redaction.redaction import echoed
from ..wire.library import Request
from .member import Member

# The points of a member of average weight, and those of all together: more points make the
# shares more even, and the ring slower to build.
_MOST_POINTS_EACH = 160
_FEWEST_POINTS_EACH = 16
_POINTS = 200_000
# The most that any one member has, whatever its weight.
_MOST_POINTS = 65_536
# A point ends with the number of its member.
_NUMBER = 0xFFFFFF
# RFC 9110, section 5.1.
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


class Ring:
    """A consistent-hash ring: the same key, the same member, as long as that one is there.

    The keys of a member that is passed over, or has left, go to many others; no other key
    moves (Karger et al., "Consistent hashing and random trees").

    A ring does not change, so that it can be read while another one is made of it.

    Arguments:
        members: the first ones. Their average weight is one share, for all rings made of this.
    """

    def __init__(self, members: Collection[Member]) -> None:
        mean = sum(member.weight for member in members) / max(len(members), 1) or 1
        each = min(max(_POINTS // max(len(members), 1), _FEWEST_POINTS_EACH), _MOST_POINTS_EACH)
        self._points_per_weight = each / mean
        self._points = array("Q")
        self._members: list[Member | None] = []
        # The number of each member, and how many points it has.
        self._places: dict[Member, tuple[int, int]] = {}
        self._change((), members)

    def changed(self, gone: Collection[Member], come: Collection[Member]) -> "Ring":
        """A ring that has the keys of some members given to the others, and some taken for others.

        Arguments:
            gone: those that leave.
            come: those that join; one of another weight than before leaves and joins.
        """
        made = copy(self)
        made._members, made._places = [*self._members], {**self._places}
        made._change(gone, come)
        return made

    def _change(self, gone: Collection[Member], come: Collection[Member]) -> None:
        lost: list[int] = []
        for member in gone:
            number, count = self._places.pop(member)
            self._members[number] = None
            lost += _points_of(member, number, count)
        free = [number for number, each in enumerate(self._members) if each is None] if come else []
        found: list[int] = []
        for member in come:
            number = free.pop() if free else len(self._members)
            self._members[number : number + 1] = [member]
            count = round(min(member.weight * self._points_per_weight, _MOST_POINTS)) or 1
            self._places[member] = number, count
            found += _points_of(member, number, count)
        self._points = _merged(_without(self._points, sorted(lost)), sorted(found))

    def find(
        self,
        point: int,
        now: float,
        tried: Collection[Member],
        is_banned: Callable[[Member], bool] | None,
    ) -> Member | None:
        """The member behind a point, or the next that can take a request; None when none can.

        Arguments:
            point: that of the key.
            now: the time.
            tried: members that are passed over.
            is_banned: a test of others that are passed over.
        """
        points, members = self._points, self._members
        start = bisect(points, point)
        # The walk goes around once; nearly always it ends at its first step.
        for index in range(start - len(points), start):
            member = members[points[index] & _NUMBER]
            assert member is not None
            until = member.ejected_until
            if (
                (until is None or (until <= now and member.probe is None))
                and member not in tried
                and (is_banned is None or not is_banned(member))
            ):
                return member
        return None


def _points_of(member: Member, number: int, count: int) -> list[int]:
    drawn = unpack(f">{count}Q", shake_128(member.label.encode()).digest(8 * count))
    return [point & ~_NUMBER | number for point in drawn]


def _without(points: "array[int]", lost: Sequence[int]) -> "array[int]":
    """Points in order, but for some of them."""
    if not lost:
        return points
    kept, start = array("Q"), 0
    for point in lost:
        end = bisect_left(points, point, start)
        kept += points[start:end]
        start = end + 1
    return kept + points[start:]


def _merged(points: "array[int]", found: Sequence[int]) -> "array[int]":
    """Points in order, with others among them."""
    if not points:
        return array("Q", found)
    merged, start = array("Q"), 0
    for point in found:
        end = bisect(points, point, start)
        merged += points[start:end]
        merged.append(point)
        start = end
    return merged + points[start:]


def point_of(key: object) -> int:
    """The point of a key on a ring.

    Arguments:
        key: bytes, or any object whose text is the same for the same key.
    """
    data = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest())


def sticky_by_host(request: Request) -> str:
    """Keep the requests to one host on one proxy.

    >>> import httpx
    >>> sticky_by_host(httpx.Request("GET", "https://shop.example/basket"))
    'shop.example'
    """
    try:
        return request.url.host
    except AttributeError:
        raise TypeError(
            "sticky_by_host is such a function itself: write sticky=sticky_by_host"
        ) from None


def sticky_by_header(name: str) -> Callable[[Request], str | None]:
    """Keep the requests with one value of a header on one proxy; those without it rotate.

    Arguments:
        name: the header, such as `"Authorization"`. Its value is hashed and not kept.

    Raises:
        TypeError: `name` is not a string.
        ValueError: it cannot be the name of a header.

    >>> import httpx
    >>> sticky = sticky_by_header("X-Session")
    >>> sticky(httpx.Request("GET", "https://shop.example/", headers={"X-Session": "7"}))
    '7'
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name must be the name of a header such as 'X-Session', not {echoed(name)}"
        )
    if not re.fullmatch(_FIELD_NAME, name):
        raise ValueError(
            f"name={echoed(name)} cannot be the name of a header: write letters, digits and hyphens, "
            "such as 'X-Session'"
        )
    # A function defined here could not be pickled.
    return partial(_value_of, name)


def _value_of(header: str, request: Request) -> str | None:
    if header not in request.headers:
        return None
    return request.headers[header]
