"""`RetryTransport` and `AsyncRetryTransport`: try again, safely."""

import time
from typing import Unpack

import httpx

from .._io import async_drain, async_shield, async_sleep, drain, shield, sleep
from .._network import HTTPTransportOptions
from .._wrapper import AsyncWrapper, Wrapper
from .budget import Buckets, RetryBudget
from .policy import RetryCall, RetryPolicy, policy_for
from .sending import AsyncSending, Sending, drain_seconds

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
        kwargs: arguments of `httpx.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: an argument of another type, or a transport and kwargs both.

    >>> transport = RetryTransport(httpx.MockTransport(lambda request: httpx.Response(200)))
    >>> with httpx.Client(transport=transport) as client:
    ...     client.get("https://api.example.com/", extensions={"retry": None})
    <Response [200 OK]>
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        policy: RetryPolicy = _DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = _DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(policy, budget)
        super().__init__(transport, **kwargs)
        self._policy = policy
        self._buckets = Buckets(budget)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        extensions, stream = request.extensions, request.stream
        policy = policy_for(extensions) if "retry" in extensions else self._policy
        if policy is None:
            return self._send(self._transport, request)
        started = time.monotonic()
        sending = None
        if (
            request.method not in policy.methods
            or policy.deadline is not None
            or not isinstance(stream, httpx.ByteStream)
        ):
            sending = Sending(policy, request, extensions, started)
        request.extensions = {**extensions} if sending is None else sending.extensions()
        try:
            outcome: httpx.Response | Exception
            try:
                outcome = response = self._send(self._transport, request)
                if response.status_code < 400:
                    if self._buckets.by_origin:
                        self._buckets.succeeded(request.url)
                    return response
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            if sending is None:
                sending = Sending(policy, request, extensions, started)
            return self._again(request, outcome, sending)
        finally:
            if sending is not None:
                sending.settle(request)
            request.extensions, request.stream = extensions, stream

    def _again(
        self, request: httpx.Request, outcome: httpx.Response | Exception, sending: Sending
    ) -> httpx.Response:
        """Go on from the outcome of a first attempt."""
        send = self._transport.handle_request
        call = RetryCall(sending.policy, request, send, sending.started, self._buckets)
        try:
            while True:
                now = time.monotonic()
                wait = call.wait_after(outcome, sending.watch, sending.replay, now)
                if wait is None:
                    return result(outcome)
                if isinstance(outcome, httpx.Response):
                    drain(outcome, request.extensions, drain_seconds(sending, wait, now))
                sleep(wait)
                request.extensions = sending.extensions()
                try:
                    outcome = self._send(self._transport, request)
                except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                    outcome = error
        except BaseException:
            if isinstance(outcome, httpx.Response):
                with shield():
                    outcome.close()
            raise


class AsyncRetryTransport(AsyncWrapper):
    """Sends a request again when it failed in a way that another attempt may mend.

    The same as `RetryTransport`, for `httpx.AsyncClient`, on asyncio and on trio.

    >>> transport = AsyncRetryTransport(policy=RetryPolicy(deadline=10), http2=True)
    >>> client = httpx.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        policy: RetryPolicy = _DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = _DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(policy, budget)
        super().__init__(transport, **kwargs)
        self._policy = policy
        self._buckets = Buckets(budget)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        extensions, stream = request.extensions, request.stream
        policy = policy_for(extensions) if "retry" in extensions else self._policy
        if policy is None:
            return await self._send(self._transport, request)
        started = time.monotonic()
        sending = None
        if (
            request.method not in policy.methods
            or policy.deadline is not None
            or not isinstance(stream, httpx.ByteStream)
        ):
            sending = AsyncSending(policy, request, extensions, started)
        request.extensions = {**extensions} if sending is None else sending.extensions()
        try:
            outcome: httpx.Response | Exception
            try:
                outcome = response = await self._send(self._transport, request)
                if response.status_code < 400:
                    if self._buckets.by_origin:
                        self._buckets.succeeded(request.url)
                    return response
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            if sending is None:
                sending = AsyncSending(policy, request, extensions, started)
            return await self._again(request, outcome, sending)
        finally:
            if sending is not None:
                await sending.settle(request)
            request.extensions, request.stream = extensions, stream

    async def _again(
        self, request: httpx.Request, outcome: httpx.Response | Exception, sending: AsyncSending
    ) -> httpx.Response:
        """Go on from the outcome of a first attempt."""
        send = self._transport.handle_async_request
        call = RetryCall(sending.policy, request, send, sending.started, self._buckets)
        try:
            while True:
                now = time.monotonic()
                wait = call.wait_after(outcome, sending.watch, sending.replay, now)
                if wait is None:
                    return result(outcome)
                if isinstance(outcome, httpx.Response):
                    await async_drain(
                        outcome, request.extensions, drain_seconds(sending, wait, now)
                    )
                await async_sleep(wait)
                request.extensions = sending.extensions()
                try:
                    outcome = await self._send(self._transport, request)
                except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                    outcome = error
        except BaseException:
            if isinstance(outcome, httpx.Response):
                with async_shield():
                    await outcome.aclose()
            raise


def result(outcome: httpx.Response | Exception) -> httpx.Response:
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
