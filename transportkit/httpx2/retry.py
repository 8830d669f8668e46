# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`RetryTransport` and `AsyncRetryTransport`: try again, safely."""

import time
from typing import Unpack

import httpx2
from httpx2 import ByteStream

from ..retrying.budget import Buckets, RetryBudget
from ..retrying.policy import RetryCall, RetryPolicy, bare_methods, policy_for
from ..wire.io import async_drain, async_shield, async_sleep, drain, shield, sleep
from .options import HTTPTransportOptions
from .sending import AsyncSending, Sending, drain_seconds
from .wrapper import AsyncWrapper, Wrapper

_DEFAULT_POLICY = RetryPolicy()
_DEFAULT_BUDGET = RetryBudget()


class RetryTransport(Wrapper):
    """Sends a request again when it failed in a way that another attempt may mend.

    By default that is a response 429, 502, 503 or 504, or a transport error; up to four
    attempts, waiting as long as the server asks for, or else exponentially longer with
    jitter. A request that may have reached the origin is repeated only if its method is
    idempotent or it has an `Idempotency-Key` header; one that provably has not, always.

    A body is sent again whole or not at all. A response that is not returned is drained or
    closed before any wait. The last outcome is what comes back: the response, unread, or
    the error. `response.extensions["attempts"]` tells what was tried, unless the first
    attempt succeeded.

    `extensions={"retry": RetryPolicy(...)}` gives one request a policy of its own, and
    `{"retry": None}` a single attempt. Retries are logged on `transportkit.retrying` at INFO.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        policy: when to try again. Default: `RetryPolicy()`.
        budget: how many retries an origin is worth; None for no bound.
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
        policy: RetryPolicy = _DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = _DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(policy, budget)
        super().__init__(transport, **kwargs)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._buckets = Buckets(budget)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        started = time.monotonic()
        if (
            request.method in self._bare_methods
            and type(request.stream) is ByteStream
            and "retry" not in request.extensions
            and self._lifecycle.is_ready
        ):
            # Nothing has to be told to the inner transport, and nothing taken back from it: this
            # is the way of nearly all requests, and it costs next to nothing.
            outcome: httpx2.Response | Exception
            try:
                outcome = self._transport.handle_request(request)
                if outcome.status_code < 400 and not self._buckets.by_origin:
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return self._attempts(request, Sending(self._policy, request, started), outcome)
        policy = policy_for(request.extensions, self._policy)
        if policy is None:
            return self._send(self._transport, request)
        return self._attempts(request, Sending(policy, request, started), None)

    def _attempts(
        self,
        request: httpx2.Request,
        sending: Sending,
        outcome: httpx2.Response | Exception | None,
    ) -> httpx2.Response:
        """Attempt until it is enough, from the outcome of a first attempt if there was one."""
        try:
            if outcome is None:
                outcome = self._attempt(request, sending)
            if isinstance(outcome, httpx2.Response) and outcome.status_code < 400:
                self._buckets.succeeded(request.url)
                return outcome
            call = RetryCall(
                sending.policy,
                request,
                self._transport.handle_request,
                sending.started,
                self._buckets,
            )
            while True:
                now = time.monotonic()
                wait = call.wait_after(outcome, sending.watch, sending.replay, now)
                if wait is None:
                    return result(outcome)
                if isinstance(outcome, httpx2.Response):
                    drain(outcome, drain_seconds(sending, wait, now))
                sleep(wait)
                outcome = self._attempt(request, sending)
        except BaseException:
            if isinstance(outcome, httpx2.Response):
                with shield():
                    outcome.close()
            raise
        finally:
            sending.settle(request)

    def _attempt(self, request: httpx2.Request, sending: Sending) -> httpx2.Response | Exception:
        request.extensions = sending.extensions()
        try:
            return self._send(self._transport, request)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error


class AsyncRetryTransport(AsyncWrapper):
    """Sends a request again when it failed in a way that another attempt may mend.

    The same as `RetryTransport`, for `httpx2.AsyncClient`, on asyncio and on trio.

    >>> transport = AsyncRetryTransport(policy=RetryPolicy(deadline=10), http2=True)
    >>> client = httpx2.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        policy: RetryPolicy = _DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = _DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(policy, budget)
        super().__init__(transport, **kwargs)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._buckets = Buckets(budget)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        started = time.monotonic()
        if (
            request.method in self._bare_methods
            and type(request.stream) is ByteStream
            and "retry" not in request.extensions
            and self._lifecycle.is_ready
        ):
            # Nothing has to be told to the inner transport, and nothing taken back from it: this
            # is the way of nearly all requests, and it costs next to nothing.
            outcome: httpx2.Response | Exception
            try:
                outcome = await self._transport.handle_async_request(request)
                if outcome.status_code < 400 and not self._buckets.by_origin:
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return await self._attempts(
                request, AsyncSending(self._policy, request, started), outcome
            )
        policy = policy_for(request.extensions, self._policy)
        if policy is None:
            return await self._send(self._transport, request)
        return await self._attempts(request, AsyncSending(policy, request, started), None)

    async def _attempts(
        self,
        request: httpx2.Request,
        sending: AsyncSending,
        outcome: httpx2.Response | Exception | None,
    ) -> httpx2.Response:
        """Attempt until it is enough, from the outcome of a first attempt if there was one."""
        try:
            if outcome is None:
                outcome = await self._attempt(request, sending)
            if isinstance(outcome, httpx2.Response) and outcome.status_code < 400:
                self._buckets.succeeded(request.url)
                return outcome
            call = RetryCall(
                sending.policy,
                request,
                self._transport.handle_async_request,
                sending.started,
                self._buckets,
            )
            while True:
                now = time.monotonic()
                wait = call.wait_after(outcome, sending.watch, sending.replay, now)
                if wait is None:
                    return result(outcome)
                if isinstance(outcome, httpx2.Response):
                    await async_drain(outcome, drain_seconds(sending, wait, now))
                await async_sleep(wait)
                outcome = await self._attempt(request, sending)
        except BaseException:
            if isinstance(outcome, httpx2.Response):
                with async_shield():
                    await outcome.aclose()
            raise
        finally:
            await sending.settle(request)

    async def _attempt(
        self, request: httpx2.Request, sending: AsyncSending
    ) -> httpx2.Response | Exception:
        request.extensions = sending.extensions()
        try:
            return await self._send(self._transport, request)
        except Exception as error:  # noqa: BLE001 - the policy says what to make of it
            return error


def result(outcome: httpx2.Response | Exception) -> httpx2.Response:
    """Return a response, raise an error."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def check_arguments(policy: object, budget: object) -> None:
    """Refuse what is no policy or no budget."""
    if not isinstance(policy, RetryPolicy):
        raise TypeError(f"policy must be a RetryPolicy, not {policy!r}: write RetryPolicy(...)")
    if budget is not None and not isinstance(budget, RetryBudget):
        raise TypeError(f"budget must be a RetryBudget or None, not {budget!r}")
