"""`Mounts` chooses what `httpx.Client(mounts=...)` chooses, but for the deviations named here.

`TRANSPORTKIT_FUZZ_PAIRS=1000000` and `--slow` make it a long run, of new examples each time.
"""

import os
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from support.flavours import SpyTransport
from support.library import httpx
from support.routes import cases
from support.transportkit import InvalidRoute, Mounts

from transportkit.routing.keys import parse_pattern
from transportkit.routing.patterns import Pattern, address

PAIRS = int(os.environ.get("TRANSPORTKIT_FUZZ_PAIRS", "10000"))
THIN = 1000
URLS_PER_DICT = 20

# What a thousand pairs do not always come upon.
RARE = (
    ["all://*xn--mnchen-3ya.de", "all://dotted.example."],
    ["http://xn--mnchen-3ya.de/", "http://dotted.example/"],
)

DEFAULT_PORTS = (":80", ":443", ":21")


def exact_beats_wildcard(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """An exact host beats a wildcard: httpx counts the `*` as part of the longer text."""
    return (
        bool(ours.host and not ours.wildcard and theirs.wildcard)
        and (ours.port is None) == (theirs.port is None)
        and not ours.path
        and not theirs.path
    )


def effective_ports(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """Ports compare as effective ports: httpx drops a scheme's own port from key and URL."""
    return any(pattern.port in (80, 443, 21) for pattern in (ours, theirs))


def addresses(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """Addresses compare as addresses, and `address/n` is a network."""
    return any(
        pattern.network is not None or address(pattern.host) is not None
        for pattern in (ours, theirs)
    )


def paths(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """A path is a prefix: httpx ignores it."""
    return bool(ours.path or theirs.path)


def trailing_dot(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """A trailing dot does not matter."""
    hosts = [pattern.key.partition("://")[2].split(":")[0] for pattern in (ours, theirs)]
    return url.raw_host.endswith(b".") or any(host.split("/")[0].endswith(".") for host in hosts)


def international(url: httpx.URL, ours: Pattern, theirs: Pattern) -> bool:
    """The spelling of an international host does not matter: httpx decodes some and not others."""
    return b"xn--" in url.raw_host and any("xn--" in p.host for p in (ours, theirs))


DEVIATIONS: list[Callable[[httpx.URL, Pattern, Pattern], bool]] = [
    exact_beats_wildcard,
    effective_ports,
    addresses,
    paths,
    trailing_dot,
    international,
]

NONE = parse_pattern("none://")
seen: Counter[str] = Counter()


def stock_client(routes: dict[str, SpyTransport]) -> httpx.Client:
    """A stock client with the keys that it can parse: no international name behind a `*`."""
    default = SpyTransport()
    try:
        return httpx.Client(transport=default, mounts=routes)
    except (httpx.InvalidURL, UnicodeError):
        known = {}
    for key, transport in routes.items():
        try:
            httpx.Client(transport=default, mounts={key: transport})
        except (httpx.InvalidURL, UnicodeError):
            seen["unparsable there"] += 1
        else:
            known[key] = transport
    return httpx.Client(transport=default, mounts=known)


def compare(case: tuple[list[str], list[str]]) -> None:
    keys, urls = case
    patterns: dict[Pattern, str] = {}
    for key in keys:
        try:
            patterns.setdefault(parse_pattern(key), key)
        except InvalidRoute:
            seen["refused"] += 1
    routes = {key: SpyTransport(key) for key in patterns.values()}
    default = SpyTransport("")
    mounts = Mounts(routes, default=default)
    client = stock_client(routes)
    for url in map(httpx.URL, urls):
        seen["pairs"] += 1
        ours = mounts.route_for(url).pattern
        try:
            # The private method decides; asking it spares a request for each pair.
            stock = client._transport_for_url(url)
        except UnicodeError:
            seen["undecodable there"] += 1
            continue
        theirs = stock.name if isinstance(stock, SpyTransport) and stock.name != "spy" else None
        if ours == theirs:
            seen["same route" if ours else "same default"] += 1
            continue
        pair = [NONE if key is None else parse_pattern(key) for key in (ours, theirs)]
        why = [deviation.__name__ for deviation in DEVIATIONS if deviation(url, *pair)]
        assert why, f"{url}: {ours!r} here, {theirs!r} in httpx, of {sorted(routes)}"
        seen.update(why)


@pytest.mark.parametrize("pairs", [THIN, pytest.param(PAIRS, marks=pytest.mark.slow)])
def test_it_chooses_what_the_stock_client_chooses(pairs: int) -> None:
    seen.clear()
    fuzz = settings(
        max_examples=-(-pairs // URLS_PER_DICT),
        derandomize=pairs in (THIN, 10_000),
        suppress_health_check=list(HealthCheck),
    )(example(RARE)(given(cases(URLS_PER_DICT))(compare)))
    fuzz()
    print(dict(seen))
    assert seen["pairs"] >= pairs
    # A fuzz that hardly meets anything proves little.
    assert seen["same route"] > pairs / 10
    assert {deviation.__name__ for deviation in DEVIATIONS} <= set(seen)
