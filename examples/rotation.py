"""Take turns over proxies: patterns against four small proxies on this machine, one of them dead.

    python examples/rotation.py

Round robin; weights; keys that stick; a list of proxies in a routing dict; retries over a
rotation; bans. Ends with status 1 when something went another way.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from transportkit import Mounts, ProxyRoundRobin, RetryTransport, sticky_by_header

URL = "http://shop.example/"


def round_robin(proxies: list[str]) -> bool:
    """Each in its turn; the dead one fails once, rests, and no caller hears of it."""
    rotation = ProxyRoundRobin(proxies)
    with httpx.Client(transport=rotation) as client:
        seen = Counter(client.get(URL).text for _ in range(9))
        resting = [status for status in rotation.status() if not status.up]
    for status in resting:
        print(f"  {status.proxy} rests: {status.last_error}")
    print(f"  {dict(seen)}")
    return sorted(seen.values()) == [3, 3, 3] and len(resting) == 1


def weights(proxies: list[str]) -> bool:
    """A mapping to weights, and a direct connection may have turns too."""
    one, two, *_ = proxies
    with httpx.Client(transport=ProxyRoundRobin({one: 3, two: 1})) as client:
        seen = [client.get(URL).text for _ in range(8)]
    print(f"  {' '.join(seen)}")
    return Counter(seen) == {"one": 6, "two": 2}


def keys_that_stick(proxies: list[str]) -> bool:
    """Go on through the proxy that somebody has logged in through."""
    rotation = ProxyRoundRobin(proxies[:3], sticky=sticky_by_header("X-Account"))
    with httpx.Client(transport=rotation) as client:
        for account in ("ada", "grace", "edsger"):
            through = {client.get(URL, headers={"X-Account": account}).text for _ in range(5)}
            print(f"  {account}: {', '.join(through)}")
            if len(through) > 1:
                return False
    return True


def a_list_in_a_routing_dict(proxies: list[str]) -> bool:
    mounts = Mounts({"all://": proxies, "all://*.internal.example": httpx.MockTransport(mock)})
    with httpx.Client(transport=mounts) as client:
        outside = {client.get(URL).extensions["proxy"] for _ in range(3)}
        inside = client.get("http://wiki.internal.example/").text
    print(f"  outside through {len(outside)} proxies, inside: {inside}")
    return len(outside) == 3 and inside == "mock, no network"


def retries_over_a_rotation(proxies: list[str]) -> bool:
    """Try again, through another proxy, what the rotation cannot mend in one request."""
    transport = RetryTransport(ProxyRoundRobin(proxies[:2]))
    with httpx.Client(transport=transport) as client:
        response = client.get("http://busy-through-one.example/")
    tried = [attempt.outcome for attempt in response.extensions.get("attempts", ())]
    print(f"  {tried}, the last through {response.extensions['proxy']}")
    return response.text == "two"


def bans(proxies: list[str]) -> bool:
    """A proxy that a site has banned rests for that site alone."""

    def is_banned(response: httpx.Response) -> bool:
        return response.status_code == 403

    rotation = ProxyRoundRobin(proxies[:3], banned=is_banned)
    with httpx.Client(transport=rotation) as client:
        strict = Counter(client.get("http://bans-one.example/").text for _ in range(6))
        others = Counter(client.get(URL).text for _ in range(6))
    print(f"  {dict(strict)} there, {dict(others)} elsewhere")
    return set(strict) == {"two", "three"} and set(others) == {"one", "two", "three"}


# From here on: the proxies. None of it is needed to use transportkit.


def mock(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="mock, no network")


class Proxy(ThreadingHTTPServer):
    """Answers in place of every origin, with its own name."""

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.name = name
        self.url = f"http://scott:tiger@127.0.0.1:{self.server_port}"


class ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        assert isinstance(self.server, Proxy)
        name, host = self.server.name, self.headers["Host"]
        busy = name == "one" and host == "busy-through-one.example"
        banned = name == "one" and host == "bans-one.example"
        self.send_response(503 if busy else 403 if banned else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(name)))
        self.end_headers()
        self.wfile.write(name.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output free of an access log."""


@contextmanager
def running(name: str) -> Iterator[str]:
    with Proxy(name) as proxy:
        Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        yield proxy.url
        proxy.shutdown()


def main() -> int:
    failed = 0
    with ExitStack() as stack:
        proxies = [stack.enter_context(running(name)) for name in ("one", "two", "three")]
        with running("dead") as dead:
            proxies.append(dead)
        for pattern in (
            round_robin,
            weights,
            keys_that_stick,
            a_list_in_a_routing_dict,
            retries_over_a_rotation,
            bans,
        ):
            print(f"{pattern.__name__.replace('_', ' ')}:")
            failed += not pattern(proxies)
    print("All went as stated." if not failed else f"{failed} went another way.")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
