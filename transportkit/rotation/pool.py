"""What all requests of a rotation share: its members and their transports."""

import random
import threading
import time
from collections.abc import Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ..network.factory import TransportFactory
from ..network.options import check_options
from ..wire.library import Proxy, Request
from ..wire.lifecycle import Lifecycle
from .health import Via
from .members import Member
from .proxies import Entry, in_words, parse, parse_all
from .roster import Roster
from .settings import Settings

T = TypeVar("T")


class Rotation(Generic[T]):
    """What `ProxyRoundRobin` and `AsyncProxyRoundRobin` have in common.

    Arguments:
        proxies: what was written.
        kind: of the transports that can be among them.
        network: makes the others.
        settings: the user's decisions.

    Attributes:
        in_vain: requests that may have reached the origin in vain, and through whom.
        has_failed: whether there has ever been one: asking a weak dictionary takes long.
    """

    def __init__(
        self, proxies: object, kind: type[T], network: TransportFactory[T], settings: Settings
    ) -> None:
        self.settings: Settings = settings
        self.roster: Roster[T] = Roster(
            settings.order, settings.cooldown, time.monotonic, random.random
        )
        self.in_vain: WeakKeyDictionary[Request, list[Member[T]]] = WeakKeyDictionary()
        self.has_failed: bool = False
        self._kind = kind
        self._network = network
        self._building = threading.Lock()
        entries = parse_all(proxies, kind)
        if network.options:
            # What cannot work fails here, and not at the first request.
            network.transport(proxy=None)
            check_options({**network.options, "proxy": _proxy_of_all(entries)})
        for entry in entries:
            self.roster.join(self.roster.admit(entry, self._ready(entry.transport)))

    def _ready(self, transport: object) -> T | None:
        return transport if isinstance(transport, self._kind) else None

    def ready(self) -> list[T]:
        """The transports that were given ready."""
        found = (self._ready(member.entry.transport) for member in self.roster.members())
        return [transport for transport in found if transport is not None]

    def admit(self, proxy: object, weight: object) -> Member[T]:
        """A new member, which takes no turns yet.

        Raises:
            TypeError, ValueError, ImportError: it can be none, or is one already.
        """
        entry = parse(proxy, self._kind, weight)
        return self.roster.admit(entry, self._ready(entry.transport))

    def remove(self, proxy: object) -> T | None:
        """Let a member take no more turns; its transport, if that can be closed at once.

        Raises:
            TypeError, ValueError: it is none.
        """
        entry = parse(proxy, self._kind)
        return self.roster.remove(entry.identity, entry.name)

    def transport_of(self, member: Member[T], lifecycle: Lifecycle[T]) -> T:
        """What the requests of a member are sent through, made when it is first needed."""
        if member.transport is None:
            with self._building:
                if member.transport is None:
                    transport = self._network.transport(proxy=member.entry.proxy)
                    lifecycle.adopt(transport, to_enter=False)
                    member.transport = transport
        return member.transport

    def __str__(self) -> str:
        return in_words([member.entry.name for member in self.roster.members()]) or "no proxies"


def _proxy_of_all(entries: Sequence[Entry]) -> Proxy | None:
    """One of the proxies, unless some requests go without."""
    if any(entry.via is Via.DIRECT for entry in entries):
        return None
    return next((entry.proxy for entry in entries if entry.proxy is not None), None)
