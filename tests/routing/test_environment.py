"""HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as a routing dict."""

import logging
import os
import ssl
from unittest import mock
from urllib.request import getproxies

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flavours import SpyTransport
from support.library import shell
from support.transportkit import InvalidRoute, Mounts, default_transport, environment_routes

PROXY = "http://proxy.example:3128"
OTHER = "http://other.example:3128"
# Mounts are made by the hundred here, and a context of httpx takes 20 ms.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

NO_PROXY = [
    ("", []),
    (",", []),
    (" , ,", []),
    ("example.com", ["all://*example.com"]),
    (".example.com", ["all://*.example.com"]),
    ("*.example.com", ["all://*.example.com"]),
    ("*example.com", ["all://*example.com"]),
    ("localhost", ["all://localhost"]),
    ("LocalHost", ["all://LocalHost"]),
    ("localhost:8080", ["all://localhost:8080"]),
    ("10.0.0.1", ["all://10.0.0.1"]),
    ("10.0.0.1:8080", ["all://10.0.0.1:8080"]),
    ("10.0.0.0/8", ["all://10.0.0.0/8"]),
    ("10.20.30.40/8", ["all://10.20.30.40/8"]),
    ("::1", ["all://[::1]"]),
    ("[::1]", ["all://[::1]"]),
    ("[::1]:8080", ["all://[::1]:8080"]),
    ("fe80::/10", ["all://[fe80::]/10"]),
    ("[fe80::]/10", ["all://[fe80::]/10"]),
    ("example.com:443", ["all://*example.com:443"]),
    (".example.com:443", ["all://*.example.com:443"]),
    ("*.example.com:443", ["all://*.example.com:443"]),
    ("*:8080", ["all://*:8080"]),
    ("münchen.de", ["all://*münchen.de"]),
    ("xn--mnchen-3ya.de", ["all://*xn--mnchen-3ya.de"]),
    ("http://example.com", ["http://example.com"]),
    ("a,b", ["all://*a", "all://*b"]),
    ("  a ,\tb  ,, c ", ["all://*a", "all://*b", "all://*c"]),
]


@pytest.mark.parametrize(("entries", "keys"), NO_PROXY)
def test_no_proxy_becomes_keys_that_lead_to_none(entries: str, keys: list[str]) -> None:
    assert environment_routes({"NO_PROXY": entries}) == dict.fromkeys(keys)


@pytest.mark.parametrize(("entries", "keys"), NO_PROXY)
def test_no_proxy_entries_stand_beside_the_proxy(entries: str, keys: list[str]) -> None:
    routes = environment_routes({"ALL_PROXY": PROXY, "NO_PROXY": entries})
    assert routes == {"all://": PROXY, **dict.fromkeys(keys)}


@pytest.mark.parametrize(
    "entries",
    [
        "example.com,example.com",
        "example.com,EXAMPLE.com",
        "example.com,example.com.",
        "example.com,*example.com",
        ".example.com,*.example.com",
        "münchen.de,xn--mnchen-3ya.de",
        "münchen.de,MÜNCHEN.de",
        "::1,[::1]",
        "::1,0:0:0:0:0:0:0:1",
        "10.0.0.0/8,10.20.30.40/8",
        "10.0.0.1,10.0.0.1/32",
        "fe80::/10,[fe80::1]/10",
        "::1,::1/128",
        "localhost,LOCALHOST",
    ],
)
def test_entries_that_mean_the_same_are_folded_into_the_first(entries: str) -> None:
    first, _, _ = entries.partition(",")
    assert environment_routes({"NO_PROXY": entries}) == environment_routes({"NO_PROXY": first})
    assert len(environment_routes({"NO_PROXY": entries})) == 1


@pytest.mark.parametrize("entries", ["*", " * ", "a,*", "*,a", "a, * ,b", "*,::bad::"])
def test_a_star_anywhere_in_no_proxy_means_no_proxies_at_all(entries: str) -> None:
    proxies = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}
    assert environment_routes({**proxies, "NO_PROXY": entries}) == {}


@pytest.mark.parametrize(
    ("environ", "routes"),
    [
        ({}, {}),
        ({"HTTP_PROXY": PROXY}, {"http://": PROXY}),
        ({"HTTPS_PROXY": PROXY}, {"https://": PROXY}),
        ({"ALL_PROXY": PROXY}, {"all://": PROXY}),
        (
            {"HTTP_PROXY": "http://a", "HTTPS_PROXY": "http://b", "ALL_PROXY": "http://c"},
            {"http://": "http://a", "https://": "http://b", "all://": "http://c"},
        ),
        ({"http_proxy": PROXY}, {"http://": PROXY}),
        ({"Http_Proxy": PROXY}, {"http://": PROXY}),
        ({"http_proxy": PROXY, "HTTP_PROXY": OTHER}, {"http://": PROXY}),
        ({"HTTP_PROXY": OTHER, "http_proxy": PROXY}, {"http://": PROXY}),
        ({"all_proxy": PROXY, "ALL_PROXY": OTHER}, {"all://": PROXY}),
        ({"no_proxy": "a", "NO_PROXY": "b"}, {"all://*a": None}),
        # In lower case, empty is an answer: none.
        ({"http_proxy": "", "HTTP_PROXY": PROXY}, {}),
        ({"HTTP_PROXY": PROXY, "http_proxy": ""}, {}),
        ({"no_proxy": "", "NO_PROXY": "*", "ALL_PROXY": PROXY}, {"all://": PROXY}),
        ({"HTTP_PROXY": ""}, {}),
        ({"HTTP_PROXY": "  "}, {}),
        ({"HTTP_PROXY": f" {PROXY} "}, {"http://": PROXY}),
        ({"HTTP_PROXY": "proxy.example:3128"}, {"http://": PROXY}),
        (
            {"HTTP_PROXY": "scott:tiger@proxy.example"},
            {"http://": "http://scott:tiger@proxy.example"},
        ),
        ({"ALL_PROXY": "socks5://proxy.example"}, {"all://": "socks5://proxy.example"}),
        ({"FTP_PROXY": PROXY, "TRAVIS_APT_PROXY": PROXY, "PROXY": PROXY}, {}),
    ],
)
def test_proxies_are_read_in_upper_and_lower_case(
    environ: dict[str, str], routes: dict[str, str | None]
) -> None:
    assert environment_routes(environ) == routes


@pytest.mark.parametrize(
    ("environ", "routes"),
    [
        ({"HTTP_PROXY": PROXY}, {}),
        ({"Http_Proxy": PROXY}, {}),
        ({"http_proxy": PROXY}, {"http://": PROXY}),
        ({"http_proxy": PROXY, "HTTP_PROXY": OTHER}, {"http://": PROXY}),
        ({"HTTPS_PROXY": PROXY}, {"https://": PROXY}),
        ({"ALL_PROXY": PROXY}, {"all://": PROXY}),
        ({"NO_PROXY": "a"}, {"all://*a": None}),
    ],
)
def test_a_cgi_script_ignores_http_proxy_which_a_request_header_could_set(
    environ: dict[str, str], routes: dict[str, str | None]
) -> None:
    assert environment_routes({**environ, "REQUEST_METHOD": "GET"}) == routes


UNPARSABLE = [
    "example.com:http",
    "example.com:0",
    "example.com:65536",
    "example.com:",
    "example.com/24",
    "example.com/path",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/255.0.0.0",
    "10.0.0.0/8:80",
    "fe80::/129",
    "[::1",
    "[10.0.0.1]",
    ":::",
    "a..b",
    "**",
    "*.",
    "www.*.com",
    "example.com?a",
    "example.com#a",
    "😀.de",
    "/",
    "://",
    "http:///",
    "scott:tiger@example.com",
    "http://scott:tiger@example.com",
    # Means something elsewhere, or everything by accident.
    "<local>",
    "a|b",
    "a;b",
    "'example.com'",
    '"example.com"',
    "10.0.0.1-10.0.0.9",
    "10.0.0.1-9",
    ":8443",
    "192.168.*",
    "192.168.",
    "10/8",
    "*foo*",
    "example.*",
    "${NO_PROXY}",
    "%NO_PROXY%",
    "htps://example.com",
    "*/24",
]


@pytest.mark.parametrize("entry", UNPARSABLE)
def test_an_entry_that_cannot_be_parsed_is_skipped_with_one_warning(
    entry: str, caplog: pytest.LogCaptureFixture
) -> None:
    routes = environment_routes({"ALL_PROXY": PROXY, "NO_PROXY": f"before,{entry},after"})
    assert routes == {"all://": PROXY, "all://*before": None, "all://*after": None}
    (record,) = caplog.records
    assert record.name == "transportkit.routing"
    assert record.levelno == logging.WARNING
    assert "NO_PROXY" in record.getMessage()
    shown = entry.replace("scott:tiger", "****")
    assert record.getMessage().startswith(f"Skipping {shown!r} in NO_PROXY: ")
    assert not record.getMessage().endswith(": ")
    assert "scott" not in record.getMessage()
    assert "tiger" not in record.getMessage()


def test_each_entry_that_cannot_be_parsed_has_its_own_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environment_routes({"NO_PROXY": ",".join(UNPARSABLE)})
    assert len(caplog.records) == len(UNPARSABLE)


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        (":8443", "*:8443"),
        ("192.168.*", "192.168.0.0/16"),
        ("192.168.", "192.168.0.0/16"),
        ("10/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("htps://example.com", "https://example.com"),
        ("scott@example.com", "example.com"),
    ],
)
def test_what_the_warning_says_to_write_is_an_entry_itself(
    entry: str, instead: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert environment_routes({"NO_PROXY": entry}) == {}
    assert caplog.messages[0].endswith(f"write {instead!r}")
    assert len(environment_routes({"NO_PROXY": instead})) == 1
    assert len(caplog.messages) == 1


def test_what_can_be_parsed_is_not_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    environment_routes({"ALL_PROXY": PROXY, "NO_PROXY": ",".join(entry for entry, _ in NO_PROXY)})
    assert not caplog.records


@pytest.mark.parametrize(
    ("variable", "entry"),
    [
        ("ALL_PROXY", "all://"),
        ("ALL_PROXY", "all://*"),
        ("ALL_PROXY", "ALL://"),
        ("HTTP_PROXY", "http://"),
        ("HTTP_PROXY", "http://*"),
        ("HTTP_PROXY", "HTTP://"),
    ],
)
def test_an_entry_may_be_as_wide_as_the_proxy_it_excepts_from(variable: str, entry: str) -> None:
    routes = environment_routes({variable: PROXY, "NO_PROXY": entry})
    mounts = Mounts(routes, verify=TLS, trust_env=False)
    assert mounts.route_for("http://example.com/").target == "direct"


def test_without_an_argument_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost, .corp")
    assert environment_routes() == environment_routes(os.environ)
    assert environment_routes() == {
        "https://": PROXY,
        "all://localhost": None,
        "all://*.corp": None,
    }


def test_an_empty_dict_is_an_empty_environment_and_not_the_real_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert environment_routes({}) == {}


def test_without_an_argument_the_settings_of_the_system_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What getproxies answers on macOS and Windows, other schemes and all.
    settings = {"http": PROXY, "https": "other.example:3128", "ftp": PROXY, "gopher": PROXY}
    monkeypatch.setattr("transportkit.routing.environment.getproxies", lambda: settings)
    assert environment_routes() == {"http://": PROXY, "https://": OTHER}
    assert environment_routes({}) == {}


def test_the_settings_of_the_system_stand_behind_the_routes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transportkit.routing.environment.getproxies", lambda: {"http": PROXY})
    mounts = Mounts({"http://a.example": None})
    assert mounts.route_for("http://a.example/").target == "direct"
    assert mounts.route_for("http://b.example/").target == f"proxy {PROXY}"


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("socks://proxy.example:1080", "socks5h://proxy.example:1080"),
        ("SOCKS://scott:tiger@proxy.example/", "socks5h://scott:tiger@proxy.example/"),
        ("socks4://proxy.example", "socks4://proxy.example"),
        ("none", "none"),
        ("DIRECT", "DIRECT"),
        ("http:/proxy.example", "http:/proxy.example"),
        ("http:3128", "http://http:3128"),
        ("squid", "http://squid"),
    ],
)
def test_the_value_of_a_variable_is_a_proxy_or_left_as_it_is(value: str, meaning: str) -> None:
    routes = environment_routes({"ALL_PROXY": value})
    assert routes == {"all://": meaning}
    assert isinstance(routes["all://"], str)


# What `golang.org/x/net/http/httpproxy` documents, but for its exception of all loopback addresses.
GO = "192.0.2.1, 192.0.2.3:80, 198.51.100.0/24, 2001:db8::1, [2001:db8::3]:80, 2001:db8:a::/48, "
GO += "bücher.example, site.example, .sub.example, *.star.example, ports.example:8080"
GO_EXCEPTS = {
    "http://192.0.2.1/": True,
    "http://192.0.2.1:8080/": True,
    "http://192.0.2.2/": False,
    "http://192.0.2.3/": True,
    "http://192.0.2.3:8080/": False,
    "http://198.51.100.200/": True,
    "http://198.51.101.1/": False,
    "http://[2001:db8::1]/": True,
    "http://[2001:db8::2]/": False,
    "http://[2001:db8::3]/": True,
    "https://[2001:db8::3]/": False,
    "http://[2001:db8:a::7]/": True,
    "http://[2001:db8:b::7]/": False,
    "http://site.example/": True,
    "http://SITE.example./": True,
    "http://www.site.example/": True,
    "http://mysite.example/": False,
    "http://site.example.evil.example/": False,
    "http://sub.example/": False,
    "http://x.sub.example/": True,
    "http://star.example/": False,
    "http://x.star.example/": True,
    "http://xstar.example/": False,
    "http://ports.example:8080/": True,
    "http://www.ports.example:8080/": True,
    "http://ports.example/": False,
    "http://bücher.example/": True,
    "http://xn--bcher-kva.example/": True,
    # CVE-2025-22870: a zone is no subdomain.
    "http://[fe80::1%25.sub.example]/": False,
    "http://[::1%25x.site.example]/": False,
    "http://[2001:db8::1%25eth0]/": True,
}

# What curl's manual says of --noproxy, but that here a name with a dot before it is not excepted.
CURL = "local.example, [2001:db8::1], 192.0.2.0/28, 2001:db8:a::/48, 198.51.100.7 trailing.example."
CURL_EXCEPTS = {
    "http://local.example/": True,
    "https://local.example/": True,
    "http://local.example:8080/": True,
    "http://local.example./": True,
    "http://www.local.example/": True,
    "http://notlocal.example/": False,
    "http://www.notlocal.example/": False,
    "http://local.example.com/": False,
    "http://example/": False,
    "http://[2001:db8::1]/": True,
    "http://[2001:DB8:0::1]:8080/": True,
    "http://192.0.2.15/": True,
    "http://192.0.2.16/": False,
    "http://[2001:db8:a:1::1]/": True,
    "http://198.51.100.7/": True,
    "http://198.51.100.70/": False,
    "http://198.51.100.7.example/": False,
    "http://www.trailing.example/": True,
}


@pytest.mark.parametrize(
    ("entries", "url", "excepted"),
    [
        (entries, url, excepted)
        for entries, table in ((GO, GO_EXCEPTS), (CURL, CURL_EXCEPTS))
        for url, excepted in table.items()
    ],
)
def test_no_proxy_excepts_what_it_excepts_in_go_and_in_curl(
    entries: str, url: str, excepted: bool
) -> None:
    routes = environment_routes({"ALL_PROXY": PROXY, "NO_PROXY": entries})
    spies = {key: SpyTransport(str(proxy)) for key, proxy in routes.items()}
    pattern = Mounts(spies, default="direct", verify=TLS).route_for(url).pattern
    assert (pattern != "all://") is excepted


EXCEPTED = [
    ("example.com", "https://example.com/", True),
    ("example.com", "http://www.example.com/", True),
    ("example.com", "http://example.com:8080/", True),
    ("example.com", "http://EXAMPLE.com./", True),
    ("example.com", "http://wwwexample.com/", False),
    ("example.com", "http://example.com.evil.example/", False),
    (".example.com", "http://www.example.com/", True),
    (".example.com", "http://a.b.example.com/", True),
    (".example.com", "http://example.com/", False),
    ("*.example.com", "http://www.example.com/", True),
    ("*.example.com", "http://example.com/", False),
    ("example.com:443", "https://example.com/", True),
    ("example.com:443", "https://example.com:443/", True),
    ("example.com:443", "https://www.example.com/", True),
    ("example.com:443", "https://example.com:8443/", False),
    ("example.com:443", "http://example.com/", False),
    ("example.com:443", "http://example.com:443/", True),
    ("example.com:80", "http://example.com/", True),
    ("example.com:8080", "http://example.com:8080/", True),
    ("example.com:8080", "http://example.com/", False),
    ("localhost", "http://localhost:8000/", True),
    ("localhost", "http://www.localhost/", False),
    ("10.0.0.0/8", "http://10.255.0.1/", True),
    ("10.0.0.0/8", "https://10.0.0.1:8443/", True),
    ("10.20.30.40/8", "http://10.0.0.1/", True),
    ("10.0.0.0/8", "http://11.0.0.1/", False),
    ("10.0.0.0/8", "http://10.example/", False),
    ("10.0.0.1", "http://10.0.0.1/", True),
    ("10.0.0.1", "http://10.0.0.10/", False),
    ("10.0.0.1:8080", "http://10.0.0.1:8080/", True),
    ("10.0.0.1:8080", "http://10.0.0.1/", False),
    ("0.0.0.0/0", "http://192.0.2.1/", True),
    ("0.0.0.0/0", "http://example.com/", False),
    ("::1", "http://[::1]/", True),
    ("[::1]", "http://[::1]:8080/", True),
    ("[::1]", "http://[0:0:0:0:0:0:0:1]/", True),
    ("[::1]", "http://[::2]/", False),
    ("[::1]:443", "https://[::1]/", True),
    ("fe80::/10", "http://[fe80::1]/", True),
    ("fe80::/10", "http://[febf::1]/", True),
    ("fe80::/10", "http://[fec0::1]/", False),
    ("fe80::/10", "http://10.0.0.1/", False),
    ("[fe80::]/10", "http://[fe80::1]/", True),
    ("münchen.de", "https://münchen.de/", True),
    ("münchen.de", "https://www.xn--mnchen-3ya.de/", True),
    ("münchen.de", "https://munchen.de/", False),
    ("xn--mnchen-3ya.de", "https://münchen.de/", True),
    ("*", "https://example.com/", True),
    ("*:8080", "https://example.com:8080/", True),
    ("*:8080", "https://example.com/", False),
    ("http://example.com", "http://example.com/", True),
    ("http://example.com", "https://example.com/", False),
    ("a b", "http://a/", True),
    ("a b", "http://b/", True),
]


@pytest.mark.parametrize(("entry", "url", "excepted"), EXCEPTED)
def test_the_routes_of_the_environment_except_what_no_proxy_says(
    monkeypatch: pytest.MonkeyPatch, entry: str, url: str, excepted: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", entry)
    transport = default_transport(verify=TLS)
    if isinstance(transport, Mounts):
        target = transport.route_for(url).target
        assert target == ("direct" if excepted else f"proxy {PROXY}")
    else:
        assert entry == "*"
        assert isinstance(transport, shell("network").NetworkTransport)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://example.com/", "proxy http://a.example"),
        ("https://example.com/", "proxy http://b.example"),
        ("ws://example.com/", "proxy http://c.example"),
        ("http://10.0.0.1/", "direct"),
    ],
)
def test_the_proxy_for_the_scheme_beats_the_one_for_all(
    monkeypatch: pytest.MonkeyPatch, url: str, target: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://a.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://b.example")
    monkeypatch.setenv("ALL_PROXY", "http://c.example")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    transport = default_transport(verify=TLS)
    assert isinstance(transport, Mounts)
    assert transport.route_for(url).target == target


# No NUL and no lone surrogate: the environment cannot hold them either.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
PIECES = st.sampled_from(
    [
        *"*.:/[]@%#?,\\| -_1",
        "a",
        "::1",
        "10.0.0.0",
        "/8",
        "all://",
        "http://",
        "xn--",
        "ü",
        "localhost",
    ]
)
KEYS = st.tuples(
    st.sampled_from(["all://", "http://", "HTTP://", ""]),
    st.sampled_from(["", "*", "*.", "."]),
    st.sampled_from(["", "a", "a.", "10.0.0.0", "[::1]", "::1"]),
    st.sampled_from(["", ":80", "/8"]),
).map("".join)
ENTRIES = st.lists(st.lists(PIECES, max_size=6).map("".join) | TEXT | KEYS, max_size=4).map(
    ",".join
)


@given(ENTRIES)
def test_any_text_in_no_proxy_makes_routes_that_mounts_takes(entries: str) -> None:
    routes = environment_routes({"ALL_PROXY": PROXY, "HTTP_PROXY": PROXY, "NO_PROXY": entries})
    mounts = Mounts(routes, verify=TLS, trust_env=False)
    assert [route.pattern for route in mounts.routes if route.target != "direct"] == [
        key for key in ("http://", "all://") if routes.get(key)
    ]
    assert len(mounts.routes) == len(routes)


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join) | TEXT.filter(bool))
def test_any_text_as_a_proxy_is_taken_or_refused_by_mounts_alone(proxy: str) -> None:
    routes = environment_routes({"ALL_PROXY": proxy})
    try:
        mounts = Mounts(routes, verify=TLS, trust_env=False)
    except InvalidRoute as error:
        assert "'all://'" in str(error)
    else:
        assert len(mounts.routes) == len(routes)


def _in_mixed_case(name: str) -> st.SearchStrategy[str]:
    letters = [st.sampled_from([letter.lower(), letter.upper()]) for letter in name]
    return st.sampled_from([name.lower(), name.upper()]) | st.tuples(*letters).map("".join)


NAMES = st.sampled_from(["http_proxy", "https_proxy", "all_proxy", "no_proxy"])
ENVIRONMENTS = st.dictionaries(
    NAMES.flatmap(_in_mixed_case) | st.just("REQUEST_METHOD"),
    st.sampled_from(["", " ", PROXY, OTHER, "proxy.example", "a,b", "*", "::1"]),
    max_size=8,
)


@given(ENVIRONMENTS)
def test_a_given_environment_is_read_like_the_real_one(environ: dict[str, str]) -> None:
    with mock.patch.dict(os.environ, environ):
        assert environment_routes(environ) == environment_routes()
        # Also on macOS and Windows, once a variable is set.
        assert not environ or environment_routes(dict(os.environ)) == environment_routes()


def test_the_environment_is_read_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    before = environment_routes()
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert getproxies() == {"all": PROXY}
    assert (before, environment_routes()) == ({}, {"all://": PROXY})
