"""Proxies as people write them: equal ones, refused ones, and their names."""

import re
import sys
from typing import Any

import pytest
from support.flavours import SpyTransport
from support.library import LIBRARY, httpx

from transportkit.rotation.proxies import Via, join_names, parse, parse_all

SPY = SpyTransport()


def names(proxies: object) -> list[str]:
    return [entry.name for entry in parse_all(proxies, httpx.BaseTransport)]


@pytest.mark.parametrize(
    ("written", "name", "via"),
    [
        ("http://a.example:8080", "http://a.example:8080", Via.HTTP),
        ("https://a.example", "https://a.example", Via.HTTP),
        ("http://scott:tiger@a.example:8080", "http://****@a.example:8080", Via.HTTP),
        (httpx.URL("http://scott:tiger@a.example"), "http://****@a.example", Via.HTTP),
        (
            httpx.Proxy("http://a.example", auth=("scott", "tiger")),
            "http://****@a.example",
            Via.HTTP,
        ),
        ("socks5://scott:tiger@a.example:1080", "socks5://****@a.example:1080", Via.SOCKS),
        ("socks5h://a.example", "socks5h://a.example", Via.SOCKS),
        (None, "direct", Via.DIRECT),
        ("direct", "direct", Via.DIRECT),
        (SPY, "SpyTransport", Via.READY),
    ],
)
def test_a_proxy_has_a_name_without_credentials(written: object, name: str, via: Via) -> None:
    entry = parse(written, httpx.BaseTransport)
    assert (entry.name, entry.via, entry.weight) == (name, via, 1)
    assert "tiger" not in f"{entry!r} {entry}"
    assert (entry.transport is SPY) is (written is SPY)
    assert (entry.proxy is not None) is (via in (Via.HTTP, Via.SOCKS))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a", "http://a:80/"),
        ("http://a", httpx.URL("HTTP://A")),
        ("https://a", "https://a:443"),
        ("socks5://a", "socks5://a:1080"),
        ("http://scott:tiger@a", httpx.Proxy("http://a", auth=("scott", "tiger"))),
        ("http://a", httpx.Proxy("http://a")),
        (None, "direct"),
        (SPY, SPY),
    ],
)
def test_the_same_proxy_is_not_taken_twice(one: object, other: object) -> None:
    with pytest.raises(
        ValueError, match=r"^proxies: .* is there twice: give it a weight"
    ) as failed:
        parse_all([one, other], httpx.BaseTransport)
    assert "tiger" not in str(failed.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a", "http://b"),
        ("http://a", "https://a"),
        ("http://a:1", "http://a:2"),
        ("http://scott:tiger@a", "http://scott:lion@a"),
        ("http://scott:tiger@a", "http://a"),
        ("http://a", httpx.Proxy("http://a", headers={"X-Session": "1"})),
        (SPY, SpyTransport()),
    ],
)
def test_two_accounts_are_two_proxies(one: object, other: object) -> None:
    assert len(parse_all([one, other], httpx.BaseTransport)) == 2


def test_a_mapping_has_weights() -> None:
    entries = parse_all({"http://a": 2, None: 0.5, SPY: 1}, httpx.BaseTransport)
    assert [(entry.name, entry.weight) for entry in entries] == [
        ("http://a", 2),
        ("direct", 0.5),
        ("SpyTransport", 1),
    ]


@pytest.mark.parametrize(
    ("proxies", "kind", "text"),
    [
        (
            [],
            ValueError,
            "proxies must not be empty: write at least one, such as ['http://a:8080']",
        ),
        ({}, ValueError, "proxies must not be empty"),
        ("http://a", TypeError, "or a dict of weights, not a single str: put it into brackets"),
        (httpx.URL("http://a"), TypeError, "not a single URL: put it into brackets"),
        (httpx.Proxy("http://a"), TypeError, "not a single Proxy: put it into brackets"),
        (SPY, TypeError, "not a single transport: put it into brackets"),
        (None, TypeError, "or a dict of weights, not NoneType"),
        (b"http://a", TypeError, "or a dict of weights, not bytes"),
        ({"http://a"}, TypeError, "or a dict of weights, not set: write list(...) around it"),
        ([("http://a", 2)], TypeError, "for weights, write a dict, {'http://a:8080': 2}"),
        ({"http://a": 10**400}, ValueError, "the weight of http://a must be a finite number"),
        (iter(["http://a"]), TypeError, "or a dict of weights, not list_iterator"),
        (["a:8080"], ValueError, "proxies: 'a:8080' is not a proxy URL: write 'http://a:8080'"),
        (["socks4://a"], ValueError, "for anything else, pass a transport that speaks it"),
        (["http://u:tiger@"], ValueError, "proxies: 'http://****@' is not a proxy URL"),
        ([b"http://a"], TypeError, "proxies: bytes is not a proxy: write a proxy URL such as"),
        ([3], TypeError, "proxies: int is not a proxy"),
        (
            [httpx.HTTPTransport],
            TypeError,
            "proxies: HTTPTransport is a class: write HTTPTransport(",
        ),
        ({"http://a": 0}, ValueError, "the weight of http://a must be a finite number of turns"),
        ({"http://a": -1}, ValueError, "above 0, not -1"),
        ({"http://a": float("inf")}, ValueError, "above 0, not inf"),
        ({"http://a": float("nan")}, ValueError, "above 0, not nan"),
        (
            {"http://u:tiger@a": True},
            TypeError,
            "http://****@a must be a number of turns, not True",
        ),
        ({"http://a": "2"}, TypeError, "must be a number of turns, not '2'"),
        ({"http://a": None}, TypeError, "must be a number of turns, not None"),
    ],
)
def test_what_cannot_work_is_refused(proxies: object, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=re.escape(text)) as failed:
        parse_all(proxies, httpx.BaseTransport)
    assert "tiger" not in str(failed.value)


def test_a_transport_of_the_other_kind_is_refused() -> None:
    text = (
        f"proxies: AsyncHTTPTransport is not an {LIBRARY}.BaseTransport, which ProxyRoundRobin needs; "
        "AsyncProxyRoundRobin takes it"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
        parse(httpx.AsyncHTTPTransport(verify=False), httpx.BaseTransport)
    text = "which AsyncProxyRoundRobin needs; ProxyRoundRobin takes it"
    with pytest.raises(TypeError, match=re.escape(text)):
        parse(httpx.HTTPTransport(verify=False), httpx.AsyncBaseTransport)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_without_its_package_names_what_to_install(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    install = f"pip install '{LIBRARY}[socks]'"
    text = re.escape(f"a {scheme}:// proxy needs the 'socksio' package: {install}")
    with pytest.raises(ImportError, match=f"^{text}$"):
        parse_all(["http://a", f"{scheme}://scott:tiger@b"], httpx.BaseTransport)


@pytest.mark.parametrize(
    ("written", "text", "shown"),
    [
        (None, "http://scott:tiger@h failed", "http://****@h failed"),
        ("http://h", "no route", "no route"),
        ("http://scott:tiger@h", "407 not you, scott, with tiger", "407 not you, ****, with ****"),
        ("http://scott:tiger@h", "Basic c2NvdHQ6dGlnZXI=", "Basic ****"),
        ("http://scott:ti%40ger@h", "ti@ger or ti%40ger", "**** or ****"),
        (httpx.Proxy("http://h", headers={"X-Key": "abc-1"}), "bad key abc-1", "bad key ****"),
        ("http://tok:pw@h:1", "bad token=abcdef123", "bad token=****"),
        ("http://e:o@h:1", "[Errno 111] refused: e, o", "[Errno 111] refused: ****, ****"),
    ],
)
def test_what_a_proxy_says_is_shown_without_credentials(
    written: Any, text: str, shown: str
) -> None:
    assert parse(written, httpx.BaseTransport).masked(text) == shown


def test_a_long_list_is_cut() -> None:
    assert join_names(parse_all(["http://a"], httpx.BaseTransport)) == "http://a"
    many = [f"http://a:{port}" for port in range(1, 101)]
    assert join_names(parse_all(many, httpx.BaseTransport)) == (
        "http://a:1, http://a:2, http://a:3 and 97 more"
    )
