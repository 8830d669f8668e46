"""The clients that network.py compares, and batches of requests through them."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

from transportkit import AsyncProxyRoundRobin
from transportkit.httpx.network import AsyncNetworkTransport

Get = Callable[[str], Awaitable[object]]


@contextlib.asynccontextmanager
async def through(name: str, transport: httpx.AsyncBaseTransport) -> AsyncIterator[Get]:
    headers = {"X-By": name}
    async with httpx.AsyncClient(transport=transport, headers=headers, timeout=60) as client:
        yield client.get


class InTurn(httpx.AsyncBaseTransport):
    """A rotation as one writes it with a stock transport for each proxy."""

    def __init__(self, proxies: list[str], **options: Any) -> None:
        self._all = [httpx.AsyncHTTPTransport(proxy=proxy, **options) for proxy in proxies]
        self._turns = itertools.cycle(self._all)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await next(self._turns).handle_async_request(request)

    async def aclose(self) -> None:
        for each in self._all:
            await each.aclose()


def stock(**options: Any) -> contextlib.AbstractAsyncContextManager[Get]:
    made = InTurn(**options) if "proxies" in options else httpx.AsyncHTTPTransport(**options)
    return through("stock", made)


def ours(**options: Any) -> contextlib.AbstractAsyncContextManager[Get]:
    kind: Any = AsyncProxyRoundRobin if "proxies" in options else AsyncNetworkTransport
    return through("ours", kind(**options))


@contextlib.asynccontextmanager
async def aiohttp(limits: httpx.Limits, verify: Any, **options: Any) -> AsyncIterator[Get]:
    import aiohttp as peer

    connector = peer.TCPConnector(limit=limits.max_connections or 0, ssl=verify)
    turns = itertools.cycle(options.get("proxies", (None,)))

    async with peer.ClientSession(connector=connector, headers={"X-By": "aiohttp"}) as session:

        async def get(url: str) -> object:
            async with session.get(url, proxy=next(turns)) as response:
                return await response.read()

        yield get


CONTESTANTS: dict[str, Any] = {"stock": stock, "ours": ours, "aiohttp": aiohttp}


async def batch(get: Get, urls: list[str], at_once: int, latencies: list[float]) -> float:
    """Seconds per request of so many, by `at_once` workers."""
    left = iter(urls)

    async def work() -> None:
        for url in left:
            began = time.perf_counter()
            await get(url)
            latencies.append(time.perf_counter() - began)

    started = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return (time.perf_counter() - started) / len(urls)
