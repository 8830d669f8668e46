"""What a request costs through our pool, against the stock client's and aiohttp's.

    python tests/benchmarks/network.py [--all] [PART ...]

Each part is run by itself: the servers are processes of their own. With `--all` there are more of
them, and more than ratios: requests a second, percentiles, connections opened, memory. Exits with
status 1 when a bar is missed.
"""

import asyncio
import contextlib
import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import trustme
from ratios import Report

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.quick import http2_server, quick_server

from transportkit import AsyncProxyRoundRobin
from transportkit.httpx.network import AsyncNetworkTransport, NetworkTransport

ROUNDS = 9
KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=None)
DEFAULT = httpx.Limits(max_connections=100, max_keepalive_connections=20)
IS_ALL = "--all" in sys.argv


Get = Callable[[str], Awaitable[object]]


@contextlib.asynccontextmanager
async def stock(limits: httpx.Limits, context: Any, **options: Any) -> AsyncIterator[Get]:
    transport: httpx.AsyncBaseTransport
    if proxies := options.pop("proxies", ()):
        transport = InTurn(proxies, limits=limits, verify=context, **options)
    else:
        transport = httpx.AsyncHTTPTransport(limits=limits, verify=context, **options)
    headers = {"X-By": "stock"}
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


@contextlib.asynccontextmanager
async def ours(limits: httpx.Limits, context: Any, **options: Any) -> AsyncIterator[Get]:
    transport: httpx.AsyncBaseTransport
    if proxies := options.pop("proxies", ()):
        transport = AsyncProxyRoundRobin(proxies, limits=limits, verify=context, **options)
    else:
        transport = AsyncNetworkTransport(limits=limits, verify=context, **options)
    headers = {"X-By": "ours"}
    async with httpx.AsyncClient(transport=transport, headers=headers, timeout=60) as client:
        yield client.get


@contextlib.asynccontextmanager
async def aiohttp(limits: httpx.Limits, context: Any, **options: Any) -> AsyncIterator[Get]:
    import aiohttp as peer

    connector = peer.TCPConnector(limit=limits.max_connections or 0, ssl=context)
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


Measured = dict[str, tuple[float, list[float]]]


async def measured(
    urls: list[str], at_once: int, limits: httpx.Limits, names: tuple[str, ...], **options: Any
) -> Measured:
    """The median time of interleaved rounds, and the latencies, with connections opened before."""
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {name: [] for name in names}
    latencies: dict[str, list[float]] = {name: [] for name in names}
    async with contextlib.AsyncExitStack() as stack:
        gets = {
            name: await stack.enter_async_context(CONTESTANTS[name](limits, context, **options))
            for name in names
        }
        for get in gets.values():
            if not options and len(urls) == 1:
                await batch(get, [f"{urls[0]}wait"] * 100, 100, [])
            await batch(get, (urls * at_once)[: max(at_once, len(urls))], at_once, [])
        # hypercorn ends an HTTP/2 connection after so many requests, or when it has been idle.
        count = at_once if "http2" in options else max(at_once * 3, 30)
        for _ in range(ROUNDS):
            for name, get in gets.items():
                asked = (urls * count)[:count]
                times[name].append(await batch(get, asked, at_once, latencies[name]))
    return {name: (statistics.median(times[name]), latencies[name]) for name in names}


def compare(
    report: Report, what: str, urls: list[str], at_once: int, limits: httpx.Limits, **options: Any
) -> None:
    bar = options.pop("at_most", 0)
    names = ("stock", "ours") if "http2" in options else tuple(CONTESTANTS)
    found = asyncio.run(measured(urls, at_once, limits, names, **options))
    show(report, f"{what}, {at_once} at once", found, bar)
    if IS_ALL and "http2" not in options:
        opened = httpx.get(f"{urls[0]}opened", verify=False, trust_env=False).json()
        print(f"    connections opened so far: {opened}")


def show(report: Report, what: str, found: Measured, bar: float = 0) -> None:
    """The ratios to the stock client's time; with `--all` also what they are made of."""
    stock = found["stock"][0]
    report.ratio(what, found["ours"][0] / stock, at_most=bar)
    if "aiohttp" in found:
        report.ratio("   aiohttp's", found["aiohttp"][0] / stock)
    for name, (seconds, latencies) in found.items() if IS_ALL else ():
        points = statistics.quantiles(latencies, n=100)
        rate, p50, p99 = 1 / seconds, points[49] * 1e3, points[98] * 1e3
        print(f"    {name:<8} {rate:>7.0f} requests/s, p50 {p50:>7.2f} ms, p99 {p99:>7.2f} ms")


def kept(report: Report, _: str) -> None:
    print("Time per request against the stock client's, 100 connections kept:")
    with quick_server() as urls:
        sizes = [(1, 1.05), (10, 0.12), (32, 0.12)] + [(100, 0), (300, 0), (1000, 0)] * IS_ALL
        for at_once, bar in sizes:
            compare(report, "one origin", urls, at_once, KEPT, at_most=bar)


def defaults(report: Report, _: str) -> None:
    print("The same with the default limits:")
    with quick_server() as urls:
        sizes = [(1, 1.05), (10, 0.85), (32, 0.65)] + [(100, 0), (300, 0), (1000, 0)] * IS_ALL
        for at_once, bar in sizes:
            compare(report, "one origin", urls, at_once, DEFAULT, at_most=bar)


def origins(report: Report, _: str) -> None:
    print("200 origins in turn:")
    with quick_server(count=200) as urls:
        for at_once in (1, 10, 32):
            compare(report, "default limits", urls, at_once, DEFAULT)
            compare(report, "100 kept", urls, at_once, KEPT)


def rotation(report: Report, _: str) -> None:
    print("A rotation of 100 proxies, against a stock transport for each:")
    with quick_server(count=100) as proxies:
        for at_once in (1, 10, 32):
            url = "http://shop.example/"
            found = measured([url], at_once, DEFAULT, tuple(CONTESTANTS), proxies=proxies)
            show(report, f"one origin, {at_once} at once", asyncio.run(found))


def memory(report: Report, _: str) -> None:
    print("Resident memory with 100 connections kept, in a process of its own:")
    with quick_server() as urls:
        for name in CONTESTANTS:
            subprocess.run([sys.executable, __file__, "hold", name, urls[0]], check=True)


async def hold(name: str, url: str) -> None:
    context = httpx.create_ssl_context(verify=False)
    async with CONTESTANTS[name](KEPT, context) as get:
        await get(url)
        before = resident()
        await batch(get, [f"{url}wait"] * 100, 100, [])
        print(f"    {name:<8} {resident() - before:>7.0f} KiB more than with one")


def resident() -> float:
    gc.collect()
    return float(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4


def alone(report: Report, _: str) -> None:
    print("One connection, which is all that there is:")
    with quick_server() as urls:
        show(report, "async", asyncio.run(one_by_one(urls[0])), 1.05)
        show(report, "sync", threads(urls[0], 1), 1.05)
        for count in (8, 64):
            show(report, f"sync, {count} threads", threads(urls[0], count))


async def one_by_one(url: str) -> Measured:
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    latencies: dict[str, list[float]] = {"stock": [], "ours": []}
    async with stock(DEFAULT, context) as theirs, ours(DEFAULT, context) as mine:
        for _ in range(ROUNDS * 10):
            for name, get in (("stock", theirs), ("ours", mine)):
                times[name].append(await batch(get, [url] * 20, 1, latencies[name]))
    return {name: (statistics.median(times[name]), latencies[name]) for name in times}


def threads(url: str, count: int) -> Measured:
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    latencies: dict[str, list[float]] = {"stock": [], "ours": []}
    asked = [url] * (20 if count == 1 else count * 2)
    with (
        httpx.Client(transport=httpx.HTTPTransport(verify=context), timeout=60) as theirs,
        httpx.Client(transport=NetworkTransport(verify=context), timeout=60) as mine,
        ThreadPoolExecutor(count) as pool,
    ):
        for _ in range(ROUNDS * (10 if count == 1 else 1)):
            for name, client in (("stock", theirs), ("ours", mine)):

                def get(url: str) -> float:
                    began = time.perf_counter()
                    client.get(url)  # noqa: B023 - used at once
                    return time.perf_counter() - began

                started = time.perf_counter()
                latencies[name] += map(get, asked) if count == 1 else pool.map(get, asked)
                times[name].append((time.perf_counter() - started) / len(asked))
    return {name: (statistics.median(times[name]), latencies[name]) for name in times}


def encrypted(report: Report, certificate: str) -> None:
    print("Over TLS, 100 connections kept:")
    with quick_server(certificate) as urls:
        for at_once in (1, 10, 32, 100, 300) if IS_ALL else (32,):
            compare(report, "one origin", urls, at_once, KEPT)


def http2(report: Report, certificate: str) -> None:
    print("HTTP/2, one connection:")
    with http2_server(certificate) as url:
        for at_once, bar in (1, 0), (10, 0), (32, 1.05):
            if bar or IS_ALL:
                compare(report, "", [f"{url}/"], at_once, DEFAULT, http2=True, at_most=bar)


PARTS: dict[str, Callable[[Report, str], None]] = {
    part.__name__: part for part in (alone, kept, defaults, encrypted, http2)
}
MORE: dict[str, Callable[[Report, str], None]] = {
    part.__name__: part for part in (origins, rotation, memory)
}


def main(*parts: str) -> None:
    report = Report()
    known = PARTS | MORE
    with TemporaryDirectory() as directory:
        certificate = Path(directory) / "server.pem"
        server = trustme.CA().issue_cert("127.0.0.1")
        server.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        for part in parts or (known if IS_ALL else PARTS):
            known[part](report, str(certificate))
    sys.exit(not report.met)


if __name__ == "__main__":
    if sys.argv[1:2] == ["hold"]:
        asyncio.run(hold(*sys.argv[2:]))
    else:
        main(*(argument for argument in sys.argv[1:] if argument != "--all"))
