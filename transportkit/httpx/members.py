"""The base of the transports that rotate: members come and go while requests run."""

from collections.abc import Mapping, Sequence

import httpx

from ..rotation.member import Member, ProxyStatus
from ..rotation.rotation import Rotation, Settings
from ..rotation.transports import MemberTransports
from .network import async_transport_factory, transport_factory
from .options import ProxyLike
from .owner import AsyncTransportOwner, TransportOwner

Proxies = (
    Sequence[ProxyLike | httpx.BaseTransport]
    | Mapping[str, float]
    | Mapping[ProxyLike | httpx.BaseTransport, float]
)
AsyncProxies = (
    Sequence[ProxyLike | httpx.AsyncBaseTransport]
    | Mapping[str, float]
    | Mapping[ProxyLike | httpx.AsyncBaseTransport, float]
)


class MemberOwner(TransportOwner):
    """A transport that holds those of the members of a rotation.

    Arguments:
        proxies: the first members, as they were written.
        settings: the user's decisions.
        options: arguments of `httpx.HTTPTransport`.
    """

    _instead = "send the list of proxies and make another one in the other process"

    def __init__(self, proxies: object, settings: Settings, options: Mapping[str, object]) -> None:
        settings.check(options, type(self))
        network = transport_factory(options)
        self._rotation = Rotation(settings)
        self._pool = self._rotation.pool
        self._transports = MemberTransports(proxies, httpx.BaseTransport, network, self._pool)
        if settings.sticky is not None:
            self._pool.make_ring()
        super().__init__(self._transports.by_member.values())

    def add(self, proxy: ProxyLike | httpx.BaseTransport, weight: float = 1) -> None:
        """Add a proxy, while requests run.

        Arguments:
            proxy: anything that can be in a list of proxies.
            weight: its share of the requests, relative to the others.

        Raises:
            TypeError, ValueError, ImportError: it is not a proxy, or is among them already.
        """
        members = [self._transports.admit(proxy, weight)]
        self._open(members)
        self._pool.join(members)

    def remove(self, proxy: ProxyLike | httpx.BaseTransport) -> None:
        """Remove a proxy; it gets no more requests, and is closed when its last response is.

        Arguments:
            proxy: the same as in the list, or the name by which it is shown.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        self._let_go(self._transports.remove(proxy))

    def replace(self, proxies: Proxies) -> None:
        """Take a fresh list of proxies, or dict of weights, while requests run.

        What is in the old list as well keeps its connections and all that is known of it, and has
        the new weight. What is not is removed, and what is new is added.

        Arguments:
            proxies: the same as when the transport was made.

        Raises:
            TypeError, ValueError, ImportError: it cannot be such a list; the old one stays.
        """
        entries, members = self._transports.admit_missing(proxies)
        self._open(members)
        self._let_go(self._transports.replace(entries))

    def status(self) -> tuple[ProxyStatus, ...]:
        """The state of each proxy, in the order in which they were given."""
        return self._pool.status()

    def _open(self, members: Sequence[Member]) -> None:
        """Open what is ready of those that were let in; none of them stays if that fails."""
        opened: list[httpx.BaseTransport] = []
        try:
            for member in members:
                if (ready := self._transports.by_member.get(member)) is not None:
                    self._hold(ready)
                    opened.append(ready)
        except BaseException as error:
            self._transports.dismiss(members)
            self._let_go(opened, error)
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._rotation}>"

    def _settings(self) -> str:
        return self._rotation.summary()


class AsyncMemberOwner(AsyncTransportOwner):
    """A transport that holds those of the members of a rotation.

    Arguments:
        proxies: the first members, as they were written.
        settings: the user's decisions.
        options: arguments of `httpx.HTTPTransport`.
    """

    _instead = "send the list of proxies and make another one in the other process"

    def __init__(self, proxies: object, settings: Settings, options: Mapping[str, object]) -> None:
        settings.check(options, type(self))
        network = async_transport_factory(options)
        self._rotation = Rotation(settings)
        self._pool = self._rotation.pool
        self._transports = MemberTransports(proxies, httpx.AsyncBaseTransport, network, self._pool)
        if settings.sticky is not None:
            self._pool.make_ring()
        super().__init__(self._transports.by_member.values())

    async def add(self, proxy: ProxyLike | httpx.AsyncBaseTransport, weight: float = 1) -> None:
        """Add a proxy, while requests run.

        Arguments:
            proxy: anything that can be in a list of proxies.
            weight: its share of the requests, relative to the others.

        Raises:
            TypeError, ValueError, ImportError: it is not a proxy, or is among them already.
        """
        members = [self._transports.admit(proxy, weight)]
        await self._open(members)
        self._pool.join(members)

    async def remove(self, proxy: ProxyLike | httpx.AsyncBaseTransport) -> None:
        """Remove a proxy; it gets no more requests, and is closed when its last response is.

        Arguments:
            proxy: the same as in the list, or the name by which it is shown.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        await self._let_go(self._transports.remove(proxy))

    async def replace(self, proxies: AsyncProxies) -> None:
        """Take a fresh list of proxies, or dict of weights, while requests run.

        What is in the old list as well keeps its connections and all that is known of it, and has
        the new weight. What is not is removed, and what is new is added.

        Arguments:
            proxies: the same as when the transport was made.

        Raises:
            TypeError, ValueError, ImportError: it cannot be such a list; the old one stays.
        """
        entries, members = self._transports.admit_missing(proxies)
        await self._open(members)
        await self._let_go(self._transports.replace(entries))

    def status(self) -> tuple[ProxyStatus, ...]:
        """The state of each proxy, in the order in which they were given."""
        return self._pool.status()

    async def _open(self, members: Sequence[Member]) -> None:
        """Open what is ready of those that were let in; none of them stays if that fails."""
        opened: list[httpx.AsyncBaseTransport] = []
        try:
            for member in members:
                if (ready := self._transports.by_member.get(member)) is not None:
                    await self._hold(ready)
                    opened.append(ready)
        except BaseException as error:
            self._transports.dismiss(members)
            await self._let_go(opened, error)
            raise

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._rotation}>"

    def _settings(self) -> str:
        return self._rotation.summary()
