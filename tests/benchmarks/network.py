"""What a request costs through our pool, against the stock client's and aiohttp's.

    python tests/benchmarks/network.py [PART ...]

Each part is run by itself: the servers are processes of their own. Exits with status 1 when a
bar is missed.
"""

import asyncio
import contextlib
import socket
import ssl
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import trustme
from ratios import Report

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.servers import process

from transportkit.httpx.network import AsyncNetworkTransport, NetworkTransport

ROUNDS = 9
KEPT = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=None)
DEFAULT = httpx.Limits(max_connections=100, max_keepalive_connections=20)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Quick(asyncio.Protocol):
    """Answers as soon as it can, or after a moment, so that many have to be open at once."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /wait"):
            loop = asyncio.get_running_loop()
            loop.call_later(1, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)


async def serve(listening: int, certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Quick, sock=socket.socket(fileno=listening), ssl=context)
    await server.serve_forever()


@contextlib.contextmanager
def quick_server(certificate: str = "") -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        descriptor = listening.fileno()
        command = (sys.executable, __file__, "serve", str(descriptor), certificate)
        with process(*command, pass_fds=(descriptor,)):
            scheme = "https" if certificate else "http"
            yield f"{scheme}://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def http2_server(certificate: str) -> Iterator[str]:
    origin = Path(__file__).parents[1] / "support/origin.py"
    with contextlib.ExitStack() as stack:
        listening = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            for _ in range(3)
        ]
        descriptors = tuple(each.fileno() for each in listening)
        command = (sys.executable, str(origin), certificate, *map(str, descriptors))
        stack.enter_context(process(*command, pass_fds=descriptors))
        yield f"https://127.0.0.1:{listening[1].getsockname()[1]}"


Get = Callable[[str], Awaitable[object]]


@contextlib.asynccontextmanager
async def stock(limits: httpx.Limits, context: Any, **options: Any) -> AsyncIterator[Get]:
    transport = httpx.AsyncHTTPTransport(limits=limits, verify=context, **options)
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        yield client.get


@contextlib.asynccontextmanager
async def ours(limits: httpx.Limits, context: Any, **options: Any) -> AsyncIterator[Get]:
    transport = AsyncNetworkTransport(limits=limits, verify=context, **options)
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        yield client.get


@contextlib.asynccontextmanager
async def aiohttp(limits: httpx.Limits, context: Any, **_: Any) -> AsyncIterator[Get]:
    import aiohttp as peer

    connector = peer.TCPConnector(limit=limits.max_connections or 0, ssl=context)

    async with peer.ClientSession(connector=connector) as session:

        async def get(url: str) -> object:
            async with session.get(url) as response:
                return await response.read()

        yield get


CONTESTANTS: dict[str, Any] = {"stock": stock, "ours": ours, "aiohttp": aiohttp}


async def batch(get: Get, urls: list[str], at_once: int) -> float:
    """Seconds per request of so many, by `at_once` workers."""
    left = iter(urls)

    async def work() -> None:
        for url in left:
            await get(url)

    started = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(at_once)])
    return (time.perf_counter() - started) / len(urls)


async def measured(
    urls: list[str], at_once: int, limits: httpx.Limits, names: tuple[str, ...], **options: Any
) -> dict[str, float]:
    """The medians of interleaved rounds, 100 connections having been opened before."""
    context = options.pop("context", httpx.create_ssl_context(verify=False))
    times: dict[str, list[float]] = {name: [] for name in names}
    async with contextlib.AsyncExitStack() as stack:
        gets = {
            name: await stack.enter_async_context(CONTESTANTS[name](limits, context, **options))
            for name in names
        }
        for get in gets.values():
            if not options:
                await batch(get, [f"{urls[0]}wait"] * 100, 100)
            await batch(get, urls[:at_once], at_once)
        # hypercorn ends an HTTP/2 connection after so many requests, or when it has been idle.
        count = at_once if options else max(at_once * 3, 30)
        for _ in range(ROUNDS):
            for name, get in gets.items():
                times[name].append(await batch(get, (urls * count)[:count], at_once))
    return {name: statistics.median(each) for name, each in times.items()}


def compare(
    report: Report, what: str, urls: list[str], at_once: int, limits: httpx.Limits, **options: Any
) -> None:
    bar = options.pop("at_most", 0)
    names = ("stock", "ours") if options else tuple(CONTESTANTS)
    found = asyncio.run(measured(urls, at_once, limits, names, **options))
    report.ratio(f"{what}, {at_once} at once", found["ours"] / found["stock"], at_most=bar)
    if "aiohttp" in found:
        report.ratio("   aiohttp's", found["aiohttp"] / found["stock"])


def kept(report: Report, _: str) -> None:
    print("Time per request against the stock client's, 100 connections kept:")
    with quick_server() as url:
        for at_once, bar in ((1, 1.05), (10, 0.12), (32, 0.12), (100, 0)):
            compare(report, "one origin", [f"{url}/"], at_once, KEPT, at_most=bar)


def defaults(report: Report, _: str) -> None:
    print("The same with the default limits:")
    with quick_server() as url:
        for at_once, bar in ((1, 1.05), (10, 0.85), (32, 0.65), (100, 0), (300, 0)):
            compare(report, "one origin", [f"{url}/"], at_once, DEFAULT, at_most=bar)


def alone(report: Report, _: str) -> None:
    print("One connection, which is all that there is:")
    with quick_server() as url:
        found = asyncio.run(one_by_one(url))
        report.ratio("async", found["ours"] / found["stock"], at_most=1.05)
        found = threads(url, 1)
        report.ratio("sync", found["ours"] / found["stock"], at_most=1.05)
        for count in (8, 64):
            found = threads(url, count)
            report.ratio(f"sync, {count} threads", found["ours"] / found["stock"])


async def one_by_one(url: str) -> dict[str, float]:
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    async with stock(DEFAULT, context) as theirs, ours(DEFAULT, context) as mine:
        for _ in range(ROUNDS * 4):
            times["stock"].append(await batch(theirs, [f"{url}/"] * 20, 1))
            times["ours"].append(await batch(mine, [f"{url}/"] * 20, 1))
    return {name: statistics.median(each) for name, each in times.items()}


def threads(url: str, count: int) -> dict[str, float]:
    context = httpx.create_ssl_context(verify=False)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    with (
        httpx.Client(transport=httpx.HTTPTransport(verify=context), timeout=60) as theirs,
        httpx.Client(transport=NetworkTransport(verify=context), timeout=60) as mine,
        ThreadPoolExecutor(count) as pool,
    ):
        for _ in range(ROUNDS * (4 if count == 1 else 1)):
            for name, client in (("stock", theirs), ("ours", mine)):
                started = time.perf_counter()
                if count == 1:
                    for _ in range(20):
                        client.get(f"{url}/")
                else:
                    list(pool.map(client.get, [f"{url}/"] * count * 2))
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in times.items()}


def encrypted(report: Report, certificate: str) -> None:
    print("Over TLS, 100 connections kept:")
    with quick_server(certificate) as url:
        compare(report, "one origin", [f"{url}/"], 32, KEPT)


def http2(report: Report, certificate: str) -> None:
    print("HTTP/2, one connection:")
    with http2_server(certificate) as url:
        compare(report, "one origin", [f"{url}/"], 32, DEFAULT, http2=True, at_most=1.05)


PARTS: dict[str, Callable[[Report, str], None]] = {
    "alone": alone,
    "kept": kept,
    "defaults": defaults,
    "encrypted": encrypted,
    "http2": http2,
}


def main(*parts: str) -> None:
    report = Report()
    with TemporaryDirectory() as directory:
        certificate = Path(directory) / "server.pem"
        server = trustme.CA().issue_cert("127.0.0.1")
        server.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        for part in parts or PARTS:
            PARTS[part](report, str(certificate))
    sys.exit(not report.met)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(int(sys.argv[2]), sys.argv[3]))
    else:
        main(*sys.argv[1:])
