"""`RetryTransport` and `AsyncRetryTransport`: try again, safely."""

import time
from typing import Unpack

import httpx
from httpx import ByteStream

from ..retrying.attempt import single_attempt
from ..retrying.budget import DEFAULT_BUDGET, Buckets, RetryBudget
from ..retrying.policy import (
    DEFAULT_POLICY,
    RetryPolicy,
    bare_methods,
    check_connects,
    check_policy,
    policy_for,
    settings,
)
from ..wire.advising import advising
from .attempting import AsyncAttempting, Attempting, Outcome
from .options import HTTPTransportOptions


@advising()
class RetryTransport(Attempting):
    """Sends a request again when it failed in a way that another attempt may mend.

    By default that is a response 429, 502, 503 or 504, or a transport error; up to four attempts
    are made, waiting as long as the server asks for, or else exponentially longer, with jitter.
    A request that may have reached the origin is repeated only if its method is idempotent or it
    has an `Idempotency-Key` header; one that provably has not is always repeated.

    A body is sent again whole or not at all. A response that is not returned is drained or closed
    before any wait. What comes back is the last outcome: the response, unread, or the error.
    `response.extensions["attempts"]` lists the attempts, each an `Attempt` that says why no other
    one followed. Beneath, `request.extensions["attempt"]` is 2, 3 and so on in the repeats, and
    is not there in the first attempt.

    `extensions={"retry": RetryPolicy(...)}` gives one request a policy of its own, and
    `{"retry": None}` a single attempt. Retries are logged on `transportkit.retrying` at INFO, and
    so is why one was not made that the policy wants.

    What a retry transport beneath has given up on is not repeated, unless the policy says so.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        policy: when to try again. Default: `RetryPolicy()`.
        budget: a bound on the retries of each origin; None for no bound.
        kwargs: arguments of `httpx.HTTPTransport`, in place of a transport, but for `retries`:
            failed connects are repeated here.

    Raises:
        TypeError: an argument of another type, a transport and kwargs both, or `retries`.

    >>> transport = RetryTransport(httpx.MockTransport(lambda request: httpx.Response(200)))
    >>> with httpx.Client(transport=transport) as client:
    ...     client.get("https://api.example.com/", extensions={"retry": None})
    <Response [200 OK]>
    """

    _instead = "send the RetryPolicy and make another one in the other process"

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        policy: RetryPolicy = DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_connects(kwargs)
        check_policy(policy, httpx.BaseTransport)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._budget = budget
        self._buckets = Buckets(budget)
        super().__init__(transport, **kwargs)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
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
                if (status := outcome.status_code) < 400:
                    if self._buckets.by_origin:
                        self._buckets.record_success(request.url)
                    outcome.extensions.setdefault("attempts", single_attempt(status))
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return self._retry(request, self._policy, started, outcome)
        policy = policy_for(request.extensions, self._policy, httpx.BaseTransport)
        return self._retry(request, policy, started, None)

    def _settings(self) -> str:
        return settings(self._policy, self._budget)


@advising()
class AsyncRetryTransport(AsyncAttempting):
    """Sends a request again when it failed in a way that another attempt may mend.

    The same as `RetryTransport`, for `httpx.AsyncClient`, on asyncio and on trio.

    >>> transport = AsyncRetryTransport(policy=RetryPolicy(deadline=10), http2=True)
    >>> client = httpx.AsyncClient(transport=transport)
    """

    _instead = "send the RetryPolicy and make another one in the other process"

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        policy: RetryPolicy = DEFAULT_POLICY,
        *,
        budget: RetryBudget | None = DEFAULT_BUDGET,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_connects(kwargs)
        check_policy(policy, httpx.AsyncBaseTransport)
        self._policy = policy
        self._bare_methods = bare_methods(policy)
        self._budget = budget
        self._buckets = Buckets(budget)
        super().__init__(transport, **kwargs)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
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
                if (status := outcome.status_code) < 400:
                    if self._buckets.by_origin:
                        self._buckets.record_success(request.url)
                    outcome.extensions.setdefault("attempts", single_attempt(status))
                    return outcome
            except Exception as error:  # noqa: BLE001 - the policy says what to make of it
                outcome = error
            return await self._retry(request, self._policy, started, outcome)
        policy = policy_for(request.extensions, self._policy, httpx.AsyncBaseTransport)
        return await self._retry(request, policy, started, None)

    def _settings(self) -> str:
        return settings(self._policy, self._budget)
