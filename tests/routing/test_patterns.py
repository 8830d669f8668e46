"""Keys of a routing dict: what they mean, and what is said of those that cannot work."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import InvalidRoute

from transportkit.routing.keys import parse_pattern
from transportkit.routing.patterns import canonical_host, canonical_path


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        ("all://", ("", "", "", None, "")),
        ("http://", ("http", "", "", None, "")),
        ("HTTPS://Example.COM", ("https", "", "example.com", None, "")),
        ("all://*", ("", "", "", None, "")),
        ("all://*example.com", ("", "*", "example.com", None, "")),
        ("all://*.example.com", ("", "*.", "example.com", None, "")),
        ("https://example.com:1234", ("https", "", "example.com", 1234, "")),
        ("http://example.com:80", ("http", "", "example.com", 80, "")),
        ("all://*:1234", ("", "", "", 1234, "")),
        ("all://:1234", ("", "", "", 1234, "")),
        ("file://", ("file", "", "", None, "")),
        ("file:///srv/docs", ("file", "", "", None, "/srv/docs")),
        ("https://example.com/", ("https", "", "example.com", None, "")),
        ("https://example.com/api/", ("https", "", "example.com", None, "/api")),
        ("https://example.com/@scott/a b", ("https", "", "example.com", None, "/@scott/a%20b")),
        ("https://*/metrics", ("https", "", "", None, "/metrics")),
        ("all://example.com.", ("", "", "example.com", None, "")),
        ("all://*.münchen.de.", ("", "*.", "xn--mnchen-3ya.de", None, "")),
        ("all://10.0.0.1", ("", "", "10.0.0.1", None, "")),
        ("all://*10.0.0.1", ("", "", "10.0.0.1", None, "")),
        ("all://10.0.0.1/32", ("", "", "10.0.0.1", None, "")),
        ("all://10.0.0.1/api", ("", "", "10.0.0.1", None, "/api")),
        ("all://[0:0:0:0:0:0:0:1]:8080", ("", "", "::1", 8080, "")),
        ("all://[fe80::1%25eth0]", ("", "", "fe80::1%eth0", None, "")),
        ("all://127.1", ("", "", "127.1", None, "")),
    ],
)
def test_a_key_means(key: str, meaning: tuple[str, str, str, int | None, str]) -> None:
    pattern = parse_pattern(key)
    assert pattern.network is None
    assert (
        pattern.scheme,
        pattern.wildcard,
        pattern.host,
        pattern.port,
        pattern.path,
    ) == meaning
    assert pattern.key == key


@pytest.mark.parametrize(
    ("key", "network", "port"),
    [
        ("all://10.0.0.0/8", "10.0.0.0/8", None),
        ("all://10.1.2.3/8", "10.0.0.0/8", None),
        ("all://10.1.2.3:8080/8/", "10.0.0.0/8", 8080),
        ("all://0.0.0.0/0", "0.0.0.0/0", None),
        ("all://[fe80::]/10", "fe80::/10", None),
        ("all://[FE80::1]:443/10", "fe80::/10", 443),
    ],
)
def test_an_address_with_a_number_behind_a_slash_is_a_network(
    key: str, network: str, port: int | None
) -> None:
    pattern = parse_pattern(key)
    assert pattern.network == ipaddress.ip_network(network)
    assert (pattern.host, pattern.path, pattern.port) == ("", "", port)


STAR = "a '*' stands at the start of the host only"
NETWORK = "a network is an address and the length of its prefix"
NO_SCHEME = "a pattern starts with a scheme"
SCHEME = "a scheme is made of letters, digits, '+', '-' and '.', one scheme for a key"

# A key, what is wrong with it, and the one that takes what was meant, and nothing else.
MENDED = [
    ("example.com", NO_SCHEME, "all://example.com"),
    ("example.com:8080", NO_SCHEME, "all://example.com:8080"),
    (":8080", NO_SCHEME, "all://*:8080"),
    ("http", NO_SCHEME, "http://"),
    ("https:", NO_SCHEME, "https://"),
    ("http:/example.com", NO_SCHEME, "http://example.com"),
    ("https//example.com/api", NO_SCHEME, "https://example.com/api"),
    ("HTTPS;//example.com", NO_SCHEME, "HTTPS://example.com"),
    ("http:\\\\example.com", NO_SCHEME, "http://example.com"),
    ("file:/srv", NO_SCHEME, "file:///srv"),
    ("//example.com", NO_SCHEME, "all://example.com"),
    ("scott:tiger@example.com", NO_SCHEME, "all://example.com"),
    ("*://example.com", "the scheme for every scheme is 'all'", "all://example.com"),
    ("://example.com", "the scheme for every scheme is 'all'", "all://example.com"),
    ("*://", "the scheme for every scheme is 'all'", "all://"),
    ("ht tp://h", SCHEME, "http://h"),
    ("https:://h", SCHEME, "https://h"),
    (" all://h\n", "it has whitespace or quotes around it", "all://h"),
    ('"https://h"', "it has whitespace or quotes around it", "https://h"),
    ("<https://h>", "it has whitespace or quotes around it", "https://h"),
    ("http://h?", "a pattern has no query", "http://h"),
    ("http://h/#top", "a pattern has no fragment", "http://h/"),
    ("http://scott:tiger@h/x", "a pattern has no user name or password", "http://h/x"),
    ("all://**.com:80/x", STAR, "all://*.com:80/x"),
    ("all://.example.com:80", "a host does not start with a dot", "all://*.example.com:80"),
    ("https://h/api/*", "a path is a prefix already", "https://h/api"),
    ("https://h/**", "a path is a prefix already", "https://h"),
    ("all://::1", "an IPv6 address stands in brackets, a port behind them", "all://[::1]"),
    ("all://[fe80::1", "an IPv6 address stands in brackets", "all://[fe80::1]"),
    ("http://h:*", "a port is a number from 1 to 65535", "http://h"),
    ("all://192.168.*", NETWORK, "all://192.168.0.0/16"),
    ("all://10.*.*:80", NETWORK, "all://10.0.0.0:80/8"),
    ("all://192.168.", NETWORK, "all://192.168.0.0/16"),
    ("all://10/8", NETWORK, "all://10.0.0.0/8"),
    ("all://172.16/12", NETWORK, "all://172.16.0.0/12"),
    ("all://10.0.0.0/255.0.0.0", NETWORK, "all://10.0.0.0/8"),
]

# A key of which no pattern says what was meant, or more than one does.
REFUSED = [
    ("", "a pattern starts with a scheme, such as 'https://'"),
    ("/api", "a pattern starts with a scheme, such as 'https://'"),
    ("http:8080", "a pattern starts with a scheme, such as 'https://'"),
    ("http:example.com", "a pattern starts with a scheme, such as 'https://'"),
    ("://", "the scheme for every scheme is 'all'"),
    ("https?://h", SCHEME),
    ("http*://h", SCHEME),
    ("^https://h$", SCHEME),
    ("http://h?page=2", "a pattern has no query, and takes any"),
    ("all://www.*.com", f"{STAR}: no pattern says this"),
    ("https://ex*ample.com", f"{STAR}: no pattern says this"),
    ("all://example.*", f"{STAR}: no pattern says this"),
    ("all://10.*/api", NETWORK),
    ("all://100.0.0/8", NETWORK),
    ("all://192168.0.0/16", NETWORK),
    ("all://[fe80::]10", "behind an address in brackets stands a port or a path"),
    ("all://*.", "'*.' needs a name behind it"),
    ("all://*.10.0.0.1", "an address has no subdomains"),
    ("all://*.0.1", "addresses that belong together are a network"),
    ("all://10.0.0.1-10.0.0.9", "addresses that belong together are a network"),
    ("all://10.0.0.1-9", "addresses that belong together are a network"),
    ("all://*-cdn.example.com", "a '*' stands for whole labels: no pattern says this"),
    ("all://*..example.com", "a host has no empty labels"),
    ("all://a..b", "a host has no empty labels"),
    ("all://.", "a host has no empty labels"),
    ("all://a.com, b.com", "a pattern is for one host: each has a key of its own"),
    ("all://a|b", "a host is made of letters, digits, '-', '_' and '.'"),
    ("all://<local>", "a host is made of letters, digits, '-', '_' and '.'"),
    ("all://x$", "(a pattern is no regular expression)"),
    ("all://a b", "a host has no spaces or backslashes"),
    ("all://h/\n/x", "a pattern no control characters"),
    ("https:///example.com", "it names no host ('*' is every host), or has a '/' too many"),
    ("https://h/api*", "a path is a prefix without a '*' in it: no pattern says this"),
    ("http://h/*/admin", "a path is a prefix without a '*' in it: no pattern says this"),
    ("http://h/token=abc/*", "a path is a prefix already"),
    ("all://::1:8080", "an IPv6 address stands in brackets, a port behind them"),
    ("all://[::g]", "Invalid IPv6 address: '[::g]'"),
    ("all://300.1.1.1", "Invalid IPv4 address: '300.1.1.1'"),
    ("all://10.0.0.0/99", "an IPv4 network has a prefix length from 0 to 32"),
    ("all://[fe80::]/129", "an IPv6 network has a prefix length from 0 to 128"),
    ("all://10.0.0.0/8/api", "an address with /n is a network, which has no path"),
    ("all://10.0.0.0/255.0.255.0", NETWORK),
    ("all://[fe80::1%25eth0]/10", "a network has no zone"),
    *(
        (f"http://h:{port}", "a port is a number from 1 to 65535, or left out for every port")
        for port in ("", "0", "65536", "655350", "x", "-1", "80:90", "٣", "9" * 5000)
    ),
]


@pytest.mark.parametrize(("key", "problem", "instead"), MENDED)
def test_a_key_that_cannot_work_is_refused_with_what_to_write(
    key: str, problem: str, instead: str
) -> None:
    with pytest.raises(InvalidRoute) as refused:
        parse_pattern(key)
    assert problem in str(refused.value)
    assert str(refused.value).endswith(f": write {instead!r}")
    assert refused.value.instead == instead
    assert parse_pattern(instead).key == instead
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(("key", "problem"), REFUSED)
def test_where_no_pattern_says_what_was_meant_none_is_advised(key: str, problem: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        parse_pattern(key)
    assert problem in str(refused.value)
    assert "write '" not in str(refused.value)
    assert refused.value.instead == ""


@pytest.mark.parametrize("key", ["example.com", "all://www.*.com", "https://h/api/*"])
def test_the_refusal_quotes_the_key(key: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        parse_pattern(key)
    assert str(refused.value).startswith(repr(key))


@pytest.mark.parametrize("key", [8080, None, b"all://", httpx.URL("http://h"), ("all", "h")])
def test_a_key_is_a_string(key: object) -> None:
    with pytest.raises(InvalidRoute, match="a pattern is a string such as"):
        parse_pattern(key)


@pytest.mark.parametrize(
    "key",
    [
        "http://scott:tiger@h",
        "http://scott:ti/tiger@h",
        "scott:tiger@h",
        "scott:tiger@h://x",
        "http://h?password=tiger",
        "http://scott:tiger@h?x",
        "http://scott:x/tiger@h:port/*",
    ],
)
def test_the_refusal_holds_no_password(key: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        parse_pattern(key)
    assert "tiger" not in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("all://", "ALL://*"),
        ("http://example.com", "http://EXAMPLE.com."),
        ("all://münchen.de", "all://xn--mnchen-3ya.de"),
        ("all://[::1]", "all://[0:0:0:0:0:0:0:1]"),
        ("all://[::1]", "all://[::1]/128"),
        ("all://10.1.0.0/8", "all://10.2.0.0/8"),
        ("https://h/api", "https://h/%61pi/"),
        ("https://h/a%2fb", "https://h/a%2Fb"),
    ],
)
def test_keys_that_mean_the_same_are_equal(one: str, other: str) -> None:
    assert parse_pattern(one) == parse_pattern(other)
    assert hash(parse_pattern(one)) == hash(parse_pattern(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h", "http://h:80"),
        ("all://h:80", "http://h:80"),
        ("all://*h", "all://*.h"),
        ("all://10.0.0.0/8", "all://10.0.0.0"),
        ("all://[::ffff:10.0.0.1]", "all://10.0.0.1"),
        ("https://h/api", "https://h/API"),
    ],
)
def test_keys_that_mean_something_else_are_not(one: str, other: str) -> None:
    assert parse_pattern(one) != parse_pattern(other)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse_pattern(text)
    except InvalidRoute as refused:
        assert str(refused)


@given(st.text(alphabet="/a~.%7eE2fF?#", max_size=12))
def test_a_canonical_path_stays_as_it_is(path: str) -> None:
    once = canonical_path(path)
    assert canonical_path(once) == once


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("a.com", "a.com"),
        ("a.com.", "a.com"),
        ("a.com..", "a.com."),
        ("::0:1", "::1"),
        ("FE80::0:1%25eth0", "fe80::1%eth0"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%25", "fe80::1%25"),
        ("", ""),
    ],
)
def test_canonical_host(host: str, canonical: str) -> None:
    assert canonical_host(host) == canonical
