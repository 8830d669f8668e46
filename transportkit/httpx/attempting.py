"""The base of the transports that try again: a request is attempted until it is enough."""

import time

import httpx

from ..retrying.budget import Buckets
from ..retrying.call import RetryCall
from ..retrying.combining import ask, async_ask
from ..retrying.policy import RetryPolicy
from ..wire.draining import async_drain, drain
from ..wire.io import (
    async_shield,
    async_sleep,
    async_time_limit,
    shield,
    sleep,
    time_limit,
)
from ..wire.request import own_request, return_body
from ..wire.trace import AsyncSentWatch, SentWatch
from .streams import async_end_recording, async_recorded, end_recording, recorded
from .wrapper import AsyncWrapper, Wrapper

Outcome = httpx.Response | Exception


class Attempting(Wrapper):
    """A transport that may send a request more than once."""

    _buckets: Buckets

    def _retry(
        self, request: httpx.Request, policy: RetryPolicy, started: float, outcome: Outcome | None
    ) -> httpx.Response:
        """Attempt until it is enough, from the outcome of a first attempt if there was one."""
        own = recorded(request, policy.max_replay)
        call = RetryCall(policy, own, self._transport.handle_request, started, self._buckets)
        try:
            while (wait := call.decide(self._attempt(own, call, outcome))) is not None:
                outcome = None
                if isinstance(call.outcome, httpx.Response):
                    drain(call.outcome, call.drain_seconds(wait))
                if wait:
                    sleep(wait)
            return result(call.outcome)
        except BaseException:
            if isinstance(call.outcome, httpx.Response):
                with shield():
                    call.outcome.close()
            raise
        finally:
            call.settle()
            end_recording(request, own)

    def _attempt(self, request: httpx.Request, call: RetryCall, outcome: Outcome | None) -> bool:
        """Send once, unless the outcome is there already; True if the policy wants another."""
        is_wanted = False
        with time_limit(call.seconds_left(time.monotonic())) as limit:
            if outcome is None:
                outcome = self._send_once(request, call)
            is_wanted = self._judge(call, outcome)
        if limit.cancelled_caught:  # pragma: no cover - sync code is not cancelled
            if isinstance(outcome, httpx.Response):
                with shield():
                    outcome.close()
            is_wanted = call.end_too_late()
        return is_wanted

    def _judge(self, call: RetryCall, outcome: Outcome) -> bool:
        """True if the policy wants another; a body that breaks while it reads is the outcome."""
        if not call.end_attempt(outcome, time.monotonic()):
            return False
        try:
            return ask(call.policy.retry, call.state)
        except httpx.TransportError as error:
            if error is call.outcome:
                # As `state.outcome.result()` raises it.
                return False
            if isinstance(outcome, Exception):
                raise
            with shield():
                outcome.close()
            return self._judge(call, error)

    def _send_once(self, request: httpx.Request, call: RetryCall) -> Outcome:
        extensions = call.start_attempt(SentWatch)
        sent = request if extensions is None else own_request(request, extensions)
        try:
            return self._send(self._transport, sent)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error
        finally:
            return_body(request, sent)


class AsyncAttempting(AsyncWrapper):
    """A transport that may send a request more than once."""

    _buckets: Buckets

    async def _retry(
        self, request: httpx.Request, policy: RetryPolicy, started: float, outcome: Outcome | None
    ) -> httpx.Response:
        own = async_recorded(request, policy.max_replay)
        call = RetryCall(policy, own, self._transport.handle_async_request, started, self._buckets)
        try:
            while (wait := call.decide(await self._attempt(own, call, outcome))) is not None:
                outcome = None
                if isinstance(call.outcome, httpx.Response):
                    await async_drain(call.outcome, call.drain_seconds(wait))
                if wait:
                    await async_sleep(wait)
            return result(call.outcome)
        except BaseException:
            if isinstance(call.outcome, httpx.Response):
                with async_shield():
                    await call.outcome.aclose()
            raise
        finally:
            call.settle()
            await async_end_recording(request, own)

    async def _attempt(
        self, request: httpx.Request, call: RetryCall, outcome: Outcome | None
    ) -> bool:
        is_wanted = False
        with async_time_limit(call.seconds_left(time.monotonic())) as limit:
            if outcome is None:
                outcome = await self._send_once(request, call)
            is_wanted = await self._judge(call, outcome)
        if limit.cancelled_caught:
            if isinstance(outcome, httpx.Response):
                with async_shield():
                    await outcome.aclose()
            is_wanted = call.end_too_late()
        return is_wanted

    async def _judge(self, call: RetryCall, outcome: Outcome) -> bool:
        if not call.end_attempt(outcome, time.monotonic()):
            return False
        try:
            return await async_ask(call.policy.retry, call.state)
        except httpx.TransportError as error:
            if error is call.outcome:
                # As `state.outcome.result()` raises it.
                return False
            if isinstance(outcome, Exception):
                raise
            with async_shield():
                await outcome.aclose()
            return await self._judge(call, error)

    async def _send_once(self, request: httpx.Request, call: RetryCall) -> Outcome:
        extensions = call.start_attempt(AsyncSentWatch)
        sent = request if extensions is None else own_request(request, extensions)
        try:
            return await self._send(self._transport, sent)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error
        finally:
            return_body(request, sent)


def result(outcome: Outcome) -> httpx.Response:
    """Return a response, raise an error."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
