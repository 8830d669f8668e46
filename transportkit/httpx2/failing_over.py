# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""The base of the transports that fail over: a request is tried through one member after another."""

from contextlib import suppress

import httpx2

from ..rotation.failover import Failover
from ..rotation.member import Lease
from ..wire.draining import async_drain, drain
from ..wire.io import async_shield, shield
from .streams import async_end_recording, async_recorded, end_recording, recorded
from .turns import AsyncTurnTaker, Outcome, TurnTaker

# A body that can be read only once is recorded for another proxy, up to this many bytes.
_MAX_REPLAY = 1024 * 1024


class FailingOver(TurnTaker):
    """A transport that may send a request through more than one member."""

    def _fail_over(
        self, request: httpx2.Request, lease: Lease | None, outcome: Outcome | None
    ) -> httpx2.Response:
        """Try member after member, from the outcome of a first try if there was one."""
        sticky = self._rotation.settings.sticky
        key = None if sticky is None or lease is not None else sticky(request)
        own = recorded(request, _MAX_REPLAY)
        failover = Failover(self._rotation, own, key, lease)
        try:
            if lease is None:
                lease = failover.acquire()
            if outcome is None:
                outcome = self._try(lease, own)
            while (following := self._go_on(failover, lease, outcome)) is not None:
                lease, outcome = following, None
                outcome = self._try(lease, own)
            if isinstance(outcome, Exception):
                raise outcome  # noqa: TRY301 - what is held has to be released
            return self._deliver(lease, outcome)
        except BaseException as error:
            with shield():
                for each in failover.leases:
                    self._release(each, error)
                if isinstance(outcome, httpx2.Response):
                    with suppress(httpx2.TransportError):
                        outcome.close()
            raise
        finally:
            end_recording(request, own)

    def _go_on(self, failover: Failover, lease: Lease, outcome: Outcome) -> Lease | None:
        """The lease for another try, None if there is none; lets go of what is given up."""
        if isinstance(outcome, Exception):
            if failover.wants_room(lease, outcome):
                self._close_idle()
                return lease
            following = failover.handle_error(lease, outcome)
            if following is not None:
                self._release(lease, outcome)
        else:
            following = failover.handle_response(lease, outcome, self._rotation.settings.banned)
            if lease.is_ban:
                self._retire(lease, outcome)
            if following is not None:
                drain(outcome)
                self._release(lease)
        return following


class AsyncFailingOver(AsyncTurnTaker):
    """A transport that may send a request through more than one member."""

    async def _fail_over(
        self, request: httpx2.Request, lease: Lease | None, outcome: Outcome | None
    ) -> httpx2.Response:
        """Try member after member, from the outcome of a first try if there was one."""
        sticky = self._rotation.settings.sticky
        key = None if sticky is None or lease is not None else sticky(request)
        own = async_recorded(request, _MAX_REPLAY)
        failover = Failover(self._rotation, own, key, lease)
        try:
            if lease is None:
                lease = failover.acquire()
            if outcome is None:
                outcome = await self._try(lease, own)
            while (following := await self._go_on(failover, lease, outcome)) is not None:
                lease, outcome = following, None
                outcome = await self._try(lease, own)
            if isinstance(outcome, Exception):
                raise outcome  # noqa: TRY301 - what is held has to be released
            return await self._deliver(lease, outcome)
        except BaseException as error:
            with async_shield():
                for each in failover.leases:
                    await self._release(each, error)
                if isinstance(outcome, httpx2.Response):
                    with suppress(httpx2.TransportError):
                        await outcome.aclose()
            raise
        finally:
            await async_end_recording(request, own)

    async def _go_on(self, failover: Failover, lease: Lease, outcome: Outcome) -> Lease | None:
        """The lease for another try, None if there is none; lets go of what is given up."""
        if isinstance(outcome, Exception):
            if failover.wants_room(lease, outcome):
                await self._close_idle()
                return lease
            following = failover.handle_error(lease, outcome)
            if following is not None:
                await self._release(lease, outcome)
        else:
            following = failover.handle_response(lease, outcome, self._rotation.settings.banned)
            if lease.is_ban:
                await self._retire(lease, outcome)
            if following is not None:
                await async_drain(outcome)
                await self._release(lease)
        return following
