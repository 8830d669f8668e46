"""What a routing dict may hold as a value, and what it may not."""

import json
import math
import ssl
import tomllib
import traceback
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.flavours import Flavour, SpyTransport
from support.library import LIBRARY, httpx, shell
from support.matrices import named, thinned
from support.networks import context_of, stock_pool
from support.servers import Origin, Proxy
from support.transportkit import AsyncMounts, HTTPSRedirect, InvalidRoute, Mounts, RefusingTransport

PROXY = "http://proxy.example:3128"
# Mounts are made by the hundred here, and a context of httpx takes 20 ms.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
KEY = "https://api.example.com"

CLASSES = {"Mounts": Mounts, "AsyncMounts": AsyncMounts}
BOTH = pytest.mark.parametrize("mounts_class", CLASSES.values(), ids=CLASSES)


def _numbered(values: Iterable[object]) -> list[Any]:
    """The values for a matrix, which have no names of their own."""
    return named({str(number): value for number, value in enumerate(values)})


def _transport_class(mounts_class: Any) -> Any:
    prefix = "" if mounts_class is Mounts else "Async"
    return getattr(shell("network"), f"{prefix}NetworkTransport")


def _is_proxied(transport: Any) -> bool:
    return "Proxy" in type(stock_pool(transport)).__name__


@BOTH
@pytest.mark.parametrize(
    ("target", "shown", "is_proxied"),
    [
        (None, "direct", False),
        ("direct", "direct", False),
        (PROXY, f"proxy {PROXY}", True),
        ("HTTP://proxy.example:3128", f"proxy {PROXY}", True),
        ("https://proxy.example", "proxy https://proxy.example", True),
        ("socks5://proxy.example:1080", "proxy socks5://proxy.example:1080", True),
        ("socks5h://proxy.example:1080", "proxy socks5h://proxy.example:1080", True),
        ("http://[::1]:3128", "proxy http://[::1]:3128", True),
        (httpx.URL(PROXY), f"proxy {PROXY}", True),
        (httpx.Proxy(PROXY), f"proxy {PROXY}", True),
        ({}, "HTTPTransport()", False),
        ({"retries": 3}, "HTTPTransport(retries=3)", False),
        ({"uds": "/run/x.sock"}, "HTTPTransport(uds='/run/x.sock')", False),
        ({"proxy": None}, "HTTPTransport(proxy=None)", False),
        ({"proxy": PROXY}, f"HTTPTransport(proxy={PROXY})", True),
        ({"proxy": httpx.URL(PROXY)}, f"HTTPTransport(proxy={PROXY})", True),
        ({"proxy": httpx.Proxy(PROXY)}, f"HTTPTransport(proxy={PROXY})", True),
        (
            {"http1": False, "trust_env": False},
            "HTTPTransport(http1=False, trust_env=False)",
            False,
        ),
    ],
)
def test_a_target_is_made_into_a_transport(
    mounts_class: Any, target: object, shown: str, is_proxied: bool
) -> None:
    (route,) = mounts_class({KEY: target}, verify=TLS).routes
    assert isinstance(route.transport, _transport_class(mounts_class))
    assert _is_proxied(route.transport) is is_proxied
    assert route.target == shown
    assert repr(route) == f"<Route {KEY} to {shown}>"


@pytest.mark.parametrize(
    "transport",
    [
        SpyTransport(),
        httpx.MockTransport(lambda request: httpx.Response(200)),
        HTTPSRedirect(),
        RefusingTransport("no"),
        httpx.HTTPTransport(verify=TLS),
        httpx.WSGITransport(lambda environ, start_response: []),
    ],
    ids=lambda transport: type(transport).__name__,
)
def test_a_transport_is_taken_as_it_is(transport: httpx.BaseTransport) -> None:
    (route,) = Mounts({KEY: transport}).routes
    assert route.transport is transport
    assert route.target == type(transport).__name__


@BOTH
def test_none_without_a_default_is_direct_and_past_the_environment(
    mounts_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    mounts = mounts_class({"http://a": None, "http://b": "direct"}, verify=TLS)
    assert mounts.route_for("http://a/").target == "direct"
    assert mounts.route_for("http://b/").target == "direct"
    assert not _is_proxied(mounts.route_for("http://a/").transport)
    assert mounts.route_for("http://c/").target == f"proxy {PROXY}"
    assert mounts.route_for("http://c/").pattern is None
    assert _is_proxied(mounts.route_for("http://c/").transport)


@BOTH
def test_none_with_a_default_is_the_default_and_direct_is_still_direct(
    mounts_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    spy = SpyTransport()
    mounts = mounts_class({"http://a": None, "http://b": "direct"}, default=spy, verify=TLS)
    assert mounts.route_for("http://a/").transport is spy
    assert mounts.route_for("http://a/").pattern == "http://a"
    assert mounts.route_for("http://a/").target == "default: SpyTransport"
    assert not _is_proxied(mounts.route_for("http://b/").transport)
    assert mounts.route_for("http://c/").transport is spy
    assert mounts.route_for("http://c/").pattern is None


@BOTH
@pytest.mark.parametrize(
    ("default", "shown", "is_proxied"),
    [
        ("direct", "direct", False),
        (PROXY, f"proxy {PROXY}", True),
        (httpx.URL(PROXY), f"proxy {PROXY}", True),
        (httpx.Proxy(PROXY), f"proxy {PROXY}", True),
        ({"retries": 3}, "HTTPTransport(retries=3)", False),
        ({"proxy": PROXY}, f"HTTPTransport(proxy={PROXY})", True),
    ],
)
def test_the_default_is_any_target_and_keeps_the_environment_out(
    monkeypatch: pytest.MonkeyPatch,
    mounts_class: Any,
    default: object,
    shown: str,
    is_proxied: bool,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://environment.example")
    mounts = mounts_class({KEY: None}, default=default, verify=TLS)
    route = mounts.route_for("http://anything.example/")
    assert (route.pattern, route.target) == (None, shown)
    assert _is_proxied(route.transport) is is_proxied
    assert mounts.route_for(KEY).transport is route.transport


@BOTH
def test_equal_proxy_urls_share_one_transport(mounts_class: Any) -> None:
    routes = {"http://a": PROXY, "http://b": httpx.URL(PROXY), "http://c": "http://other.example"}
    mounts = mounts_class(routes, default=PROXY, verify=TLS)
    by_key = {route.pattern: route.transport for route in mounts.routes}
    assert by_key["http://a"] is by_key["http://b"]
    assert by_key["http://a"] is mounts.route_for("http://unrouted.example/").transport
    assert by_key["http://a"] is not by_key["http://c"]


@BOTH
def test_proxy_urls_with_other_credentials_do_not_share_a_transport(mounts_class: Any) -> None:
    users = ["http://scott:tiger@proxy.example", "http://adams:wood@proxy.example"]
    mounts = mounts_class({"http://a": users[0], "http://b": users[1]}, verify=TLS)
    first, second = (route.transport for route in mounts.routes)
    assert first is not second


@BOTH
def test_the_proxy_of_the_environment_shares_its_transport_too(
    mounts_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    mounts = mounts_class({"http://a": PROXY}, verify=TLS)
    unrouted = mounts.route_for("http://unrouted.example/").transport
    assert mounts.route_for("http://a/").transport is unrouted


@BOTH
def test_all_that_is_direct_shares_one_transport(mounts_class: Any) -> None:
    mounts = mounts_class({"http://a": None, "http://b": "direct"}, verify=TLS)
    transports = {id(mounts.route_for(f"http://{host}/").transport) for host in "abc"}
    assert len(transports) == 1


@BOTH
def test_dicts_and_proxy_objects_have_a_transport_each(mounts_class: Any) -> None:
    # Who writes one asks for a pool of its own: with limits of its own, say.
    options, proxy = {"retries": 1}, httpx.Proxy(PROXY)
    routes = {"http://a": options, "http://b": options, "http://c": proxy, "http://d": proxy}
    mounts = mounts_class(routes, verify=TLS)
    assert len({id(route.transport) for route in mounts.routes}) == 4


@BOTH
def test_ssl_contexts_are_shared_where_nothing_they_depend_on_differs(mounts_class: Any) -> None:
    mounts = mounts_class(
        {
            "http://a": None,
            "http://b": PROXY,
            "http://c": httpx.Proxy("http://other.example"),
            "http://d": {"retries": 1},
            "http://e": {"proxy": PROXY, "http1": True},
            "http://f": {"verify": True, "trust_env": True, "http2": False},
        }
    )
    assert len({id(context_of(route.transport)) for route in mounts.routes}) == 1
    assert context_of(mounts.route_for("http://unrouted/").transport) is context_of(
        mounts.routes[0].transport
    )


@BOTH
def test_ssl_contexts_are_not_shared_where_something_they_depend_on_differs(
    mounts_class: Any, certificates: Path
) -> None:
    server, ca = str(certificates / "server.pem"), str(certificates / "ca.pem")
    mounts = mounts_class(
        {
            "http://a": {"http2": True},
            "http://b": {"verify": False},
            "http://c": {"trust_env": False},
            "http://d": {"cert": server},
            "http://e": {"verify": ca},
            "http://f": {"verify": ca, "http2": True},
        }
    )
    transports = [route.transport for route in mounts.routes]
    transports.append(mounts.route_for("http://unrouted/").transport)
    assert len({id(context_of(transport)) for transport in transports}) == 7


@BOTH
def test_ssl_contexts_with_the_same_difference_are_shared(
    mounts_class: Any, certificates: Path
) -> None:
    server = str(certificates / "server.pem")
    for options in ({"http2": True}, {"verify": False}, {"trust_env": False}, {"cert": server}):
        mounts = mounts_class({"http://a": options, "http://b": {**options, "retries": 1}})
        first, second = (route.transport for route in mounts.routes)
        assert context_of(first) is context_of(second)


@BOTH
def test_a_given_ssl_context_is_used_as_it_is(mounts_class: Any) -> None:
    mounts = mounts_class({"http://a": PROXY, "http://b": {"retries": 1}}, verify=TLS)
    assert all(context_of(route.transport) is TLS for route in mounts.routes)
    assert context_of(mounts.route_for("http://unrouted/").transport) is TLS


@BOTH
def test_one_given_ssl_context_is_refused_for_http_1_and_http_2_both(mounts_class: Any) -> None:
    with pytest.raises(InvalidRoute, match=f"^'{KEY}': verify: .* Make an SSLContext for each"):
        mounts_class({KEY: {"http2": True}}, verify=TLS)


@BOTH
def test_arguments_reach_every_transport_that_is_built(
    mounts_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    mounts = mounts_class(
        {
            "http://a": None,
            "http://b": PROXY,
            "http://c": httpx.URL("http://other.example"),
            "http://d": httpx.Proxy(PROXY),
            "http://e": {"retries": 1},
            "http://f": {"limits": httpx.Limits(max_connections=3)},
        },
        verify=TLS,
        limits=httpx.Limits(max_connections=7),
    )
    sizes = {
        url: mounts.route_for(url).transport._core.pool._places
        for url in (*(f"http://{host}" for host in "abcdef"), "http://default", "https://proxied")
    }
    assert sizes == {
        "http://a": 7,
        "http://b": 7,
        "http://c": 7,
        "http://d": 7,
        "http://e": 7,
        "http://f": 3,  # what a dict says comes first
        "http://default": 7,
        "https://proxied": 7,
    }


@BOTH
def test_http2_for_all_may_be_taken_back_for_one(mounts_class: Any) -> None:
    mounts = mounts_class({"http://a": {"http2": False}, "http://b": None}, http2=True)
    assert [stock_pool(route.transport)._http2 for route in mounts.routes] == [False, True]


@BOTH
@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"max_connections": 5}, (5, None)),
        ({"max_connections": 5, "max_keepalive_connections": 2}, (5, 2)),
    ],
)
def test_limits_may_be_a_dict_as_toml_has_it(
    mounts_class: Any, limits: dict[str, int], sizes: tuple[int, int | None]
) -> None:
    (route,) = mounts_class({KEY: {"limits": limits}}, verify=TLS).routes
    pool = route.transport._core.pool
    assert pool._places == sizes[0]
    assert pool._max_idle == (math.inf if sizes[1] is None else sizes[1])


class _NoTransport:
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError("it is never called")


REFUSED = [
    ([], "proxies must not be empty: write at least one, such as ['http://a:8080']"),
    ((), "proxies must not be empty"),
    (["http://a", "a:8080"], "proxies: 'a:8080' is not a proxy URL: write 'http://a:8080'"),
    (["http://a", "http://a/"], "proxies: http://a/ is there twice: give it a weight in a dict"),
    (["socks4://a"], "httpx speaks http, https, socks5, socks5h; for anything else, pass a "),
    ([["http://a"]], "proxies: list is not a proxy: write a proxy URL such as "),
    ([{"proxy": "http://a"}], "proxies: dict is not a proxy: write a proxy URL such as "),
    (httpx.HTTPTransport, "HTTPTransport is a class: write HTTPTransport(...)"),
    (HTTPSRedirect, "HTTPSRedirect is a class: write HTTPSRedirect(...)"),
    ("", "'' is not a proxy URL such as 'http://proxy.example:8080' ('direct' is for no proxy)"),
    ("proxy.example:8080", "write 'http://proxy.example:8080' ('direct' is for no proxy)"),
    ("proxy.example", "'proxy.example' is not a proxy URL: write 'http://proxy.example'"),
    *(
        (word, f"{word!r} is not a target: write 'direct'")
        for word in ("None", "null", "off", "DIRECT", "direct://", "no proxy", "no_proxy", "~")
    ),
    (["http://a", "none"], "proxies: 'none' is not a proxy URL: write 'direct'"),
    ({"proxy": "none"}, "'none' is not a proxy URL: for no proxy, leave it out"),
    ("refuse", "'refuse' is not a proxy URL such as 'http://proxy.example:8080'"),
    ("socks://a:1080", "'socks://a:1080' is not a proxy URL: write 'socks5h://a:1080'"),
    ("htp://a", "'htp://a' is not a proxy URL: write 'http://a'"),
    ('"http://a"', "has quotes around it: leave them out"),
    ("//proxy.example", "'//proxy.example' is not a proxy URL"),
    ("http://", "'http://' is not a proxy URL: it names no host"),
    ("http://:8080", "'http://:8080' is not a proxy URL: it names no host"),
    ("http://proxy.example:port", "write its port as a number"),
    ("socks4://proxy.example", "httpx speaks http, https, socks5, socks5h"),
    ("ftp://proxy.example", "httpx speaks http, https, socks5, socks5h"),
    (
        httpx.URL("proxy.example"),
        "'proxy.example' is not a proxy URL: write 'http://proxy.example'",
    ),
    (httpx.URL("socks4://proxy.example"), "httpx speaks http, https, socks5, socks5h"),
    ({"htp2": True}, "unknown argument 'htp2': did you mean http2?"),
    ({"time": 3}, "unknown argument 'time': httpx.HTTPTransport takes "),
    ({"timeout": 3}, "'timeout' is an argument of clients: write httpx.Client(timeout=...)"),
    ({"http2": "yes"}, "http2 must be bool, not str"),
    ({"http2": 1}, "http2 must be bool, not int"),
    ({"verify": 0}, "verify must be SSLContext or str or bool, not int"),
    ({"verify": None}, "verify must be SSLContext or str or bool, not NoneType"),
    ({"verify": "/missing.pem"}, "verify='/missing.pem': there is no such file"),
    ({"cert": 1}, "cert must be str or tuple or list or None, not int"),
    ({"trust_env": "no"}, "trust_env must be bool, not str"),
    ({"retries": "3"}, "retries must be int, not str"),
    ({"limits": 5}, "limits must be Limits or Mapping, not int"),
    ({"uds": 3}, "uds must be str or None, not int"),
    ({"local_address": 3}, "local_address must be str or None, not int"),
    ({"socket_options": 3}, "socket_options must be Iterable or None, not int"),
    ({"proxy": ["http://a"]}, "proxy must be str or URL or Proxy or None, not list"),
    (
        {"proxy": "proxy.example"},
        "'proxy.example' is not a proxy URL: write 'http://proxy.example'",
    ),
    ({"proxy": "socks4://proxy.example"}, "httpx speaks http, https, socks5, socks5h"),
    ({"proxy": PROXY, "uds": "/x"}, "httpx ignores uds when there is a proxy"),
    ({"proxy": PROXY, "retries": 3}, "httpx ignores retries when there is a proxy"),
    ({"proxy": PROXY, "local_address": "::"}, "httpx ignores local_address when there is a proxy"),
    (
        httpx.Client(verify=TLS),
        "Client is not a target: write a transport, None, 'direct', a proxy",
    ),
    (
        httpx.AsyncClient(verify=TLS),
        "AsyncClient is not a target: write a transport, None, 'direct'",
    ),
    (
        _NoTransport(),
        "_NoTransport is not a target: write a transport, None, 'direct', a proxy URL",
    ),
    (
        {"http://scott:tiger@a:8080": 2, "http://b:8080": 1},
        "for proxies with weights, write ProxyRoundRobin({...})",
    ),
    (3, "int is not a target: write a transport, None, 'direct', a proxy URL such as 'http://"),
    (True, "bool is not a target: write a transport"),
    (False, "bool is not a target: write a transport"),
    (b"http://proxy.example", "bytes is not a target: write a transport"),
    (
        lambda request: httpx.Response(200),
        f"<lambda> is not a transport: write {LIBRARY}.MockTransport(...) around a function",
    ),
]


@pytest.mark.parametrize(("refused", "mounts_class"), thinned(_numbered(REFUSED), named(CLASSES)))
def test_what_is_no_target_is_refused_with_the_key_and_what_to_write(
    mounts_class: Any, refused: tuple[object, str]
) -> None:
    target, advice = refused
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({"all://": None, KEY: target}, verify=TLS)
    assert str(refusal.value).startswith(f"'{KEY}': ")
    assert advice in str(refusal.value)


@pytest.mark.parametrize(("mounts_class", "gateway"), [(Mounts, "WSGI"), (AsyncMounts, "ASGI")])
def test_an_application_goes_into_a_transport(mounts_class: Any, gateway: str) -> None:
    with pytest.raises(
        InvalidRoute, match=rf"{LIBRARY}\.{gateway}Transport\(\.\.\.\) around an app"
    ):
        mounts_class({KEY: lambda environ, start_response: []})


@pytest.mark.parametrize(("refused", "mounts_class"), thinned(_numbered(REFUSED), named(CLASSES)))
def test_what_is_no_target_is_no_default_either(
    mounts_class: Any, refused: tuple[object, str]
) -> None:
    target, advice = refused
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({}, default=target, verify=TLS)
    assert str(refusal.value).startswith("default: ")
    assert advice in str(refusal.value)


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("it is never called")


@pytest.mark.parametrize(
    ("mounts_class", "transport", "advice"),
    [
        (
            Mounts,
            httpx.AsyncHTTPTransport(verify=TLS),
            f"AsyncHTTPTransport is not an {LIBRARY}.BaseTransport, which Mounts needs; AsyncMounts takes it",
        ),
        (
            Mounts,
            httpx.ASGITransport(_asgi),
            f"ASGITransport is not an {LIBRARY}.BaseTransport, which Mounts needs; AsyncMounts takes it",
        ),
        (
            Mounts,
            AsyncMounts({}, default=SpyTransport()),
            f"AsyncMounts is not an {LIBRARY}.BaseTransport, which Mounts needs; AsyncMounts takes it",
        ),
        (
            AsyncMounts,
            httpx.HTTPTransport(verify=TLS),
            f"HTTPTransport is not an {LIBRARY}.AsyncBaseTransport, which AsyncMounts needs; Mounts takes it",
        ),
        (
            AsyncMounts,
            httpx.WSGITransport(lambda environ, start_response: []),
            f"WSGITransport is not an {LIBRARY}.AsyncBaseTransport, which AsyncMounts needs; Mounts takes it",
        ),
        (
            AsyncMounts,
            Mounts({}, default=SpyTransport()),
            f"Mounts is not an {LIBRARY}.AsyncBaseTransport, which AsyncMounts needs; Mounts takes it",
        ),
    ],
)
def test_a_transport_for_the_other_client_is_refused(
    mounts_class: Any, transport: object, advice: str
) -> None:
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({KEY: transport}, verify=TLS)
    assert str(refusal.value) == f"'{KEY}': {advice}"
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({}, default=transport, verify=TLS)
    assert str(refusal.value) == f"default: {advice}"


@BOTH
@pytest.mark.parametrize("routes", [None, [], "all://", [("all://", None)], {"all://"}, 3])
def test_routes_that_are_no_dict_are_a_type_error(mounts_class: Any, routes: object) -> None:
    with pytest.raises(TypeError, match="routes must be a dict of patterns and targets such as "):
        mounts_class(routes)


@BOTH
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"htp2": True}, r"^unknown argument 'htp2': did you mean http2\?$"),
        ({"defualt": "direct"}, r"^unknown argument 'defualt': did you mean default\?$"),
        (
            {"time": 3},
            "(Async)?Mounts takes routes, default, and those of httpx.HTTPTransport: verify, ",
        ),
        ({"http2": "yes"}, "http2 must be bool, not str"),
    ],
)
def test_a_wrong_argument_for_all_is_a_type_error_that_names_it(
    mounts_class: Any, options: dict[str, object], text: str
) -> None:
    with pytest.raises(TypeError, match=text):
        mounts_class({}, **options)


@BOTH
def test_the_dicts_that_were_given_are_left_alone(mounts_class: Any) -> None:
    options: dict[str, object] = {"proxy": PROXY, "limits": {"max_connections": 5}}
    routes: dict[str, object] = {"all://": options, "http://a": None}
    mounts = mounts_class(routes, verify=TLS)
    assert options == {"proxy": PROXY, "limits": {"max_connections": 5}}
    assert routes == {"all://": options, "http://a": None}
    routes.clear()
    assert len(mounts.routes) == 2


SECRETS = [
    "http://scott:tiger@proxy.example:8080",
    "HTTP://scott:tiger@proxy.example:8080",
    "https://scott:ti%2Fger@proxy.example",
    "socks5://scott:tiger@proxy.example",
    "http://scott@proxy.example",
    "http://:tiger@proxy.example",
    "http://scott:ti@tiger@proxy.example",
    "http://scott:[tiger@proxy.example",
    "http://proxy.example/?token=tiger",
]
TARGETS_WITH_SECRETS = [
    *SECRETS,
    *map(httpx.URL, SECRETS),
    *map(httpx.Proxy, SECRETS),
    httpx.Proxy("http://proxy.example", auth=("scott", "tiger")),
    httpx.Proxy("http://proxy.example", headers={"X-Key": "tiger"}),
    *({"proxy": proxy} for proxy in SECRETS),
    *({"proxy": httpx.URL(proxy)} for proxy in SECRETS),
    *({"proxy": httpx.Proxy(proxy)} for proxy in SECRETS),
    {"proxy": httpx.Proxy("http://proxy.example", auth=("scott", "tiger"))},
    {"proxy": httpx.Proxy("http://proxy.example", headers={"X-Key": "tiger"})},
]


def _assert_no_secret(text: str) -> None:
    assert "scott" not in text
    assert "tiger" not in text
    assert "ti%2Fger" not in text


@pytest.mark.parametrize(
    ("target", "mounts_class"), thinned(_numbered(TARGETS_WITH_SECRETS), named(CLASSES))
)
def test_what_is_shown_of_a_proxy_holds_no_credentials(mounts_class: Any, target: object) -> None:
    mounts = mounts_class({KEY: target}, default=target, verify=TLS)
    for shown in (mounts, mounts.routes, mounts.routes[0], mounts.route_for("http://b/")):
        _assert_no_secret(f"{shown} {shown!r}")
    assert "proxy.example" in str(mounts)


@pytest.mark.parametrize(("written", "mounts_class"), thinned(_numbered(SECRETS), named(CLASSES)))
def test_what_is_shown_of_the_environment_holds_no_credentials(
    mounts_class: Any, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", written)
    mounts = mounts_class({}, verify=TLS)
    for shown in (mounts, mounts.route_for("http://b/")):
        _assert_no_secret(f"{shown} {shown!r}")
    assert "proxy.example" in str(mounts)


BAD_SECRETS = [
    "scott:tiger@proxy.example:8080",
    "scott:tiger@proxy.example",
    "//scott:tiger@proxy.example",
    "socks4://scott:tiger@proxy.example",
    "http://scott:tiger@",
    "http://scott:tiger@:8080",
    "http://scott:tiger@proxy.example:port",
    "http://scott:lion/tiger@proxy.example",
    "http://scott:lion#tiger@proxy.example",
    "http://scott:lion?tiger@proxy.example",
    " http://scott:tiger@proxy.example",
]


@pytest.mark.parametrize(
    ("written", "wrap", "mounts_class"),
    thinned(
        _numbered(BAD_SECRETS),
        product([str, lambda proxy: {"proxy": proxy}], CLASSES.values()),
    ),
)
def test_the_refusal_of_a_proxy_holds_no_credentials_nor_do_its_causes(
    mounts_class: Any, wrap: Any, written: str
) -> None:
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({KEY: wrap(written)}, verify=TLS)
    text = "".join(traceback.format_exception(refusal.value))
    assert "scott" not in text
    assert "tiger" not in text
    # The half of a password that passes for a port.
    assert "lion" not in text
    assert str(refusal.value).startswith(f"'{KEY}': '")


@pytest.mark.parametrize(
    "written",
    [httpx.URL("socks4://scott:tiger@proxy.example"), httpx.URL("//scott:tiger@proxy.example")],
)
def test_the_refusal_of_a_parsed_url_holds_no_credentials(written: httpx.URL) -> None:
    with pytest.raises(InvalidRoute) as refusal:
        Mounts({KEY: written}, verify=TLS)
    text = "".join(traceback.format_exception(refusal.value))
    assert "scott" not in text
    assert "tiger" not in text
    assert "****@proxy.example" in text


JSON = """
{
    "all://": "http://scott:tiger@proxy.example:8080",
    "all://*.internal.example": null,
    "all://10.0.0.0/8": "direct",
    "https://api.example.com": {"http2": true},
    "http://docker": {"uds": "/var/run/docker.sock"},
    "https://vendor.example/v2": {"proxy": "socks5://proxy.example", "verify": false},
    "https://busy.example": {"limits": {"max_connections": 5, "keepalive_expiry": 1.5}}
}
"""

TOML = """
[routes]
"all://" = "http://scott:tiger@proxy.example:8080"
"all://*.internal.example" = "direct"
"all://10.0.0.0/8" = "direct"
"https://api.example.com" = {http2 = true}
"http://docker" = {uds = "/var/run/docker.sock"}

[routes."https://vendor.example/v2"]
proxy = "socks5://proxy.example"
verify = false

[routes."https://busy.example"]
limits = {max_connections = 5, keepalive_expiry = 1.5}
"""


@BOTH
@pytest.mark.parametrize(
    "routes", [json.loads(JSON), tomllib.loads(TOML)["routes"]], ids=["json", "toml"]
)
def test_a_table_from_json_or_toml_works_as_it_is(mounts_class: Any, routes: Any) -> None:
    mounts = mounts_class(routes)
    targets = {route.pattern: route.target for route in mounts.routes}
    assert targets == {
        "all://": "proxy http://****@proxy.example:8080",
        "all://*.internal.example": "direct",
        "all://10.0.0.0/8": "direct",
        "https://api.example.com": "HTTPTransport(http2=True)",
        "http://docker": "HTTPTransport(uds='/var/run/docker.sock')",
        "https://vendor.example/v2": "HTTPTransport(proxy=socks5://proxy.example, verify=False)",
        "https://busy.example": (
            "HTTPTransport(limits={'max_connections': 5, 'keepalive_expiry': 1.5})"
        ),
    }


def test_a_client_certificate_from_json_or_toml_is_a_list(certificates: Path) -> None:
    server = str(certificates / "server.pem")
    (route,) = Mounts({KEY: {"cert": [server, server]}}).routes
    assert route.target == f"HTTPTransport(cert=({server!r}, {server!r}))"
    (route,) = Mounts({KEY: {"cert": [server, server, "tiger"]}}).routes
    assert route.target == f"HTTPTransport(cert=({server!r}, {server!r}, ****))"
    with pytest.raises(InvalidRoute, match=f"^'{KEY}': "):
        Mounts({KEY: {"cert": ["/missing.pem", "/missing.key"]}})


async def test_a_table_from_toml_sends_requests(
    flavour: Flavour, origin: Origin, proxy: Proxy
) -> None:
    table = f"""
        "http://docker" = {{uds = "{origin.unix_socket}"}}
        "all://127.0.0.1" = "{proxy.url}"
    """
    mounts = flavour.Mounts(tomllib.loads(table), default=RefusingTransport("not in the table"))
    async with flavour.client(transport=mounts) as client:
        docker = await client.get("http://docker/info")
        proxied = await client.get(origin.https)
        assert docker.json()["path"] == "/info"
        stream = proxied.extensions["network_stream"]
        assert stream.get_extra_info("server_addr")[1] == proxy.port
        with pytest.raises(httpx.UnsupportedProtocol, match="not in the table"):
            await client.get("http://localhost/")


@pytest.mark.parametrize("mounts", [Mounts, AsyncMounts])
def test_a_proxy_for_all_that_is_none_is_refused_as_what_it_is(
    mounts: type[Mounts | AsyncMounts],
) -> None:
    with pytest.raises(InvalidRoute, match=r"^proxy: 'socks4://a\.example' is not a proxy URL"):
        mounts({}, proxy="socks4://a.example")


@pytest.mark.parametrize("mounts", [Mounts, AsyncMounts])
@pytest.mark.parametrize(
    ("one", "other"),
    [("all://", "ALL://*"), ("http://h", "http://H."), ("all://10.1.0.0/8", "all://10.2.0.0/8")],
)
def test_two_keys_that_mean_the_same_are_refused(
    mounts: type[Mounts | AsyncMounts], one: str, other: str
) -> None:
    with pytest.raises(InvalidRoute) as refused:
        mounts({one: None, other: None})
    assert str(refused.value) == f"{other!r} means the same as {one!r}: keep one of them"


@pytest.mark.parametrize("mounts", [Mounts, AsyncMounts])
def test_a_port_that_was_given_makes_another_key(mounts: type[Mounts | AsyncMounts]) -> None:
    assert len(mounts({"http://h": None, "http://h:80": None}).routes) == 2


OTHER_SCHEMES = [
    ("htps://bank.example", ": write 'https://bank.example'"),
    ("HTTPSS://bank.example:8443/x", ": write 'https://bank.example:8443/x'"),
    ("thtp://h", ": write 'http://h'"),
    ("al://h", ": write 'all://h'"),
    ("any://h", ": write 'all://h'"),
    ("httpx://h", ": did you mean http or https?"),
    ("grpc://h", ": give grpc:// a transport of its own"),
    ("ftp://h", ": give ftp:// a transport of its own"),
    ("gs://h", ": give gs:// a transport of its own"),
    ("file://", ": give file:// a transport of its own"),
]
NETWORK = {
    "proxy": (PROXY, None),
    "direct": ("direct", None),
    "none": (None, None),
    "default": (None, PROXY),
    "dict": ({"retries": 1}, None),
    "list": ([PROXY, None], None),
}


@pytest.mark.parametrize(
    ("refused", "target", "mounts_class"),
    thinned(_numbered(OTHER_SCHEMES), named(NETWORK), named(CLASSES)),
)
def test_a_scheme_that_the_network_does_not_speak_is_refused(
    mounts_class: Any, refused: tuple[str, str], target: tuple[object, object]
) -> None:
    (key, advice), (written, default) = refused, target
    text = f"{key!r}: proxies and connections speak http, https, ws, wss ('all' is every scheme)"
    with pytest.raises(InvalidRoute) as refusal:
        mounts_class({key: written}, default=default, verify=TLS)
    assert str(refusal.value) == text + advice


@BOTH
def test_a_stock_transport_does_not_speak_it_either(mounts_class: Any) -> None:
    prefix = "" if mounts_class is Mounts else "Async"
    stock = getattr(httpx, f"{prefix}HTTPTransport")(verify=TLS)
    with pytest.raises(InvalidRoute, match="write 'https://h'"):
        mounts_class({"htps://h": stock})


@BOTH
@pytest.mark.parametrize("key", ["grpc://h", "htps://h", "file://"])
def test_a_scheme_of_ones_own_has_a_transport_of_ones_own(mounts_class: Any, key: str) -> None:
    spy = SpyTransport()
    for routes, default in (({key: spy}, None), ({key: None}, spy), ({key: [PROXY, spy]}, None)):
        mounts = mounts_class(routes, default=default, verify=TLS)
        assert mounts.route_for(key + "/x").pattern == key


def test_a_proxy_for_all_called_none_is_not_advised_to_be_direct() -> None:
    with pytest.raises(InvalidRoute, match=r"for no proxy, leave it out$"):
        Mounts({}, proxy="none")
