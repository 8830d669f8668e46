# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`ProxyRoundRobin` and `AsyncProxyRoundRobin`: rotate over proxies."""

from collections.abc import Callable
from typing import Literal, Unpack

import httpx2
from httpx2 import ByteStream

from ..rotation.ejection import Cooldown
from ..rotation.rotation import Settings
from ..wire.advising import advising
from ..wire.io import async_shield, shield
from .failing_over import AsyncFailingOver, FailingOver
from .members import AsyncProxies, Proxies
from .options import HTTPTransportOptions

_DEFAULT_COOLDOWN = Cooldown()


@advising()
class ProxyRoundRobin(FailingOver):
    """Rotates over proxies, and ejects those that fail.

    When a request provably never reached the origin, the next proxy is tried, whatever the
    method; the error of the last one has a note on each try. Any other error is raised:
    `RetryTransport(ProxyRoundRobin(...))` tries again, and then through another proxy.

    A proxy that cannot be reached, or answers 407, is ejected at once. One that fails in another
    way before anything was sent to the origin is ejected if another one then succeeds; otherwise
    the target is down, and not the proxies. One that refuses the target is ejected for that host,
    and one that loses requests after they were sent after five in a row while others answer. Want
    of file descriptors or ports is no proxy's fault: idle connections of all are closed, and the
    request is tried again. Once its time is over one request probes a proxy, while the others go
    on elsewhere. Ejections and returns are logged on `transportkit.rotation` at INFO, and
    `response.extensions["proxy"]` names the proxy, both without credentials.

    A repeat, whose `request.extensions["attempt"]` is 2 or more, avoids the proxies that requests
    of its method to its URL have failed through of late. `RetryTransport` sets that.

    A ready transport should raise `ConnectError`, `ConnectTimeout` or `ProxyError` when nothing was
    sent, and another `TransportError` otherwise. With any other error it is ejected, and a request
    that is safe to repeat goes to the next proxy.

    Arguments:
        proxies: a list of proxy URLs (http, https, socks5, socks5h), `httpx2.Proxy` objects,
            ready transports for protocols that httpx2 does not speak, and None (or `"direct"`)
            for no proxy; or a dict from those to their weights: 2 means twice as many requests
            as 1. Two URLs with different credentials are two proxies.
        order: `"round_robin"`, exact over a period and without bursts, or `"least_busy"`: of
            two random proxies the one with fewer requests in flight, relative to its weight. A
            request is in flight until its response is closed.
        sticky: returns the key of a request, as `sticky_by_host` does. Requests with the same
            key go through the same proxy while that is up; those with None rotate. Default: all
            rotate.
        banned: returns True for a response, unread, by which the target bans the proxy; it is
            then ejected for that host only, and its connections are retired. A request that is
            safe to repeat (an idempotent method or an `Idempotency-Key`, a body that can be sent
            again) goes to the next one.
        cooldown: the time for which a proxy is ejected. Default: `Cooldown()`.
        max_tries: the most proxies that are tried for one request, each once.
        when_all_down: when all proxies are ejected, `"try"` takes the one whose ejection ends
            first, and `"raise"` fails at once.
        kwargs: arguments of `httpx2.HTTPTransport`. Each proxy has one, made when it is first
            used, and `limits` hold for each; all share one SSL context, for the targets. An
            https proxy is verified with its own: `httpx2.Proxy(url, ssl_context=...)`.

    Raises:
        TypeError, ValueError: an argument cannot work. The text says what to write.
        ImportError: SOCKS or HTTP/2 without the package it needs.
        httpx2.ProxyError: when sending, with `when_all_down="raise"`.

    >>> rotation = ProxyRoundRobin({"http://scott:tiger@a.example:8080": 2, "http://b.example": 1})
    >>> rotation
    <ProxyRoundRobin over http://****@a.example:8080, http://b.example>
    >>> [status.up for status in rotation.status()]
    [True, True]
    >>> client = httpx2.Client(transport=rotation)
    >>> client.close()
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        proxies: Proxies,
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx2.Request], object] | None = None,
        banned: Callable[[httpx2.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        super().__init__(proxies, settings, kwargs)
        self._is_plain = sticky is None and banned is None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        lease = outcome = None
        if (
            self._is_plain
            and type(request.stream) is ByteStream
            and "attempt" not in request.extensions
        ):
            # Nearly all requests go this way: there is no more to know than whose turn it is.
            lease = self._pool.take_turn()
        if lease is not None:
            try:
                outcome = self._try(lease, request)
                if (
                    isinstance(outcome, httpx2.Response)
                    and outcome.status_code < 407
                    and lease.member.ejected_until is None
                    and not self._pool.outliers.runs
                ):
                    return self._deliver(lease, outcome)
            except BaseException as error:
                with shield():
                    self._release(lease, error)
                raise
        return self._fail_over(request, lease, outcome)


@advising()
class AsyncProxyRoundRobin(AsyncFailingOver):
    """Rotates over proxies, and ejects those that fail.

    The same as `ProxyRoundRobin`, for `httpx2.AsyncClient`, on asyncio and on trio. `add`, `remove`
    and `replace` are coroutines here.

    >>> rotation = AsyncProxyRoundRobin(["http://a.example:8080", None], order="least_busy")
    >>> client = httpx2.AsyncClient(transport=rotation)
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        proxies: AsyncProxies,
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx2.Request], object] | None = None,
        banned: Callable[[httpx2.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        super().__init__(proxies, settings, kwargs)
        self._is_plain = sticky is None and banned is None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        lease = outcome = None
        if (
            self._is_plain
            and type(request.stream) is ByteStream
            and "attempt" not in request.extensions
        ):
            # Nearly all requests go this way: there is no more to know than whose turn it is.
            lease = self._pool.take_turn()
        if lease is not None:
            try:
                outcome = await self._try(lease, request)
                if (
                    isinstance(outcome, httpx2.Response)
                    and outcome.status_code < 407
                    and lease.member.ejected_until is None
                    and not self._pool.outliers.runs
                ):
                    return await self._deliver(lease, outcome)
            except BaseException as error:
                with async_shield():
                    await self._release(lease, error)
                raise
        return await self._fail_over(request, lease, outcome)
