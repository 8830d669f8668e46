"""The look-up: which pattern is the most specific, and what a look-up costs."""

import ipaddress

import pytest
from hypothesis import given, settings
from support.library import httpx
from support.routes import cases
from support.transportkit import InvalidRoute

from transportkit.routing import table
from transportkit.routing.keys import parse_pattern
from transportkit.routing.patterns import (
    DEFAULT_PORTS,
    Pattern,
    canonical_host,
    canonical_path,
)
from transportkit.routing.table import RoutingTable

DEFAULT = "default"


def routing_table(*keys: str) -> RoutingTable[str]:
    return RoutingTable([[(parse_pattern(key), key) for key in keys]], DEFAULT)


def takes(pattern: Pattern, url: httpx.URL) -> bool:
    """What the documentation says of a pattern, without any of the table's cleverness."""
    host = canonical_host(url.raw_host.decode())
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    path = canonical_path(url.raw_path.decode())
    if pattern.scheme not in ("", url.scheme) or pattern.port not in (None, port):
        return False
    if pattern.path and path != pattern.path and not path.startswith(f"{pattern.path}/"):
        return False
    if pattern.network is not None:
        try:
            return ipaddress.ip_address(host) in pattern.network
        except ValueError:
            return False
    # The regular expression that httpx makes of `*.name`: something, a dot, the name.
    below = host.endswith(f".{pattern.host}") and host != f".{pattern.host}"
    if pattern.wildcard == "*.":
        return below
    if pattern.wildcard == "*":
        return below or host == pattern.host
    return pattern.host in ("", host)


def find_and_scan(case: tuple[list[str], list[str]]) -> None:
    keys, urls = case
    patterns: dict[Pattern, str] = {}
    for key in keys:
        try:
            patterns.setdefault(parse_pattern(key), key)
        except InvalidRoute:
            continue
    routes = RoutingTable([patterns.items()], DEFAULT)
    for url in map(httpx.URL, urls):
        taking = [pattern for pattern in patterns if takes(pattern, url)]
        expected = min(taking, key=lambda pattern: pattern.priority).key if taking else DEFAULT
        assert routes.find(url) == expected
        # Once more, from memory.
        assert routes.find(url) == expected


@pytest.mark.parametrize("examples", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_it_finds_what_a_scan_of_all_patterns_finds(examples: int) -> None:
    settings(max_examples=examples)(given(cases(20))(find_and_scan))()


@pytest.mark.parametrize(
    ("keys", "url", "taken_by"),
    [
        # A port that was given comes before everything else.
        (["all://*:8080", "https://a.com"], "https://a.com:8080/", "all://*:8080"),
        (["all://*:443", "https://a.com"], "https://a.com/", "all://*:443"),
        # Then the host: exact, networks from small to large, wildcards from long to short.
        (["all://*a.com", "all://a.com"], "http://a.com/", "all://a.com"),
        (["all://*.a.com", "all://b.a.com"], "http://b.a.com/", "all://b.a.com"),
        (["http://*a.com", "all://a.com"], "http://a.com/", "all://a.com"),
        (["all://10.0.0.0/8", "all://10.0.0.0/24"], "http://10.0.0.7/", "all://10.0.0.0/24"),
        (["all://10.0.0.0/8", "all://10.0.0.0/24"], "http://10.9.0.7/", "all://10.0.0.0/8"),
        (["all://10.0.0.0/24", "all://10.0.0.7"], "http://10.0.0.7/", "all://10.0.0.7"),
        (["all://[::7%25a]", "all://[::7]"], "http://[::7%25a]/", "all://[::7%25a]"),
        (["all://[::7]", "all://[::]/64"], "http://[::7%25a]/", "all://[::7]"),
        (["all://*.com", "all://*.a.com"], "http://b.a.com/", "all://*.a.com"),
        (["all://*a.com", "all://*.a.com"], "http://b.a.com/", "all://*.a.com"),
        (["all://*.a.com", "all://*b.a.com"], "http://c.b.a.com/", "all://*b.a.com"),
        (["all://", "all://*.com"], "http://a.com/", "all://*.com"),
        # Then the length of the path, then the scheme.
        (["https://h/api", "all://h/api/v1"], "https://h/api/v1", "all://h/api/v1"),
        (["all://h/api", "https://h/api"], "https://h/api/v1", "https://h/api"),
        (["https://h", "all://h/api"], "https://h/api", "all://h/api"),
        (["https://h", "all://h/api"], "https://h/", "https://h"),
        (["all://*/api", "https://h"], "https://h/api", "https://h"),
        (["all://h/api", "all://"], "https://h/", "all://"),
        (["all://h/api", "all://*/x"], "https://h/x", "all://*/x"),
        (["all://h/api"], "https://h/x", DEFAULT),
    ],
)
def test_the_most_specific_pattern_takes_the_url(keys: list[str], url: str, taken_by: str) -> None:
    assert routing_table(*keys).find(httpx.URL(url)) == taken_by
    assert routing_table(*reversed(keys)).find(httpx.URL(url)) == taken_by


@pytest.mark.parametrize(
    ("key", "taken", "left"),
    [
        # Ports compare as effective ports.
        ("all://h:443", ["https://h/", "wss://h/", "http://h:443/"], ["http://h/", "ws://h/"]),
        ("http://h:80", ["http://h/", "http://h:80/"], ["http://h:8080/", "https://h/"]),
        ("all://h:80", ["ws://h/", "http://h/"], ["https://h/", "wss://h/"]),
        ("ftp://h:21", ["ftp://h/", "ftp://h:21/"], ["ftp://h:2121/"]),
        ("custom://h:80", ["custom://h:80/"], ["custom://h/"]),
        ("http://h", ["http://h/", "http://h:8080/"], ["https://h/"]),
        # Addresses compare as addresses.
        ("all://[::1]", ["http://[0:0:0:0:0:0:0:1]/", "http://[::0001]/"], ["http://[::2]/"]),
        ("all://[::ffff:10.0.0.1]", ["http://[::ffff:a00:1]/"], ["http://10.0.0.1/"]),
        ("all://10.0.0.0/8", ["http://10.255.0.1/", "https://10.0.0.0:99/"], ["http://11.0.0.1/"]),
        ("all://10.9.9.9/8", ["http://10.0.0.1/"], ["http://[::ffff:10.0.0.1]/"]),
        ("all://0.0.0.0/0", ["http://1.2.3.4/"], ["http://[::1]/", "http://a.com/"]),
        ("all://[fe80::]/10", ["http://[febf::1]/", "http://[FE80::1]:8/"], ["http://[fec0::1]/"]),
        ("all://10.0.0.0:8080/8", ["http://10.1.1.1:8080/"], ["http://10.1.1.1/"]),
        # A path is a prefix on segment boundaries.
        (
            "https://h/api",
            ["https://h/api", "https://h/api/", "https://h/api/x?y", "https://h/api?y"],
            ["https://h/apix", "https://h/", "https://h/x/api", "https://h/API", "http://h/api"],
        ),
        ("https://h/a%2fb", ["https://h/a%2Fb/c"], ["https://h/a/b"]),
        ("https://h/~scott", ["https://h/%7Escott/x"], ["https://h/"]),
        ("file:///srv", ["file:///srv/x"], ["file:///etc", "http://h/srv"]),
        # Dots that are escaped lead out of it as others do, which httpx removes.
        (
            "https://h/public",
            ["https://h/x/%2e%2e/public", "https://h/public/%2E/x", "https://h/public/..%2Fx"],
            ["https://h/public/%2e%2e/admin", "https://h/public/.%2e", "https://h/public/%2e./x"],
        ),
        ("https://h/admin", ["https://h/%2e%2e/x/%2e%2e/%2e%2e/admin/x"], ["https://h/admin%2e"]),
        # A trailing dot does not matter.
        ("all://a.com", ["http://a.com./"], ["http://a.com../"]),
        ("all://*.a.com.", ["http://b.a.com/", "http://b.a.com./"], ["http://a.com./"]),
        # Nor does the spelling of an international host.
        ("all://münchen.de", ["http://MÜNCHEN.de/", "http://xn--mnchen-3ya.de/"], ["http://de/"]),
        ("all://*.xn--mnchen-3ya.de", ["http://a.münchen.de/", "http://ü.münchen.de/"], []),
        ("all://xn--a", ["https://xn--a/"], ["https://xn--b/"]),
        # Subdomains begin at a dot, with something before it.
        ("all://*a.com", ["http://a.com/", "http://c.b.a.com/"], ["http://xa.com/"]),
        ("all://*.a.com", ["http://b.a.com/"], ["http://a.com/", "http://.a.com/"]),
        # An address is not below a name, whatever its zone looks like; without one, it is in any.
        (
            "all://*.corp.example",
            ["http://x.corp.example/"],
            ["http://[fe80::7%25x.corp.example]/", "http://[fe80::7%x.corp.example]/"],
        ),
        ("all://[fe80::7]", ["http://[fe80::7%25eth0]/", "http://[FE80:0::7%eth1]/"], []),
        ("all://[fe80::]/10", ["http://[fe80::7%25eth0]/"], ["http://[fec0::7%25eth0]/"]),
        (
            "all://[fe80::7%25eth0]",
            ["http://[fe80::7%eth0]/"],
            ["http://[fe80::7]/", "http://[fe80::7%25eth1]/"],
        ),
    ],
)
def test_what_a_pattern_takes(key: str, taken: list[str], left: list[str]) -> None:
    routes = routing_table(key)
    assert [url for url in taken if routes.find(httpx.URL(url)) is DEFAULT] == []
    assert [url for url in left if routes.find(httpx.URL(url)) is not DEFAULT] == []


def test_the_memory_is_bounded() -> None:
    routes = routing_table("all://*.com")
    for number in range(3 * table._MEMO_SIZE):
        assert routes.find(httpx.URL(f"http://h{number}.com/")) == "all://*.com"
        assert len(routes._memo) <= table._MEMO_SIZE


def test_hosts_longer_than_any_name_are_not_remembered() -> None:
    routes = routing_table("all://*.com")
    assert routes.find(httpx.URL(f"http://{'a' * 60000}.com/")) == "all://*.com"
    assert not routes._memo


def test_a_layer_stands_behind_the_layers_before_it() -> None:
    first = [(parse_pattern("all://*.com"), "first")]
    second = [
        (parse_pattern("http://a.com:80/x"), "second"),
        (parse_pattern("all://a.org"), "second"),
    ]
    routes = RoutingTable([first, second], DEFAULT)
    found = [routes.find(httpx.URL(url)) for url in ("http://a.com/x", "http://a.org", "http://b")]
    assert found == ["first", "second", DEFAULT]


def test_a_path_of_one_layer_is_asked_before_the_next_layer() -> None:
    first = [(parse_pattern("all://h/api"), "first")]
    second = [(parse_pattern("http://h"), "second"), (parse_pattern("http://h/x"), "second path")]
    routes = RoutingTable([first, second], DEFAULT)
    urls = ("http://h/api/x", "http://h/x/y", "http://h/z", "https://h/z")
    found = [routes.find(httpx.URL(url)) for url in urls]
    assert found == ["first", "second path", "second", DEFAULT]


def test_names_of_several_layers_are_found_as_if_they_were_asked_one_by_one() -> None:
    first = [(parse_pattern(key), key) for key in ("http://", "https://a.com", "all://b.com")]
    second = [(parse_pattern(key), f"2 {key}") for key in ("http://", "https://", "all://")]
    routes = RoutingTable([first, second, []], DEFAULT)
    for url, found in {
        "http://a.com": "http://",
        "https://a.com.": "https://a.com",
        "ws://a.com": "2 all://",
        "ws://b.com": "all://b.com",
        "http://c.com": "http://",
        "https://c.com": "2 https://",
        "https://[::1]": "2 https://",
    }.items():
        assert routes.find(httpx.URL(url)) == found
    everything = [(parse_pattern("all://"), "all://"), (parse_pattern("ws://"), "ws://")]
    routes = RoutingTable([everything, second], DEFAULT)
    assert routes.find(httpx.URL("https://a.com")) == "all://"
    assert routes.find(httpx.URL("ws://a.com")) == "ws://"
    host = [(parse_pattern("all://a.com"), "a.com")]
    assert RoutingTable([everything, host], DEFAULT).find(httpx.URL("http://a.com")) == "all://"


def test_nothing_is_found_for_a_url_without_a_scheme() -> None:
    assert routing_table("all://").find(httpx.URL("/path")) is None
    assert routing_table("all://").find(httpx.URL("//host/path")) is None
