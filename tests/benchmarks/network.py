"""What a request costs through our pool, against the stock client's and aiohttp's.

    python tests/benchmarks/network.py [--all] [PART ...]

Each part is run by itself: the servers are processes of their own. With `--all`, which takes
minutes, there are more of them, and more than ratios: requests a second, percentiles, connections
opened, memory. Exits with status 1 when a bar is missed.
"""

import asyncio
import contextlib
import gc
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import trustme
from contestants import CONTESTANTS, batch
from ratios import BARE, Report

sys.path.insert(0, str(Path(__file__).parents[1]))
from quick import http2_server, quick_server

from transportkit.httpx.network import NetworkTransport

IS_ALL = "--all" in sys.argv
ROUNDS = 9 if IS_ALL else 5
ROUNDS_ALONE = 300 if IS_ALL else 150
KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=None)
DEFAULT = httpx.Limits(max_connections=100, max_keepalive_connections=20)

Measured = dict[str, tuple[float, list[float]]]


async def measured(
    urls: list[str], at_once: int, *, names: tuple[str, ...] = tuple(CONTESTANTS), **options: Any
) -> Measured:
    """The median time of interleaved rounds, and the latencies, with connections opened before."""
    context = httpx.create_ssl_context(verify=False)
    is_alone = "limits" not in options
    options.setdefault("limits", DEFAULT)
    times: dict[str, list[float]] = {name: [] for name in names}
    latencies: dict[str, list[float]] = {name: [] for name in names}
    async with contextlib.AsyncExitStack() as stack:
        order = [
            (name, await stack.enter_async_context(CONTESTANTS[name](verify=context, **options)))
            for name in names
        ]
        for _, get in order:
            if not is_alone and options.keys() == {"limits"} and len(urls) == 1:
                await batch(get, [f"{urls[0]}wait"] * 100, 100, [])
            await batch(get, (urls * at_once)[: max(at_once, len(urls))], at_once, [])
        # hypercorn ends an HTTP/2 connection after so many requests, or when it has been idle.
        count = 10 if is_alone else at_once if "http2" in options else max(at_once * 3, 30)
        rounds = ROUNDS_ALONE if is_alone else ROUNDS
        if "http2" in options:
            # A round is short, and hypercorn lets a connection have a thousand requests.
            rounds = 25
        if at_once >= 100:
            # The stock client takes 10 ms for each request here.
            count, rounds = at_once, 3
        for _ in range(rounds):
            order.reverse()
            for name, get in order:
                asked = (urls * count)[:count]
                times[name].append(await batch(get, asked, at_once, latencies[name]))
    return {name: (statistics.median(times[name]), latencies[name]) for name in names}


def compare(
    report: Report, what: str, urls: list[str], at_once: int, *, at_most: float = 0, **options: Any
) -> None:
    if "http2" in options:
        options["names"] = ("stock", "ours")
    found = asyncio.run(measured(urls, at_once, **options))
    show(report, f"{what}, {at_once} at once", found, at_most)
    if IS_ALL and "http2" not in options:
        opened = httpx.get(f"{urls[0]}opened", verify=False, trust_env=False).json()
        print(f"    connections opened so far: {opened}")


def show(report: Report, what: str, found: Measured, bar: float = 0) -> None:
    """The ratios to the stock client's time; with `--all` also what they are made of."""
    stock = found["stock"][0]
    report.ratio(what, found["ours"][0] / stock, at_most=bar)
    if "aiohttp" in found:
        report.ratio("   aiohttp's", found["aiohttp"][0] / stock, is_peer=True)
    for name, (seconds, latencies) in found.items() if IS_ALL else ():
        points = statistics.quantiles(latencies, n=100)
        rate, p50, p99 = 1 / seconds, points[49] * 1e3, points[98] * 1e3
        print(f"    {name:<8} {rate:>7.0f} requests/s, p50 {p50:>7.2f} ms, p99 {p99:>7.2f} ms")


def kept(report: Report, _: str) -> None:
    report.heading("Time per request against the stock client's, 100 connections kept", to=BARE)
    with quick_server() as urls:
        sizes = [(1, 1.05), (10, 0.12), (32, 0.12)] + [(100, 0), (300, 0), (1000, 0)] * IS_ALL
        for at_once, bar in sizes:
            compare(report, "one origin", urls, at_once, limits=KEPT, at_most=bar)


def defaults(report: Report, _: str) -> None:
    report.heading("Time per request against the stock client's, default limits", to=BARE)
    with quick_server() as urls:
        sizes = [(1, 1.05), (10, 0.85), (32, 0.65)] + [(100, 0), (300, 0), (1000, 0)] * IS_ALL
        for at_once, bar in sizes:
            compare(report, "one origin", urls, at_once, limits=DEFAULT, at_most=bar)


def origins(report: Report, _: str) -> None:
    report.heading("200 origins in turn", to=BARE)
    with quick_server(count=200) as urls:
        for at_once in (1, 10, 32):
            compare(report, "default limits", urls, at_once, limits=DEFAULT)
            compare(report, "100 kept", urls, at_once, limits=KEPT)


def rotation(report: Report, _: str) -> None:
    report.heading("A rotation of 100 proxies, against a stock transport for each", to=BARE)
    with quick_server(count=100) as proxies:
        for at_once in (1, 10, 32):
            url = "http://shop.example/"
            found = asyncio.run(measured([url], at_once, limits=DEFAULT, proxies=proxies))
            show(report, f"one origin, {at_once} at once", found)


def memory(report: Report, _: str) -> None:
    print("Resident memory with 100 connections kept, in a process of its own:")
    with quick_server() as urls:
        for name in CONTESTANTS:
            subprocess.run([sys.executable, __file__, "hold", name, urls[0]], check=True)


async def hold(name: str, url: str) -> None:
    context = httpx.create_ssl_context(verify=False)
    async with CONTESTANTS[name](limits=KEPT, verify=context) as get:
        await get(url)
        before = resident()
        await batch(get, [f"{url}wait"] * 100, 100, [])
        print(f"    {name:<8} {resident() - before:>7.0f} KiB more than with one")


def resident() -> float:
    gc.collect()
    return float(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4


def alone(report: Report, _: str) -> None:
    report.heading("One connection, which is all that there is", to=BARE)
    with quick_server() as urls:
        found = asyncio.run(measured(urls, 1, names=("stock", "ours")))
        show(report, "async", found, 1.05)
        show(report, "sync", threads(urls[0], 1), 1.05)
        for count in (8, 64) if IS_ALL else ():
            show(report, f"sync, {count} threads", threads(urls[0], count))


def threads(url: str, count: int) -> Measured:
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    latencies: dict[str, list[float]] = {"stock": [], "ours": []}
    asked = [url] * (10 if count == 1 else count * 10)
    with (
        httpx.Client(transport=httpx.HTTPTransport(verify=context), timeout=60) as theirs,
        httpx.Client(transport=NetworkTransport(verify=context), timeout=60) as mine,
        ThreadPoolExecutor(count) as pool,
    ):
        order = [("stock", theirs), ("ours", mine)]
        for _ in range(ROUNDS_ALONE if count == 1 else ROUNDS):
            order.reverse()
            for name, client in order:

                def get(url: str) -> float:
                    began = time.perf_counter()
                    client.get(url)  # noqa: B023 - used at once
                    return time.perf_counter() - began

                started = time.perf_counter()
                latencies[name] += map(get, asked) if count == 1 else pool.map(get, asked)
                times[name].append((time.perf_counter() - started) / len(asked))
    return {name: (statistics.median(times[name]), latencies[name]) for name in times}


def encrypted(report: Report, certificate: str) -> None:
    report.heading("Over TLS, 100 connections kept", to=BARE)
    with quick_server(certificate) as urls:
        for at_once in (1, 10, 32, 100, 300):
            compare(report, "one origin", urls, at_once, limits=KEPT)


def http2(report: Report, certificate: str) -> None:
    report.heading("HTTP/2, one connection", to=BARE)
    with http2_server(certificate) as url:
        for at_once, bar in (1, 0), (10, 0), (32, 1.05):
            if bar or IS_ALL:
                compare(
                    report,
                    "one origin",
                    [f"{url}/"],
                    at_once,
                    limits=DEFAULT,
                    http2=True,
                    at_most=bar,
                )


PARTS: dict[str, Callable[[Report, str], None]] = {
    part.__name__: part for part in (alone, kept, defaults, http2)
}
MORE: dict[str, Callable[[Report, str], None]] = {
    part.__name__: part for part in (encrypted, origins, rotation, memory)
}


def main(*parts: str) -> None:
    # Servers are ended on the way out, which a signal would else leave out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
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
