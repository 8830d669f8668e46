# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`RetryTransport` and `AsyncRetryTransport`: try again, safely."""

import time
from typing import Unpack

import httpx2
from httpx2 import ByteStream

from ..retrying.attempt import RetryCall
from ..retrying.budget import DEFAULT_BUDGET, Buckets, RetryBudget
from ..retrying.policy import DEFAULT_POLICY, RetryPolicy, bare_methods, check_policy, policy_for
from ..wire.io import async_drain, async_shield, async_sleep, drain, shield, sleep
from ..wire.request import own_request, return_body
from ..wire.trace import AsyncSentWatch, SentWatch
from .options import HTTPTransportOptions
from .streams import async_end_recording, async_recorded, end_recording, recorded
from .wrapper import AsyncWrapper, Wrapper

Outcome = httpx2.Response | Exception


class RetryTransport(Wrapper):
    """Sends a request again when it failed in a way that another attempt may mend.

    By default that is a response 429, 502, 503 or 504, or a transport error; up to four attempts
    are made, waiting as long as the server asks for, or else exponentially longer, with jitter.
    A request that may have reached the origin is repeated only if its method is idempotent or it
    has an `Idempotency-Key` header; one that provably has not is always repeated.

    A body is sent again whole or not at all. A response that is not returned is drained or closed
    before any wait. What comes back is the last outcome: the response, unread, or the error.
    `response.extensions["attempts"]` lists the attempts, unless the first one succeeded.

    `extensions={"retry": RetryPolicy(...)}` gives one request a policy of its own, and
    `{"retry": None}` a single attempt. Retries are logged on `transportkit.retrying` at INFO.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        policy: when to try again. Default: `RetryPolicy()`.
        budget: a bound on the retries of each origin; None for no bound.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: an argument of another type, or a transport and kwargs both.

    >>> transport = RetryTransport(httpx2.MockTransport(lambda request: httpx2.Response(200)))
    >>> with httpx2.Client(transport=transport) as client:
    ...     client.get("https://api.example.com/", extensions={"retry": None})
    <Response [200 OK]>
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport | None = None,
        policy: RetryPolicy = DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_policy(policy)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._buckets = Buckets(budget)
        super().__init__(transport, **kwargs)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        started = time.monotonic()
        if (
            request.method in self._bare_methods
            and type(request.stream) is ByteStream
            and "retry" not in request.extensions
            and self._lifecycle.is_ready
        ):
            # The inner transport has to be told nothing, and nothing has to be taken back from it.
            # Nearly all requests go this way, which costs next to nothing.
            outcome: Outcome
            try:
                outcome = self._transport.handle_request(request)
                if outcome.status_code < 400 and not self._buckets.by_origin:
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return self._retry(request, self._policy, started, outcome)
        policy = policy_for(request.extensions, self._policy)
        if policy is None:
            return self._send(self._transport, request)
        return self._retry(request, policy, started, None)

    def _retry(
        self, request: httpx2.Request, policy: RetryPolicy, started: float, outcome: Outcome | None
    ) -> httpx2.Response:
        """Attempt until it is enough, from the outcome of a first attempt if there was one."""
        own = recorded(request, policy.max_replay)
        call = RetryCall(policy, own, self._transport.handle_request, started, self._buckets)
        try:
            if outcome is None:
                outcome = self._attempt(own, call)
            while (wait := call.end_attempt(outcome, time.monotonic())) is not None:
                if isinstance(outcome, httpx2.Response):
                    drain(outcome, call.drain_seconds(wait))
                sleep(wait)
                outcome = self._attempt(own, call)
            return result(outcome)
        except BaseException:
            if isinstance(outcome, httpx2.Response):
                with shield():
                    outcome.close()
            raise
        finally:
            call.settle()
            end_recording(request, own)

    def _attempt(self, request: httpx2.Request, call: RetryCall) -> Outcome:
        sent = own_request(request, call.start_attempt(SentWatch))
        try:
            return self._send(self._transport, sent)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error
        finally:
            return_body(request, sent)


class AsyncRetryTransport(AsyncWrapper):
    """Sends a request again when it failed in a way that another attempt may mend.

    The same as `RetryTransport`, for `httpx2.AsyncClient`, on asyncio and on trio.

    >>> transport = AsyncRetryTransport(policy=RetryPolicy(deadline=10), http2=True)
    >>> client = httpx2.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        policy: RetryPolicy = DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_policy(policy)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._buckets = Buckets(budget)
        super().__init__(transport, **kwargs)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        started = time.monotonic()
        if (
            request.method in self._bare_methods
            and type(request.stream) is ByteStream
            and "retry" not in request.extensions
            and self._lifecycle.is_ready
        ):
            outcome: Outcome
            try:
                outcome = await self._transport.handle_async_request(request)
                if outcome.status_code < 400 and not self._buckets.by_origin:
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return await self._retry(request, self._policy, started, outcome)
        policy = policy_for(request.extensions, self._policy)
        if policy is None:
            return await self._send(self._transport, request)
        return await self._retry(request, policy, started, None)

    async def _retry(
        self, request: httpx2.Request, policy: RetryPolicy, started: float, outcome: Outcome | None
    ) -> httpx2.Response:
        own = async_recorded(request, policy.max_replay)
        call = RetryCall(policy, own, self._transport.handle_async_request, started, self._buckets)
        try:
            if outcome is None:
                outcome = await self._attempt(own, call)
            while (wait := call.end_attempt(outcome, time.monotonic())) is not None:
                if isinstance(outcome, httpx2.Response):
                    await async_drain(outcome, call.drain_seconds(wait))
                await async_sleep(wait)
                outcome = await self._attempt(own, call)
            return result(outcome)
        except BaseException:
            if isinstance(outcome, httpx2.Response):
                with async_shield():
                    await outcome.aclose()
            raise
        finally:
            call.settle()
            await async_end_recording(request, own)

    async def _attempt(self, request: httpx2.Request, call: RetryCall) -> Outcome:
        sent = own_request(request, call.start_attempt(AsyncSentWatch))
        try:
            return await self._send(self._transport, sent)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error
        finally:
            return_body(request, sent)


def result(outcome: Outcome) -> httpx2.Response:
    """Return a response, raise an error."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
