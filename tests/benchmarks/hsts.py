"""What HSTS costs: a look-up, a response with the header, and one without.

    python tests/benchmarks/hsts.py

Exits with status 1 when a bar is missed.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
from ratios import BARE, Report, medians

from transportkit import HSTSStore, HSTSTransport
from transportkit.httpx.wrapper import Wrapper

SIZES = (10, 100, 1000, 10_000)
HEADER = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
# As many as a response of an ordinary web server has.
USUAL = {f"X-Usual-{number}": "some value" for number in range(10)}


def filled(size: int, path: Path | None = None) -> HSTSStore:
    store = HSTSStore(path)
    for number in range(size):
        store._learn(f"host{number}.example.com", HEADER["Strict-Transport-Security"])
    return store


def scan(hosts: list[str], host: str) -> bool:
    """What curl does: look at one after the other."""
    return any(host == known or host.endswith(f".{known}") for known in hosts)


def getting(transport: httpx.BaseTransport) -> Callable[[], object]:
    client = httpx.Client(transport=transport)
    return lambda: client.get("https://www.example.org/")


def answering(headers: dict[str, str]) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(200, headers=headers))


def main() -> None:
    report = Report()
    contestants: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        store = filled(size)
        hosts = [f"host{number}.example.com" for number in range(size)]
        for name, host in {
            "hit": f"host{size // 2}.example.com",
            "subdomain": f"a.b.host{size // 2}.example.com",
            "miss": "www.example.org",
        }.items():
            contestants[f"{name} {size}"] = partial(store.__contains__, host)
            contestants[f"scan {name} {size}"] = partial(scan, hosts, host)
    times = medians(contestants)
    report.heading("Look-up time with 10 000 hosts against 10", to="10 hosts")
    for name in ("hit", "subdomain", "miss"):
        report.ratio(name, times[f"{name} 10000"] / times[f"{name} 10"], at_most=1.5)
    report.heading("Times a scan takes of our look-up", to="a scan", is_more_better=True)
    for size in SIZES:
        bar = 100 if size == 10_000 else 0
        report.ratio(
            f"{size} hosts", times[f"scan miss {size}"] / times[f"miss {size}"], at_least=bar
        )

    with tempfile.TemporaryDirectory() as directory:
        in_file = filled(10_000, Path(directory) / "hsts.txt")
        in_file.save()
        times = medians(
            {
                "without": getting(Wrapper(answering(USUAL))),
                "hsts without": getting(HSTSTransport(answering(USUAL), filled(10_000))),
                "with": getting(Wrapper(answering(USUAL | HEADER))),
                "hsts with": getting(HSTSTransport(answering(USUAL | HEADER), filled(10_000))),
                "file": getting(HSTSTransport(answering(USUAL | HEADER), in_file)),
            }
        )
    report.heading("client.get against the same through a transport that does nothing", to=BARE)
    report.ratio("no header", times["hsts without"] / times["without"], at_most=1.05)
    report.ratio("header, known host", times["hsts with"] / times["with"], at_most=1.5)
    report.ratio("header, known host, store in a file", times["file"] / times["with"], at_most=1.5)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
