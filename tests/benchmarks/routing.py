"""Routing look-ups against the stock client's, from 1 to 10 000 routes.

    python tests/benchmarks/routing.py

Exits with status 1 when a bar is missed.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from functools import partial

import httpx
from ratios import BARE, Report, medians

from transportkit import Mounts

SIZES = (1, 3, 10, 100, 1000, 10_000)


def nothing(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


def urls(size: int) -> dict[str, httpx.URL]:
    return {
        "hit": httpx.URL(f"https://host{size // 2}.example.com/path?query"),
        "miss": httpx.URL("https://elsewhere.example.org/path?query"),
        "international": httpx.URL("https://www.münchen.example/path?query"),
    }


def cold(find: Callable[[httpx.URL], object], host: str) -> Callable[[], object]:
    """Look-ups of hosts that were not seen before, or so long ago that they are forgotten."""
    different: Iterator[httpx.URL] = itertools.cycle(
        [httpx.URL(f"https://n{number}.{host}/path") for number in range(5000)]
    )
    return lambda: find(next(different))


def main() -> None:
    report = Report()
    stub = httpx.MockTransport(nothing)
    contestants: dict[str, Callable[[], object]] = {}
    slow: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        routes = {f"https://host{number}.example.com": stub for number in range(size)}
        mounts = Mounts(routes, default=stub)
        client = httpx.Client(transport=stub, mounts=routes)
        paths = {f"https://h/{number}/users": stub for number in range(size)}
        for name, url in urls(size).items():
            contestants[f"ours {name} {size}"] = partial(mounts.route_for, url)
            theirs = contestants if size <= 100 else slow
            theirs[f"stock {name} {size}"] = partial(client._transport_for_url, url)
        contestants[f"ours cold miss {size}"] = cold(mounts.route_for, "example.org")
        by_path = Mounts(paths, default=stub)
        prefix = httpx.URL(f"https://h/{size // 2}/users/7")
        contestants[f"ours path {size}"] = partial(by_path.route_for, prefix)
    times = medians(contestants) | medians(slow)

    report.heading("Look-up time with 10 000 routes against 10", to="10 routes")
    for name in ("hit", "miss", "international", "cold miss", "path"):
        ratio = times[f"ours {name} 10000"] / times[f"ours {name} 10"]
        report.ratio(name, ratio, at_most=1.5)
    for name in ("hit", "miss", "international"):
        report.heading(
            f"Times the stock client's look-up takes of ours, {name}", to=BARE, is_more_better=True
        )
        for size in SIZES:
            ratio = times[f"stock {name} {size}"] / times[f"ours {name} {size}"]
            bar = 1000 if size == 10_000 and name == "miss" else 1 if size >= 3 else 0
            report.ratio(f"{size} routes", ratio, at_least=bar)
    report.heading(
        "The same, every host for the first time (the stock client has no memory to miss)",
        to=BARE,
        is_more_better=True,
    )
    for size in SIZES:
        ratio = times[f"stock miss {size}"] / times[f"ours cold miss {size}"]
        report.ratio(f"{size} routes", ratio, at_least=0.7 if size >= 3 else 0)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
