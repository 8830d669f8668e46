"""Keys of a routing dict: what they mean, and what is said of those that cannot work."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.routes import KEYS
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


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("example.com", "a pattern starts with a scheme: write 'all://example.com'"),
        ("example.com:8080", "a pattern starts with a scheme: write 'all://example.com:8080'"),
        (":8080", "a pattern starts with a scheme: write 'all://*:8080'"),
        ("", "a pattern starts with a scheme: write 'all://'"),
        ("http", "a pattern starts with a scheme: write 'http://'"),
        ("https:", "a pattern starts with a scheme: write 'https://'"),
        ("http:/example.com", "a pattern starts with a scheme: write 'http://example.com'"),
        ("//example.com", "a pattern starts with a scheme: write 'all://example.com'"),
        ("*://example.com", "the scheme for every scheme is 'all': write 'all://example.com'"),
        ("://example.com", "the scheme for every scheme is 'all': write 'all://example.com'"),
        (" all://h", "a scheme is made of letters, digits, '+', '-' and '.': write 'all://h'"),
        ("http://h?page=2", "a pattern has no query: write 'http://h'"),
        ("http://h/#top", "a pattern has no fragment: write 'http://h/'"),
        ("http://scott:tiger@h/x", "a pattern has no user name or password: write 'http://h/x'"),
        ("all://www.*.com", "a '*' stands at the start of the host only: write 'all://*.com'"),
        ("all://**.com", "a '*' stands at the start of the host only: write 'all://*.com'"),
        ("all://example.*", "a '*' stands at the start of the host only"),
        ("all://*.", "'*.' needs a name behind it: write 'all://*'"),
        ("all://*.10.0.0.1", "an address has no subdomains: write 'all://10.0.0.1'"),
        ("all://*-cdn.example.com", "a '*' stands for whole labels: write 'all://*.example.com'"),
        ("all://.example.com", "a host does not start with a dot: write 'all://*.example.com'"),
        ("all://a..b", "a host has no empty labels"),
        ("all://.", "a host has no empty labels"),
        ("all://a.com, b.com", "a pattern is for one host: write 'all://a.com' or 'all://b.com'"),
        ("all://a b", "a host has no spaces or backslashes, a pattern no control characters"),
        ("all://h/\n", "a host has no spaces or backslashes, a pattern no control characters"),
        (
            "https:///example.com",
            "it names no host: write 'https://*/example.com' or 'https://example.com'",
        ),
        ("https://h/api/*", "a path is a prefix already: write 'https://h/api'"),
        ("all://::1", "an IPv6 address stands in brackets: write 'all://[::1]'"),
        ("all://[::1", "an IPv6 address stands in brackets: write 'all://[::1]'"),
        ("all://[::g]", "Invalid IPv6 address: '[::g]'"),
        ("all://300.1.1.1", "Invalid IPv4 address: '300.1.1.1'"),
        (
            "all://10.0.0.0/99",
            "an IPv4 network has a prefix length from 0 to 32: write 'all://10.0.0.0/32'",
        ),
        (
            "all://[fe80::]/129",
            "an IPv6 network has a prefix length from 0 to 128: write 'all://[fe80::]/128'",
        ),
        (
            "all://10.0.0.0/8/api",
            "an address with /n is a network, which has no path: write 'all://10.0.0.0/8'",
        ),
        *(
            (f"http://h:{port}", "a port is a number from 1 to 65535, or left out for every port")
            for port in ("", "0", "65536", "*", "x", "-1", "80:90", "٣")
        ),
    ],
)
def test_a_key_that_cannot_work_is_refused_with_what_to_write(key: str, text: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        parse_pattern(key)
    assert text in str(refused.value)
    assert isinstance(refused.value, ValueError)


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


@given(KEYS, st.sampled_from(["", "?", "#", "x:y@", " ", "*", ":99999", "//", "..", "\\", "%zz"]))
def test_what_is_advised_is_accepted(key: str, spoiler: str) -> None:
    for spoilt in (key + spoiler, key.replace("://", f"://{spoiler}"), key.replace("all://", "")):
        try:
            parse_pattern(spoilt)
        except InvalidRoute as refused:
            advice = str(refused).partition(": write ")[2]
            # One mistake is mended at a time: advice may lead to more advice, never in a circle.
            for _ in range(5):
                if not advice:
                    break
                instead = advice.split("'")[1]
                try:
                    parse_pattern(instead)
                except InvalidRoute as again:
                    advice = str(again).partition(": write ")[2]
                else:
                    break
            else:
                raise AssertionError(f"{spoilt!r}: the advice never ends: {advice}") from None


@given(st.text(alphabet="/a~.%7eE2fF?#", max_size=12))
def test_a_canonical_path_stays_as_it_is(path: str) -> None:
    once = canonical_path(path)
    assert canonical_path(once) == once


@pytest.mark.parametrize(
    ("host", "canonical"),
    [("a.com", "a.com"), ("a.com.", "a.com"), ("a.com..", "a.com."), ("::0:1", "::1"), ("", "")],
)
def test_canonical_host(host: str, canonical: str) -> None:
    assert canonical_host(host) == canonical
