"""The consistent-hash ring that keys stick to, and where keys come from.

Nothing here does I/O. A ring holds all members, be they up or not.
"""

import re
import struct
from array import array
from bisect import bisect
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Generic, TypeVar

from ..wire.library import Request
from .orders import Seat

S = TypeVar("S", bound=Seat)

# How many points a member of middling weight has on a ring, and all of them together: more
# points make the shares more even, and the ring slower to build.
_MOST_POINTS_EACH = 160
_FEWEST_POINTS_EACH = 16
_POINTS = 200_000
# No weight is worth more.
_MOST_POINTS = 65_536
_EIGHT = struct.Struct(">8Q")
# RFC 9110, section 5.1.
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


class Ring(Generic[S]):
    """A consistent-hash ring: the same key, the same member, as long as that one is there.

    A member that is passed over, or has left, loses its keys to many others; no other key
    moves (Karger et al., "Consistent hashing and random trees").

    Arguments:
        members: those it begins with. What they weigh on average is one share, for good.
    """

    def __init__(self, members: Collection[S]) -> None:
        mean = sum(member.weight for member in members) / max(len(members), 1) or 1
        each = min(max(_POINTS // max(len(members), 1), _FEWEST_POINTS_EACH), _MOST_POINTS_EACH)
        self._points_per_weight = each / mean
        self._owners: dict[int, S] = {}
        # The points in order, and whose each is; empty until they are needed again.
        self._points = array("Q")
        self._line: list[S] = []
        for member in members:
            self.join(member)

    def _points_of(self, member: S) -> list[int]:
        count = round(min(member.weight * self._points_per_weight, _MOST_POINTS)) or 1
        names = (f"{number} {member.label}".encode() for number in range(-(-count // 8)))
        return [point for name in names for point in _EIGHT.unpack(blake2b(name).digest())][:count]

    def join(self, member: S) -> None:
        """Give a member keys of the others."""
        self._owners.update(dict.fromkeys(self._points_of(member), member))
        self._line = []

    def leave(self, member: S) -> None:
        """Give the keys of a member to the others."""
        for point in self._points_of(member):
            self._owners.pop(point, None)
        self._line = []

    def _line_up(self) -> list[S]:
        self._points = array("Q", sorted(self._owners))
        self._line = [self._owners[point] for point in self._points]
        return self._line

    def owner(self, point: int) -> S | None:
        """The member behind a point, None when there are none."""
        line = self._line or self._line_up()
        return line[bisect(self._points, point) - len(line)] if line else None

    def pick(self, point: int, is_usable: Callable[[S], bool]) -> S | None:
        """The member behind a point, or the next that is usable; None when none is.

        Arguments:
            point: that of the key.
            is_usable: whether a member can have this turn.
        """
        line = self._line or self._line_up()
        start = bisect(self._points, point)
        # The walk goes around once; nearly always it ends at its first step.
        for index in range(start - len(line), start):
            if is_usable(line[index]):
                return line[index]
        return None


def point_of(key: object) -> int:
    """Where a key stands on a ring.

    Arguments:
        key: bytes, or anything with a text that is the same for the same key.
    """
    data = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest())


def sticky_by_host(request: Request) -> str:
    """Keep the requests to one host on one proxy.

    >>> import httpx
    >>> sticky_by_host(httpx.Request("GET", "https://shop.example/basket"))
    'shop.example'
    """
    return request.url.host


def sticky_by_header(name: str) -> Callable[[Request], str | None]:
    """Keep the requests with one value of a header on one proxy; those without it take turns.

    Arguments:
        name: of the header, such as `"Authorization"`. Its value is hashed and not kept.

    Raises:
        TypeError: `name` is no string.
        ValueError: no header can have this name.

    >>> import httpx
    >>> sticky = sticky_by_header("X-Session")
    >>> sticky(httpx.Request("GET", "https://shop.example/", headers={"X-Session": "7"}))
    '7'
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be that of a header such as 'X-Session', not {name!r}")
    if not re.fullmatch(_FIELD_NAME, name):
        raise ValueError(
            f"name={name!r} can be no header's: write letters, digits and hyphens, such as "
            "'X-Session'"
        )

    def sticky(request: Request) -> str | None:
        return request.headers[name] if name in request.headers else None

    return sticky
