# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""One try of a request through a member of a rotation, and what has to be done after it."""

import httpx2

from ..rotation.member import AsyncLeasedBody, Lease, LeasedBody
from ..wire.request import own_request, return_body
from ..wire.trace import AsyncSentWatch, SentWatch, watch_of
from .members import AsyncMemberOwner, MemberOwner
from .network import AsyncNetworkTransport, NetworkTransport

Outcome = httpx2.Response | Exception


class LeasedStream(LeasedBody, httpx2.SyncByteStream):
    """The body of a response that is in flight until it is closed."""


class AsyncLeasedStream(AsyncLeasedBody, httpx2.AsyncByteStream):
    """The body of a response that is in flight until it is closed."""


class TurnTaker(MemberOwner):
    """A transport that sends through the members of a rotation."""

    def _try(self, lease: Lease, request: httpx2.Request) -> Outcome:
        """Send a request through a member.

        Arguments:
            lease: the request's.
            request: one that can be sent again, if it ever can.
        """
        found, member, sent, watch = request.extensions, lease.member, request, None
        try:
            transport = self._transports.by_member.get(member)
            if transport is None:
                transport = self._transports.get(member, self._lifecycle)
            if "trace" in found or (member.is_watched and type(transport) is not NetworkTransport):
                watch = SentWatch(found.get("trace"))
                watch.extensions = {**found, "trace": watch}
                sent = own_request(request, watch.extensions)
            response = transport.handle_request(sent)
        except Exception as error:  # noqa: BLE001 - the failover says what to make of it
            # Those of our own transports bring along what was heard of the wire.
            lease.watch = watch_of(error) if watch is None else watch
            member.is_watched = True
            return error
        else:
            member.is_watched = watch is not None and watch.has_heard
            return response
        finally:
            if watch is not None:
                watch.leave()
                return_body(request, sent)

    def _deliver(self, lease: Lease, response: httpx2.Response) -> httpx2.Response:
        response.extensions["proxy"] = lease.member.name
        if response.is_closed:
            self._release(lease)
        else:
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = LeasedStream(response.stream, self._release, lease)
        return response

    def _release(self, lease: Lease, cause: BaseException | None = None) -> None:
        if (gone := self._pool.release(lease)) is not None:
            self._let_go(self._transports.pop([gone]), cause)

    def _close_idle(self) -> None:
        """Close all connections that wait, so that others can be opened in their place."""
        for transport in tuple(self._transports.by_member.values()):
            if isinstance(transport, NetworkTransport):
                transport.close_idle()

    def _retire(self, lease: Lease, response: httpx2.Response) -> None:
        """Have the connections of a member take no more requests: its exit is banned."""
        transport = self._transports.by_member.get(lease.member)
        if isinstance(transport, NetworkTransport):
            transport.retire()
        elif (retire := response.extensions.get("retire")) is not None:
            retire()


class AsyncTurnTaker(AsyncMemberOwner):
    """A transport that sends through the members of a rotation."""

    async def _try(self, lease: Lease, request: httpx2.Request) -> Outcome:
        """Send a request through a member.

        Arguments:
            lease: the request's.
            request: one that can be sent again, if it ever can.
        """
        found, member, sent, watch = request.extensions, lease.member, request, None
        try:
            transport = self._transports.by_member.get(member)
            if transport is None:
                transport = self._transports.get(member, self._lifecycle)
            if "trace" in found or (
                member.is_watched and type(transport) is not AsyncNetworkTransport
            ):
                watch = AsyncSentWatch(found.get("trace"))
                watch.extensions = {**found, "trace": watch}
                sent = own_request(request, watch.extensions)
            response = await transport.handle_async_request(sent)
        except Exception as error:  # noqa: BLE001 - the failover says what to make of it
            # Those of our own transports bring along what was heard of the wire.
            lease.watch = watch_of(error) if watch is None else watch
            member.is_watched = True
            return error
        else:
            member.is_watched = watch is not None and watch.has_heard
            return response
        finally:
            if watch is not None:
                watch.leave()
                return_body(request, sent)

    async def _deliver(self, lease: Lease, response: httpx2.Response) -> httpx2.Response:
        response.extensions["proxy"] = lease.member.name
        if response.is_closed:
            await self._release(lease)
        else:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = AsyncLeasedStream(response.stream, self._release, lease)
        return response

    async def _release(self, lease: Lease, cause: BaseException | None = None) -> None:
        if (gone := self._pool.release(lease)) is not None:
            await self._let_go(self._transports.pop([gone]), cause)

    async def _close_idle(self) -> None:
        """Close all connections that wait, so that others can be opened in their place."""
        for transport in tuple(self._transports.by_member.values()):
            if isinstance(transport, AsyncNetworkTransport):
                await transport.close_idle()

    async def _retire(self, lease: Lease, response: httpx2.Response) -> None:
        """Have the connections of a member take no more requests: its exit is banned."""
        transport = self._transports.by_member.get(lease.member)
        if isinstance(transport, AsyncNetworkTransport):
            await transport.retire()
        elif (retire := response.extensions.get("retire")) is not None:
            retire()
