"""The consistent-hash ring that sticky keys are looked up in, and the sources of such keys.

A ring holds all members, in rotation or not. Nothing here does I/O.
"""

import re
import struct
from array import array
from bisect import bisect
from collections.abc import Callable, Collection
from hashlib import blake2b

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
_EIGHT = struct.Struct(">8Q")
# RFC 9110, section 5.1.
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


class Ring:
    """A consistent-hash ring: the same key, the same member, as long as that one is there.

    The keys of a member that is passed over, or has left, go to many others; no other key
    moves (Karger et al., "Consistent hashing and random trees").

    Arguments:
        members: the first ones. Their average weight is one share, for good.
    """

    def __init__(self, members: Collection[Member]) -> None:
        mean = sum(member.weight for member in members) / max(len(members), 1) or 1
        each = min(max(_POINTS // max(len(members), 1), _FEWEST_POINTS_EACH), _MOST_POINTS_EACH)
        self._points_per_weight = each / mean
        self._owners: dict[int, Member] = {}
        # The points in order, and the owner of each; empty until they are needed again.
        self._points = array("Q")
        self._line: list[Member] = []
        for member in members:
            self.add(member)

    def _points_of(self, member: Member) -> list[int]:
        count = round(min(member.weight * self._points_per_weight, _MOST_POINTS)) or 1
        names = (f"{number} {member.label}".encode() for number in range(-(-count // 8)))
        return [point for name in names for point in _EIGHT.unpack(blake2b(name).digest())][:count]

    def add(self, member: Member) -> None:
        """Give a member some keys of the others."""
        self._owners.update(dict.fromkeys(self._points_of(member), member))
        self._line = []

    def remove(self, member: Member) -> None:
        """Give the keys of a member to the others."""
        for point in self._points_of(member):
            self._owners.pop(point, None)
        self._line = []

    def _sort(self) -> list[Member]:
        self._points = array("Q", sorted(self._owners))
        self._line = [self._owners[point] for point in self._points]
        return self._line

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
        line = self._line or self._sort()
        start = bisect(self._points, point)
        # The walk goes around once; nearly always it ends at its first step.
        for index in range(start - len(line), start):
            member = line[index]
            until = member.ejected_until
            if (
                (until is None or (until <= now and member.probe is None))
                and member not in tried
                and (is_banned is None or not is_banned(member))
            ):
                return member
        return None


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
    return request.url.host


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

    def sticky(request: Request) -> str | None:
        if name not in request.headers:
            return None
        return request.headers[name]

    return sticky
