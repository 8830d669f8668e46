"""What the layers cost a request through `client.get`, one by one and all together.

    python tests/benchmarks/stack.py

On a stub, where all there is to measure is the layers, and through proxies on loopback against a
stock client with one of them. Exits with status 1 when a bar is missed.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import httpx
from ratios import BARE, Report, medians

from transportkit import (
    AsyncMounts,
    AsyncProxyRoundRobin,
    AsyncRetryTransport,
    Mounts,
    ProxyRoundRobin,
    RetryTransport,
)

URL = "https://api.example.com/users"
THROUGH = "http://api.example.com/users"
PROXIES = 3
# Another process, so that it does not wait for this one's lock.
SERVER = f"""
import asyncio
class Proxy(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 24\\r\\n\\r\\n" + b"x" * 24)
async def main():
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Proxy, "127.0.0.1", 0) for _ in range({PROXIES})]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Stub(httpx.BaseTransport):
    """Answers at once."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"text": "Hello, world!"})


def getting(transport: httpx.BaseTransport) -> Callable[[], object]:
    return partial(httpx.Client(transport=transport).get, URL)


def rotation() -> ProxyRoundRobin:
    return ProxyRoundRobin([Stub(), Stub(), Stub()])


def loopback(report: Report, proxies: list[str]) -> None:
    report.heading(
        "client.get through proxies on loopback, against a stock client with one", to=BARE
    )
    whole = Mounts({"all://": RetryTransport(ProxyRoundRobin(proxies))})
    with httpx.Client(proxy=proxies[0]) as bare, httpx.Client(transport=whole) as ours:
        times = medians({"bare": partial(bare.get, THROUGH), "whole": partial(ours.get, THROUGH)})
    report.ratio("all of them", times["whole"] / times["bare"], at_most=1.05)
    with asyncio.Runner() as runner:
        async_whole = AsyncMounts({"all://": AsyncRetryTransport(AsyncProxyRoundRobin(proxies))})
        clients = {
            "bare": httpx.AsyncClient(proxy=proxies[0]),
            "whole": httpx.AsyncClient(transport=async_whole),
        }
        times = medians(
            {
                name: lambda client=client: runner.run(client.get(THROUGH))  # type: ignore[misc]
                for name, client in clients.items()
            }
        )
        for client in clients.values():
            runner.run(client.aclose())
    report.ratio("all of them, async", times["whole"] / times["bare"], at_most=1.05)


def main() -> int:
    report = Report()
    times = medians(
        {
            "bare": getting(Stub()),
            "Mounts": getting(Mounts({"all://": Stub()})),
            "RetryTransport": getting(RetryTransport(Stub())),
            "ProxyRoundRobin": getting(rotation()),
            "all of them": getting(Mounts({"all://": RetryTransport(rotation())})),
        }
    )
    report.heading("client.get on a stub, against bare", to=BARE)
    for name in ("Mounts", "RetryTransport", "ProxyRoundRobin"):
        report.ratio(name, times[name] / times["bare"])
    report.ratio("all of them", times["all of them"] / times["bare"], at_most=1.13)
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ports = server.stdout.readline().split()
            loopback(report, [f"http://127.0.0.1:{port}" for port in ports])
        finally:
            server.terminate()
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
