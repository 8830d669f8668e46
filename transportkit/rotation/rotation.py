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
over for that host until the ban ends. A target bans a member (`banned`), and a proxy refuses a target.

*Outliers.* A request that was sent and lost proves nothing about the member. Several in a row do, when
others answer for the same host meanwhile, or for any if it fails for several (`outliers`).

*This machine.* What it lacks (descriptors, ports) is no member's fault. Idle connections of all are
closed, and the request is tried again.

*Panic.* When no member is left for a request (each is ejected, half-open, banned or was tried),
`when_all_down="raise"` fails. `"try"` leases the member whose ejection ends first, or else one that
is half-open, or else the one whose ban ends first. A failure before the end of an ejection does not
make the next one longer, as members would soon be ejected for the longest time.

*Repeats.* A request that failed though the origin may have seen it (an error, a 429, a 5xx) and is
sent anew, by a retry that says so in `extensions["attempt"]`, avoids the members that it failed
through, as long as there are others (`repeats`).

*Guarantees.* A request is sent to another member only if the origin provably never saw it, if the
proxy itself refused it with a 407, or if it is safe to repeat and either the user's `banned` says so
or a ready transport failed with an error of its own; and only if its body can be sent again as a
whole. No member is tried twice for a request, but for want of descriptors.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..network.options import check_names
from ..redaction.redaction import echoed
from ..wire.arguments import class_advice, is_coroutine_function, takes_one_argument
from .ejection import Cooldown
from .pool import Pool
from .proxies import join_names
from .repeats import Repeats
from .ring import sticky_by_header


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
                f"cooldown must be a Cooldown, not {echoed(self.cooldown)}: write Cooldown(first=...)"
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
        if name == "sticky" and isinstance(function, str):
            example = f"sticky_by_header({echoed(function)})"
        raise TypeError(f"{name} must be a callable such as {example}, not {echoed(function)}")
    if is_coroutine_function(function):
        raise TypeError(
            f"{name} must not be a coroutine function, which is never awaited: write a plain "
            f"function such as {example}"
        )
    if function is sticky_by_header:
        raise TypeError(
            f"{name}: sticky_by_header makes such a function for a header: write "
            "sticky_by_header('X-Account')"
        )
    if advice := class_advice(function):
        raise TypeError(f"{name}: {advice}")
    if not takes_one_argument(function):
        raise TypeError(
            f"{name} is called with one argument, which this function does not take: write one such "
            f"as {example}"
        )


class Rotation:
    """The state that all requests of a rotation share.

    Arguments:
        settings: the user's decisions.

    Attributes:
        pool: the members.
        repeats: the members through which requests have failed, though the origin may have seen
            them.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Settings = settings
        self.pool: Pool = Pool(settings.order, settings.cooldown, time.monotonic, random.random)
        self.repeats: Repeats = Repeats()

    def summary(self) -> str:
        """The number of members that take requests."""
        members = self.pool.members()
        return f"{sum(member.ejected_until is None for member in members)} of {len(members)} up"

    def __str__(self) -> str:
        return join_names(self.pool.members()) or "no proxies"
