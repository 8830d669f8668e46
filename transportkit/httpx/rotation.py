"""`ProxyRoundRobin` and `AsyncProxyRoundRobin`: rotate over proxies."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, Unpack

import httpx

from ..rotation.ejection import Cooldown
from ..rotation.failover import Failover
from ..rotation.rotation import Settings
from ..wire.draining import async_drain, drain
from ..wire.io import async_shield, shield
from ..wire.request import own_request, return_body
from ..wire.trace import AsyncSentWatch, SentWatch
from .members import AsyncMemberOwner, MemberOwner
from .options import HTTPTransportOptions, ProxyLike
from .streams import async_end_recording, async_recorded, end_recording, recorded

_DEFAULT_COOLDOWN = Cooldown()
# A body that can be read only once is recorded for another proxy, up to this many bytes.
_MAX_REPLAY = 1024 * 1024


class ProxyRoundRobin(MemberOwner):
    """Rotates over proxies, and ejects those that fail.

    When a request provably never reached the origin, the next proxy is tried, whatever the
    method; the error of the last one has a note on each try. Any other error is raised:
    `RetryTransport(ProxyRoundRobin(...))` tries again, and then through another proxy.

    A proxy that cannot be reached, or answers 407, is ejected at once. One that fails in another
    way before anything was sent to the origin is ejected if another one then succeeds; otherwise
    the target is down, and not the proxies. Once its time is over one request probes it, while
    the others go on elsewhere. Ejections and returns are logged on `transportkit.rotation` at
    INFO, and `response.extensions["proxy"]` names the proxy, both without credentials.

    Arguments:
        proxies: a list of proxy URLs (http, https, socks5, socks5h), `httpx.Proxy` objects,
            ready transports for protocols that httpx does not speak, and None (or `"direct"`)
            for no proxy; or a dict from those to their weights: 2 means twice as many requests
            as 1. Two URLs with different credentials are two proxies.
        order: `"round_robin"`, exact over a period and without bursts, or `"least_busy"`: of
            two random proxies the one with fewer requests in flight, relative to its weight. A
            request is in flight until its response is closed.
        sticky: returns the key of a request, as `sticky_by_host` does. Requests with the same
            key go through the same proxy while that is up; those with None rotate. Default: all
            rotate.
        banned: returns True for a response, unread, by which the target bans the proxy; it is
            then ejected for that host only. A request that is safe to repeat (an idempotent
            method or an `Idempotency-Key`, a body that can be sent again) goes to the next one.
        cooldown: the time for which a proxy is ejected. Default: `Cooldown()`.
        max_tries: the most proxies that are tried for one request, each once.
        when_all_down: when all proxies are ejected, `"try"` takes the one whose ejection ends
            first, and `"raise"` fails at once.
        kwargs: arguments of `httpx.HTTPTransport`. Each proxy has one, made when it is first
            used; all share one SSL context, for the targets. An https proxy is verified with
            its own: `httpx.Proxy(url, ssl_context=...)`.

    Raises:
        TypeError, ValueError: an argument cannot work. The text says what to write.
        ImportError: SOCKS or HTTP/2 without the package it needs.
        httpx.ProxyError: when sending, with `when_all_down="raise"`.

    >>> rotation = ProxyRoundRobin({"http://scott:tiger@a.example:8080": 2, "http://b.example": 1})
    >>> rotation
    <ProxyRoundRobin over http://****@a.example:8080, http://b.example>
    >>> [status.up for status in rotation.status()]
    [True, True]
    >>> client = httpx.Client(transport=rotation)
    >>> client.close()
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        proxies: Sequence[ProxyLike | httpx.BaseTransport]
        | Mapping[str, float]
        | Mapping[ProxyLike | httpx.BaseTransport, float],
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx.Request], object] | None = None,
        banned: Callable[[httpx.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        super().__init__(proxies, settings, kwargs)
        self._sticky = sticky
        self._banned = banned

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key = None if self._sticky is None else self._sticky(request)
        own = recorded(request, _MAX_REPLAY)
        failover = Failover(self._rotation, own, key)
        lease = failover.acquire()
        response = None
        try:
            while True:
                lease.watch = SentWatch(request.extensions.get("trace"))
                extensions = {**request.extensions, "trace": lease.watch}
                sent = own_request(own, extensions)
                try:
                    transport = self._transports.get(lease.member, self._lifecycle)
                    response = self._send(transport, sent)
                except Exception as error:
                    following = failover.handle_error(lease, error)
                    if following is None:
                        raise
                    self._release(lease, error)
                else:
                    following = failover.handle_response(lease, response, self._banned)
                    if following is None:
                        return self._deliver(lease, response)
                    drain(response)
                    self._release(lease)
                finally:
                    return_body(own, sent)
                lease = following
        except BaseException as error:
            with shield():
                for each in failover.leases:
                    self._release(each, error)
                if response is not None:
                    with suppress(httpx.TransportError):
                        response.close()
            raise
        finally:
            end_recording(request, own)


class AsyncProxyRoundRobin(AsyncMemberOwner):
    """Rotates over proxies, and ejects those that fail.

    The same as `ProxyRoundRobin`, for `httpx.AsyncClient`, on asyncio and on trio. `add` and
    `remove` are coroutines here.

    >>> rotation = AsyncProxyRoundRobin(["http://a.example:8080", None], order="least_busy")
    >>> client = httpx.AsyncClient(transport=rotation)
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        proxies: Sequence[ProxyLike | httpx.AsyncBaseTransport]
        | Mapping[str, float]
        | Mapping[ProxyLike | httpx.AsyncBaseTransport, float],
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx.Request], object] | None = None,
        banned: Callable[[httpx.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        super().__init__(proxies, settings, kwargs)
        self._sticky = sticky
        self._banned = banned

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = None if self._sticky is None else self._sticky(request)
        own = async_recorded(request, _MAX_REPLAY)
        failover = Failover(self._rotation, own, key)
        lease = failover.acquire()
        response = None
        try:
            while True:
                lease.watch = AsyncSentWatch(request.extensions.get("trace"))
                extensions = {**request.extensions, "trace": lease.watch}
                sent = own_request(own, extensions)
                try:
                    transport = self._transports.get(lease.member, self._lifecycle)
                    response = await self._send(transport, sent)
                except Exception as error:
                    following = failover.handle_error(lease, error)
                    if following is None:
                        raise
                    await self._release(lease, error)
                else:
                    following = failover.handle_response(lease, response, self._banned)
                    if following is None:
                        return await self._deliver(lease, response)
                    await async_drain(response)
                    await self._release(lease)
                finally:
                    return_body(own, sent)
                lease = following
        except BaseException as error:
            with async_shield():
                for each in failover.leases:
                    await self._release(each, error)
                if response is not None:
                    with suppress(httpx.TransportError):
                        await response.aclose()
            raise
        finally:
            await async_end_recording(request, own)
