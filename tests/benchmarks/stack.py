"""What the layers cost a request through `client.get`, one by one and all together.

    python tests/benchmarks/stack.py

On a stub, where all there is to measure is the layers. Exits with status 1 when a bar is missed.
"""

import sys
from collections.abc import Callable
from functools import partial

import httpx
from ratios import Report, medians

from transportkit import Mounts, ProxyRoundRobin, RetryTransport

URL = "https://api.example.com/users"


class Stub(httpx.BaseTransport):
    """Answers at once."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"text": "Hello, world!"})


def getting(transport: httpx.BaseTransport) -> Callable[[], object]:
    return partial(httpx.Client(transport=transport).get, URL)


def rotation() -> ProxyRoundRobin:
    return ProxyRoundRobin([Stub(), Stub(), Stub()])


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
    print("client.get on a stub, against bare:")
    for name in ("Mounts", "RetryTransport", "ProxyRoundRobin"):
        report.ratio(name, times[name] / times["bare"])
    report.ratio("all of them", times["all of them"] / times["bare"], at_most=1.10)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
