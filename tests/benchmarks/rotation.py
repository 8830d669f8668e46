"""What a rotation over proxies costs: to build, to choose, and when half of them are dead.

    python tests/benchmarks/rotation.py

Exits with status 1 when a bar is missed.
"""

import gc
import itertools
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
from ratios import BARE, Report, medians

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.fleet import fleet

from transportkit import ProxyRoundRobin, sticky_by_header
from transportkit.rotation.failover import Failover
from transportkit.rotation.ring import point_of

SIZES = (3, 100, 10_000)
HUNDRED = [f"http://user{number}:word@proxy{number}.example:8080" for number in range(100)]


class Recipe(httpx.BaseTransport):
    """The round robin of httpx's documentation."""

    def __init__(self, proxies: list[str]) -> None:
        self._transports = [httpx.HTTPTransport(proxy=proxy) for proxy in proxies]
        self._idx = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._transports[self._idx]
        self._idx = (self._idx + 1) % len(self._transports)
        return transport.handle_request(request)

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


def made() -> ProxyRoundRobin:
    return ProxyRoundRobin(HUNDRED)


def ready() -> ProxyRoundRobin:
    """Its first request is about to connect."""
    return after(1)


def used() -> ProxyRoundRobin:
    """A request of each of the hundred has been about to connect."""
    rotation = after(len(HUNDRED))
    assert len(rotation._transports.by_member) == len(HUNDRED)
    return rotation


def after(requests: int) -> ProxyRoundRobin:
    rotation = made()
    request = httpx.Request("GET", "http://target.example/", extensions={"trace": _stop})
    for _ in range(requests):
        with suppress(_StoppedError):
            rotation.handle_request(request)
    return rotation


class _StoppedError(Exception):
    """Nothing is to be sent."""


def _stop(event: str, info: object) -> None:
    raise _StoppedError


def recipe() -> Recipe:
    return Recipe(HUNDRED)


BUILDERS: dict[str, Callable[[], httpx.BaseTransport]] = {
    "recipe": recipe,
    "made": made,
    "ready": ready,
    "used": used,
}


def resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def contexts() -> int:
    gc.collect()
    return sum(isinstance(found, ssl.SSLContext) for found in gc.get_objects())


def measure(name: str) -> None:
    """Seconds, bytes and SSL contexts of one builder, in a process of its own."""
    # What the first one of its kind costs belongs to nobody.
    httpx.HTTPTransport(proxy="http://proxy.example").close()
    gc.collect()
    before, contexts_before = resident(), contexts()
    started = time.perf_counter()
    transport = BUILDERS[name]()
    elapsed = time.perf_counter() - started
    print(elapsed, resident() - before, contexts() - contexts_before)
    transport.close()


def building(report: Report) -> None:
    found: dict[str, list[list[float]]] = {name: [] for name in BUILDERS}
    for _ in range(5):
        for name, measured in found.items():
            command = [sys.executable, __file__, name]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            measured.append([float(word) for word in output.split()])
    seconds, memory, contexts_held = (
        {name: statistics.median(row[column] for row in rows) for name, rows in found.items()}
        for column in range(3)
    )
    report.heading(
        "100 proxies, the recipe of httpx's documentation against ours",
        to=BARE,
        is_more_better=True,
    )
    for name, what, bar in (
        ("made", "time until it is there", 50),
        ("ready", "time until the first request connects", 50),
        ("used", "time until each proxy has had a request", 0),
    ):
        report.ratio(what, seconds["recipe"] / seconds[name], at_least=bar)
    report.ratio("memory when each has been used", memory["recipe"] / max(memory["used"], 1))
    report.ratio(
        "our SSL contexts when each has been used", contexts_held["used"], at_most=1, to="contexts"
    )


def choosing(size: int, kind: str) -> tuple[Callable[[], object], Callable[[], object]]:
    """A lease alone, and all that a request needs of us before it is sent; each is released."""
    sticky = sticky_by_header("X-Session") if kind == "sticky" else None
    rotation = ProxyRoundRobin(
        [f"http://proxy{number}.example" for number in range(size)],
        order="least_busy" if kind == "least busy" else "round_robin",
        sticky=sticky,
    )
    shared, pool = rotation._rotation, rotation._rotation.pool
    keys = [str(number) for number in range(5000)]
    next_key = itertools.cycle(keys).__next__
    next_request = itertools.cycle(
        [httpx.Request("GET", "http://h/", headers={"X-Session": key}) for key in keys]
    ).__next__

    def whole() -> object:
        request = next_request()
        failover = Failover(shared, request, None if sticky is None else sticky(request))
        return pool.release(failover.acquire())

    def alone() -> object:
        lease = pool.take_turn()
        assert lease is not None
        return pool.release(lease)

    def alone_with_key() -> object:
        lease = pool.acquire((), (), "", point_of(next_key()), panic=True)
        assert lease is not None
        return pool.release(lease)

    # A ring is built when it is first needed.
    whole()
    return alone_with_key if kind == "sticky" else alone, whole


def smooth(size: int) -> Callable[[], object]:
    """nginx's smooth weighted round robin: a look at each of them."""
    weights, current = [1] * size, [0] * size

    def choose() -> int:
        for number, weight in enumerate(weights):
            current[number] += weight
        chosen = max(range(size), key=current.__getitem__)
        current[chosen] -= size
        return chosen

    return choose


def quickest(contestants: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Microseconds per call when nobody else wants the machine: the least of interleaved rounds."""
    least = dict.fromkeys(contestants, float("inf"))
    for _ in range(50):
        for name, call in contestants.items():
            started = time.perf_counter()
            for _ in range(500):
                call()
            least[name] = min(least[name], (time.perf_counter() - started) / 500 * 1e6)
    return least


def selection(report: Report) -> None:
    kinds = ("in turn", "least busy", "sticky")
    contestants: dict[str, Callable[[], object]] = {}
    for kind in kinds:
        for size in SIZES:
            alone, whole = choosing(size, kind)
            contestants |= {f"{kind} {size}": alone, f"whole {kind} {size}": whole}
    times = medians(contestants)
    times |= medians({"nginx": smooth(10_000)})
    micros = quickest(contestants)
    report.heading("Choosing a proxy, in microseconds", to="us")
    for kind in kinds:
        for size in SIZES:
            bar = 0 if size < 10_000 else 6 if kind == "sticky" else 3
            report.ratio(f"{kind}, {size} proxies", micros[f"{kind} {size}"], at_most=bar)
    report.heading("The same with all that a request needs before it is sent", to="us")
    for kind in kinds:
        report.ratio(f"{kind}, 10000 proxies", micros[f"whole {kind} 10000"])
    report.heading("Choosing among 10 000 proxies against 3", to="3 proxies")
    for kind in kinds:
        report.ratio(kind, times[f"{kind} 10000"] / times[f"{kind} 3"], at_most=4)
    report.heading(
        "Times nginx's smooth variant takes of ours, 10 000 proxies", to="nginx's variant"
    )
    report.ratio("in turn", times["nginx"] / times["in turn 10000"], at_least=100)


def in_a_row(client: httpx.Client) -> Callable[[], object]:
    """Twenty requests: of one or two, the median would be that of the scheduler's moods."""

    def requests() -> None:
        for _ in range(20):
            client.get("http://target.example/")

    return requests


def throughput(report: Report) -> None:
    with fleet(15) as proxies:
        proxies.kill(*range(10, 15))
        urls = proxies.urls
        # One request tries three, so not more than two of the dead stand side by side.
        half = [url for pair in zip(urls[:5], urls[10:], strict=True) for url in pair]
        with (
            httpx.Client(transport=ProxyRoundRobin(urls[:10])) as of_ten,
            httpx.Client(transport=ProxyRoundRobin(half)) as of_five,
        ):
            # In the first round the dead are found out.
            contestants = {"ten": in_a_row(of_ten), "five": in_a_row(of_five)}
            for requests in contestants.values():
                requests()
            times = medians(contestants)
    report.heading(
        "Requests per second after the first round, half of ten proxies refusing", to="all alive"
    )
    report.ratio("against all alive", times["ten"] / times["five"], at_least=0.95)


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    report = Report()
    building(report)
    selection(report)
    throughput(report)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
