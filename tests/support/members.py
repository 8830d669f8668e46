"""Members of a rotation, where only their shares and their ejections matter."""

from collections.abc import Collection

from transportkit.rotation.member import Lease, Member
from transportkit.rotation.proxies import Entry, Via


def make_members(weights: Collection[float]) -> list[Member]:
    """Members of these weights, called m0, m1, m2..."""
    return [make_member(f"m{number}", weight) for number, weight in enumerate(weights)]


def make_member(name: str, weight: float = 1) -> Member:
    """A member that is called so."""
    return Member(Entry(name, Via.HTTP, weight))


def hold(member: Member) -> None:
    """Have one more request of a member in flight."""
    Lease(member)


def name_of(member: Member) -> str:
    """The name that a member was made with."""
    return str(member.entry.identity)
