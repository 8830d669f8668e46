# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`ProxyRoundRobin` and `AsyncProxyRoundRobin`: take turns over proxies."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, Unpack

import httpx2

from ..network.options import check_names
from ..rotation.failover import Call, can_repeat
from ..rotation.health import Cooldown, ProxyStatus
from ..rotation.members import Turn
from ..rotation.pool import Rotation
from ..rotation.proxies import ProxyLike
from ..rotation.settings import Settings
from ..wire.io import async_drain, async_shield, drain, shield
from ..wire.trace import AsyncSentWatch, SentWatch
from .counted import AsyncCountedStream, CountedStream
from .network import async_transport_factory, transport_factory
from .options import HTTPTransportOptions
from .owner import AsyncTransportOwner, TransportOwner
from .streams import AsyncReplayStream, ReplayStream

_DEFAULT_COOLDOWN = Cooldown()
# As much of a body that can be read only once is kept for another proxy.
_MAX_REPLAY = 1024 * 1024


class ProxyRoundRobin(TransportOwner):
    """Takes turns over proxies, and leaves those out that fail.

    When a request provably never reached the origin, the next proxy is tried for it, whatever
    its method; the error of the last one says in a note what each of them said. After the
    origin may have seen a request its error comes back: `RetryTransport(ProxyRoundRobin(...))`
    asks for more, and then the repeat goes to another proxy.

    A proxy that cannot be reached, or answers 407, rests at once. One that fails in another way
    before anything was sent to the origin rests if another one then succeeds; else the target
    is down and not the proxies. After its rest one request probes it, while all others go on
    elsewhere. Who rests and who is back is logged on `transportkit.rotation` at INFO, and
    `response.extensions["proxy"]` tells which one it was; no credentials in either.

    Arguments:
        proxies: a list of proxy URLs (http, https, socks5, socks5h), `httpx2.Proxy` objects,
            ready transports for what httpx2 cannot speak, and None (or `"direct"`) for a turn
            without a proxy; or a dict from those to their weights: 2 means twice as many turns
            as 1. Two URLs with other credentials are two proxies.
        order: `"round_robin"`, exact over a period and without bursts, or `"least_busy"`: of
            two random proxies the one with fewer requests in flight, for its weight. A request
            is in flight until its response is closed.
        sticky: gives the key of a request, such as `sticky_by_host`. The requests with one key
            go through one proxy while that is up; those with None take turns. Default: all do.
        banned: whether a response, unread, means that its target bans the proxy, which then
            rests for that host only. A request that is safe to repeat (an idempotent method or
            an `Idempotency-Key`, a body that can be sent again) goes to the next one.
        cooldown: how long a proxy rests after a failure. Default: `Cooldown()`.
        max_tries: how many proxies may be tried for one request, each once.
        when_all_down: when all proxies rest, `"try"` takes the one that rests the least
            longer, `"raise"` fails at once.
        kwargs: arguments of `httpx2.HTTPTransport`. Each proxy has one, made when it is first
            used; all share one SSL context, for the targets. What an https proxy has to be
            verified with is its own: `httpx2.Proxy(url, ssl_context=...)`.

    Raises:
        TypeError, ValueError: an argument that cannot work. The text says what to write.
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
        proxies: Sequence[ProxyLike | httpx2.BaseTransport]
        | Mapping[str, float]
        | Mapping[ProxyLike | httpx2.BaseTransport, float],
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx2.Request], object] | None = None,
        banned: Callable[[httpx2.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        if "proxy" in kwargs:
            raise TypeError("leave out proxy: the proxies are the first argument")
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        settings.check()
        check_names(kwargs, type(self))
        network = transport_factory(kwargs)
        self._rotation = Rotation(proxies, httpx2.BaseTransport, network, settings)
        super().__init__(self._rotation.ready())

    def handle_request(  # noqa: C901 - it shows every way that a request can go
        self, request: httpx2.Request
    ) -> httpx2.Response:
        extensions, stream = request.extensions, request.stream
        call = Call(self._rotation, request)
        turn = call.first()
        replay = response = None
        try:
            if not isinstance(stream, httpx2.ByteStream) and not can_repeat(stream):
                request.stream = replay = ReplayStream(stream, _MAX_REPLAY)
            while True:
                turn.watch = SentWatch(extensions.get("trace"))
                request.extensions = {**extensions, "trace": turn.watch}
                try:
                    transport = self._rotation.transport_of(turn.member, self._lifecycle)
                    response = self._send(transport, request)
                except Exception as error:
                    following = call.after_error(turn, error)
                    if following is None:
                        raise
                    self._finish(turn, error)
                else:
                    following = call.after_response(turn, response)
                    if following is None:
                        return self._delivered(turn, response)
                    drain(response)
                    self._finish(turn)
                turn = following
        except BaseException as error:
            with shield():
                for each in call.turns:
                    self._finish(each, error)
                if response is not None:
                    with suppress(httpx2.TransportError):
                        response.close()
            raise
        finally:
            request.extensions = extensions
            if replay is not None:
                if request.stream is replay:
                    request.stream = stream
                replay.close()

    def _delivered(
        self, turn: Turn[httpx2.BaseTransport], response: httpx2.Response
    ) -> httpx2.Response:
        response.extensions = {"proxy": turn.member.entry.name, **response.extensions}
        if response.is_closed:
            self._finish(turn)
        else:
            response.stream = CountedStream(response.stream, self._finish, turn)
        return response

    def _finish(self, turn: Turn[httpx2.BaseTransport], cause: BaseException | None = None) -> None:
        transport = self._rotation.roster.done(turn)
        if transport is not None:
            self._let_go(transport, cause)

    def add(self, proxy: ProxyLike | httpx2.BaseTransport, weight: float = 1) -> None:
        """Let one more proxy take turns, while requests run.

        Arguments:
            proxy: what can be in a list of proxies.
            weight: how many turns it takes compared with others.

        Raises:
            TypeError, ValueError, ImportError: it is no proxy, or among them already.
        """
        member = self._rotation.admit(proxy, weight)
        if member.transport is not None:
            try:
                self._hold(member.transport)
            except BaseException:
                self._rotation.remove(proxy)
                raise
        self._rotation.roster.join(member)

    def remove(self, proxy: ProxyLike | httpx2.BaseTransport) -> None:
        """Let a proxy take no more turns; it is closed when its last response is.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        transport = self._rotation.remove(proxy)
        if transport is not None:
            self._let_go(transport)

    def status(self) -> tuple[ProxyStatus, ...]:
        """How each proxy is doing, in the order in which they were given."""
        return self._rotation.roster.status()

    def __repr__(self) -> str:
        return f"<ProxyRoundRobin over {self._rotation}>"


class AsyncProxyRoundRobin(AsyncTransportOwner):
    """Takes turns over proxies, and leaves those out that fail.

    The same as `ProxyRoundRobin`, for `httpx2.AsyncClient`, on asyncio and on trio. `add` and
    `remove` are coroutines here.

    >>> rotation = AsyncProxyRoundRobin(["http://a.example:8080", None], order="least_busy")
    >>> client = httpx2.AsyncClient(transport=rotation)
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        proxies: Sequence[ProxyLike | httpx2.AsyncBaseTransport]
        | Mapping[str, float]
        | Mapping[ProxyLike | httpx2.AsyncBaseTransport, float],
        *,
        order: Literal["round_robin", "least_busy"] = "round_robin",
        sticky: Callable[[httpx2.Request], object] | None = None,
        banned: Callable[[httpx2.Response], object] | None = None,
        cooldown: Cooldown = _DEFAULT_COOLDOWN,
        max_tries: int = 3,
        when_all_down: Literal["try", "raise"] = "try",
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        if "proxy" in kwargs:
            raise TypeError("leave out proxy: the proxies are the first argument")
        settings = Settings(order, sticky, banned, cooldown, max_tries, when_all_down)
        settings.check()
        check_names(kwargs, type(self))
        network = async_transport_factory(kwargs)
        self._rotation = Rotation(proxies, httpx2.AsyncBaseTransport, network, settings)
        super().__init__(self._rotation.ready())

    async def handle_async_request(  # noqa: C901 - it shows every way that a request can go
        self, request: httpx2.Request
    ) -> httpx2.Response:
        extensions, stream = request.extensions, request.stream
        call = Call(self._rotation, request)
        turn = call.first()
        replay = response = None
        try:
            if not isinstance(stream, httpx2.ByteStream) and not can_repeat(stream):
                request.stream = replay = AsyncReplayStream(stream, _MAX_REPLAY)
            while True:
                turn.watch = AsyncSentWatch(extensions.get("trace"))
                request.extensions = {**extensions, "trace": turn.watch}
                try:
                    transport = self._rotation.transport_of(turn.member, self._lifecycle)
                    response = await self._send(transport, request)
                except Exception as error:
                    following = call.after_error(turn, error)
                    if following is None:
                        raise
                    await self._finish(turn, error)
                else:
                    following = call.after_response(turn, response)
                    if following is None:
                        return await self._delivered(turn, response)
                    await async_drain(response)
                    await self._finish(turn)
                turn = following
        except BaseException as error:
            with async_shield():
                for each in call.turns:
                    await self._finish(each, error)
                if response is not None:
                    with suppress(httpx2.TransportError):
                        await response.aclose()
            raise
        finally:
            request.extensions = extensions
            if replay is not None:
                if request.stream is replay:
                    request.stream = stream
                await replay.aclose()

    async def _delivered(
        self, turn: Turn[httpx2.AsyncBaseTransport], response: httpx2.Response
    ) -> httpx2.Response:
        response.extensions = {"proxy": turn.member.entry.name, **response.extensions}
        if response.is_closed:
            await self._finish(turn)
        else:
            response.stream = AsyncCountedStream(response.stream, self._finish, turn)
        return response

    async def _finish(
        self, turn: Turn[httpx2.AsyncBaseTransport], cause: BaseException | None = None
    ) -> None:
        transport = self._rotation.roster.done(turn)
        if transport is not None:
            await self._let_go(transport, cause)

    async def add(self, proxy: ProxyLike | httpx2.AsyncBaseTransport, weight: float = 1) -> None:
        """Let one more proxy take turns, while requests run.

        Arguments:
            proxy: what can be in a list of proxies.
            weight: how many turns it takes compared with others.

        Raises:
            TypeError, ValueError, ImportError: it is no proxy, or among them already.
        """
        member = self._rotation.admit(proxy, weight)
        if member.transport is not None:
            try:
                await self._hold(member.transport)
            except BaseException:
                self._rotation.remove(proxy)
                raise
        self._rotation.roster.join(member)

    async def remove(self, proxy: ProxyLike | httpx2.AsyncBaseTransport) -> None:
        """Let a proxy take no more turns; it is closed when its last response is.

        Raises:
            TypeError, ValueError: it is not among the proxies.
        """
        transport = self._rotation.remove(proxy)
        if transport is not None:
            await self._let_go(transport)

    def status(self) -> tuple[ProxyStatus, ...]:
        """How each proxy is doing, in the order in which they were given."""
        return self._rotation.roster.status()

    def __repr__(self) -> str:
        return f"<AsyncProxyRoundRobin over {self._rotation}>"
