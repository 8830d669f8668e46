"""A rotation: its settings, and the state that all its requests share.

Theory of operation
-------------------
A *member* is a way to the origin: a proxy, no proxy, or a transport of the caller's own. It has a
weight, a state, and counters. A request *acquires* a lease on a member, and *releases* it when its
response is closed; until then, the member has one more request in flight. In between, its outcome
is reported under that lease.

| state | in the code | new requests | next state |
| --- | --- | --- | --- |
| joining | `ejected_until` is infinite | none | in rotation by `join`, when its transport is open |
| in rotation | `ejected_until` is None | its share | ejected by `eject` |
| ejected | `ejected_until` is a time | none | half-open by a lease, after that time or in a panic |
| half-open | `probe` is that lease | none | in rotation by `report_success`; ejected by `eject`, |
| | | | for longer; ejected by `release` without either |
| leaving | `has_left` | none | gone by its last `release`; joining by `admit` |

`remove` takes a member out of any other state: it is leaving as long as it has requests in
flight, and then it is gone, and its transport may be closed.

*Balancing.* The members in rotation share the requests by their weights (`balancing`). A sticky
key has a point on a ring (`ring`): its requests go to the member behind that point, or to the next
that can take them. A member is probed by a request whose key it owns, or by any without a key.

*Outdated outcomes.* Many requests may be in flight when a member fails, and each of them reports
it. So each ejection and each return begins a new generation of the member, and the outcome of a
lease from an earlier generation changes nothing: members are ejected once for failing once.

*Bans.* A ban is an ejection for one host. The state of the member stays as it is: it is only passed
over for that host until the ban ends.

*Panic.* When no member is left for a request (each is ejected, half-open, banned or was tried),
`when_all_down="raise"` fails. `"try"` leases the member whose ejection ends first, or else one that
is half-open, or else the one whose ban ends first. A failure before the end of an ejection does not
make the next one longer, as members would soon be ejected for the longest time.

*Repeats.* A request that failed though the origin may have seen it (an error, a 429, a 5xx) and is
sent anew, by a retry, avoids the members that it failed through, as long as there are others.

*Guarantees.* A request is sent to another member only if the origin provably never saw it, if the
proxy itself refused it with a 407, or if the user's `banned` says so and it is safe to repeat; and
only if its body can be sent again as a whole. No member is tried twice for a request.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from ..network.factory import TransportFactory
from ..network.options import check_names, check_options
from ..redaction.redaction import echoed
from ..wire.arguments import is_coroutine_function
from ..wire.forking import renew_in_child
from ..wire.library import Proxy
from ..wire.lifecycle import Lifecycle
from .ejection import Cooldown
from .member import Lease, Member
from .pool import Pool
from .proxies import Entry, Via, join_names, parse, parse_all

T = TypeVar("T")


class Settings(NamedTuple):
    """The arguments of `ProxyRoundRobin` that decide."""

    order: str
    sticky: Callable[..., object] | None
    banned: Callable[..., object] | None
    cooldown: Cooldown
    max_tries: int
    when_all_down: str

    def check(self, options: Mapping[str, object], taker: type) -> None:
        """Refuse arguments that cannot work.

        Arguments:
            options: the others, for `httpx.HTTPTransport`.
            taker: the class that takes all of them.

        Raises:
            TypeError, ValueError: the text names the argument and says what to write.
        """
        if "proxy" in options:
            raise TypeError("leave out proxy: the proxies are the first argument")
        _check_choice("order", self.order, ("round_robin", "least_busy"))
        _check_choice("when_all_down", self.when_all_down, ("try", "raise"))
        _check_function("sticky", self.sticky, "transportkit.sticky_by_host")
        _check_function("banned", self.banned, "lambda response: response.status_code == 403")
        if not isinstance(self.cooldown, Cooldown):
            raise TypeError(
                f"cooldown must be a Cooldown such as Cooldown(), not {echoed(self.cooldown)}"
            )
        is_count = isinstance(self.max_tries, int) and not isinstance(self.max_tries, bool)
        if not is_count or self.max_tries < 1:
            raise ValueError(f"max_tries must be a whole number from 1 up, not {self.max_tries!r}")
        check_names(options, taker)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        written = " or ".join(map(repr, choices))
        raise ValueError(f"{name} must be {written}, not {echoed(value)}")


def _check_function(name: str, function: object, example: str) -> None:
    if function is None:
        return
    if not callable(function):
        raise TypeError(f"{name} must be a callable such as {example}, not {echoed(function)}")
    if is_coroutine_function(function):
        raise TypeError(
            f"{name} must not be a coroutine function, which is never awaited: write a plain "
            f"function such as {example}"
        )


class Rotation:
    """The state that all requests of a rotation share.

    Arguments:
        settings: the user's decisions.

    Attributes:
        pool: the members.
        failed_through: the members through which a request has failed, though the origin may
            have seen it; kept by its body, which its repeats share, as long as that lives.
        has_failed: True once there has been one: asking a weak dictionary takes long.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.pool: Pool = Pool(settings.order, settings.cooldown, time.monotonic, random.random)
        self.failed_through: WeakKeyDictionary[object, list[Member]] = WeakKeyDictionary()
        self.has_failed: bool = False

    def summary(self) -> str:
        """The number of members that take requests."""
        members = self.pool.status()
        return f"{sum(member.up for member in members)} of {len(members)} up"

    def __str__(self) -> str:
        return join_names([member.entry.name for member in self.pool.members()]) or "no proxies"


class MemberTransports(Generic[T]):
    """The transports of the members: given ready, or made when they are first needed.

    Arguments:
        proxies: the first members, as they were written.
        kind: the class of the transports that can be among them.
        network: makes the others.
        pool: takes in the members.

    Raises:
        TypeError, ValueError, ImportError: see `parse_all` and `TransportFactory`.

    Attributes:
        by_member: those that there are.
    """

    def __init__(
        self, proxies: object, kind: type[T], network: TransportFactory[T], pool: Pool
    ) -> None:
        self.by_member: dict[Member, T] = {}
        self._kind = kind
        self._network = network
        self._pool = pool
        self._renew()
        renew_in_child(self._renew)
        entries = parse_all(proxies, kind)
        if network.options:
            # Arguments that cannot work fail here, and not at the first request.
            network.transport(proxy=None)
            check_options({**network.options, "proxy": _representative(entries)})
        for entry in entries:
            pool.join(self._admit(entry))

    def _renew(self) -> None:
        """Be nobody's to lock, as in a child process."""
        self._building = threading.Lock()

    def _admit(self, entry: Entry) -> Member:
        member = self._pool.admit(entry)
        if isinstance(entry.transport, self._kind):
            self.by_member[member] = entry.transport
        return member

    def admit(self, proxy: object, weight: object) -> Member:
        """Let in a member, which gets no requests until it joins the pool.

        Raises:
            TypeError, ValueError, ImportError: it cannot be one, or is one already.
        """
        return self._admit(parse(proxy, self._kind, weight))

    def remove(self, proxy: object) -> T | None:
        """Take out a member; return its transport if that can be closed at once.

        Raises:
            TypeError, ValueError: it is not a member.
        """
        entry = parse(proxy, self._kind)
        return self._pop(self._pool.remove(entry.identity, entry.name))

    def release(self, lease: Lease) -> T | None:
        """End a lease; return the transport of a member that has left, to be closed now."""
        return self._pop(self._pool.release(lease))

    def _pop(self, gone: Member | None) -> T | None:
        return None if gone is None else self.by_member.pop(gone, None)

    def get(self, member: Member, lifecycle: Lifecycle[T]) -> T:
        """The transport that the requests of a member are sent through.

        Arguments:
            member: one with a lease.
            lifecycle: takes in a transport that is made now.
        """
        if (found := self.by_member.get(member)) is not None:
            return found
        with self._building:
            if (found := self.by_member.get(member)) is None:
                found = self._network.transport(proxy=member.entry.proxy)
                lifecycle.adopt(found, to_enter=False)
                self.by_member[member] = found
            return found


def _representative(entries: Sequence[Entry]) -> Proxy | None:
    """One of the proxies, None if some requests go without."""
    if any(entry.via is Via.DIRECT for entry in entries):
        return None
    return next((entry.proxy for entry in entries if entry.proxy is not None), None)
