# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""The base of the transports that rotate: members come and go, and their leases end."""

from collections.abc import Mapping

import httpx2

from ..rotation.member import AsyncLeasedBody, Lease, LeasedBody, ProxyStatus
from ..rotation.rotation import MemberTransports, Rotation, Settings
from .network import async_transport_factory, transport_factory
from .options import ProxyLike
from .owner import AsyncTransportOwner, TransportOwner


class LeasedStream(LeasedBody, httpx2.SyncByteStream):
    """The body of a response that is in flight until it is closed."""


class AsyncLeasedStream(AsyncLeasedBody, httpx2.AsyncByteStream):
    """The body of a response that is in flight until it is closed."""


class MemberOwner(TransportOwner):
    """A transport that holds those of the members of a rotation.

    Arguments:
        proxies: the first members, as they were written.
        settings: the user's decisions.
        options: arguments of `httpx2.HTTPTransport`.
    """

    def __init__(self, proxies: object, settings: Settings, options: Mapping[str, object]) -> None:
        settings.check(options, type(self))
        network = transport_factory(options)
        self._rotation = Rotation(settings)
        self._transports = MemberTransports(
            proxies, httpx2.BaseTransport, network, self._rotation.pool
        )
        super().__init__(self._transports.by_member.values())

    def add(self, proxy: ProxyLike | httpx2.BaseTransport, weight: float = 1) -> None:
        """Add a proxy, while requests run.

        Arguments:
            proxy: anything that can be in a list of proxies.
            weight: its share of the requests, relative to the others.

        Raises:
            TypeError, ValueError, ImportError: it is not a proxy, or is among them already.
        """
        member = self._transports.admit(proxy, weight)
        if (ready := self._transports.by_member.get(member)) is not None:
            try:
                self._hold(ready)
            except BaseException:
                self._transports.remove(proxy)
                raise
        self._rotation.pool.join(member)

    def remove(self, proxy: ProxyLike | httpx2.BaseTransport) -> None:
        """Remove a proxy; it gets no more requests, and is closed when its last response is.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        transport = self._transports.remove(proxy)
        if transport is not None:
            self._let_go(transport)

    def status(self) -> tuple[ProxyStatus, ...]:
        """The state of each proxy, in the order in which they were given."""
        return self._rotation.pool.status()

    def _deliver(self, lease: Lease, response: httpx2.Response) -> httpx2.Response:
        response.extensions = {"proxy": lease.member.entry.name, **response.extensions}
        if response.is_closed:
            self._release(lease)
        else:
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = LeasedStream(response.stream, self._release, lease)
        return response

    def _release(self, lease: Lease, cause: BaseException | None = None) -> None:
        transport = self._transports.release(lease)
        if transport is not None:
            self._let_go(transport, cause)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._rotation}>"

    def _settings(self) -> str:
        return self._rotation.summary()


class AsyncMemberOwner(AsyncTransportOwner):
    """A transport that holds those of the members of a rotation.

    Arguments:
        proxies: the first members, as they were written.
        settings: the user's decisions.
        options: arguments of `httpx2.HTTPTransport`.
    """

    def __init__(self, proxies: object, settings: Settings, options: Mapping[str, object]) -> None:
        settings.check(options, type(self))
        network = async_transport_factory(options)
        self._rotation = Rotation(settings)
        self._transports = MemberTransports(
            proxies, httpx2.AsyncBaseTransport, network, self._rotation.pool
        )
        super().__init__(self._transports.by_member.values())

    async def add(self, proxy: ProxyLike | httpx2.AsyncBaseTransport, weight: float = 1) -> None:
        """Add a proxy, while requests run.

        Arguments:
            proxy: anything that can be in a list of proxies.
            weight: its share of the requests, relative to the others.

        Raises:
            TypeError, ValueError, ImportError: it is not a proxy, or is among them already.
        """
        member = self._transports.admit(proxy, weight)
        if (ready := self._transports.by_member.get(member)) is not None:
            try:
                await self._hold(ready)
            except BaseException:
                self._transports.remove(proxy)
                raise
        self._rotation.pool.join(member)

    async def remove(self, proxy: ProxyLike | httpx2.AsyncBaseTransport) -> None:
        """Remove a proxy; it gets no more requests, and is closed when its last response is.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        transport = self._transports.remove(proxy)
        if transport is not None:
            await self._let_go(transport)

    def status(self) -> tuple[ProxyStatus, ...]:
        """The state of each proxy, in the order in which they were given."""
        return self._rotation.pool.status()

    async def _deliver(self, lease: Lease, response: httpx2.Response) -> httpx2.Response:
        response.extensions = {"proxy": lease.member.entry.name, **response.extensions}
        if response.is_closed:
            await self._release(lease)
        else:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = AsyncLeasedStream(response.stream, self._release, lease)
        return response

    async def _release(self, lease: Lease, cause: BaseException | None = None) -> None:
        transport = self._transports.release(lease)
        if transport is not None:
            await self._let_go(transport, cause)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._rotation}>"

    def _settings(self) -> str:
        return self._rotation.summary()
