"""The arguments of a stock transport: what is refused, and in which words."""

import inspect
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from support.library import httpcore, httpx
from support.networks import factory, stock_pool
from support.transportkit import HTTPTransportOptions

from transportkit.network.options import _ACCEPTED, check_options


class TestOptions:
    @pytest.mark.parametrize("factory", [httpx.HTTPTransport, httpx.AsyncHTTPTransport])
    def test_are_those_of_httpx(self, factory: type) -> None:
        names = [name for name in inspect.signature(factory).parameters if name != "self"]
        assert list(HTTPTransportOptions.__annotations__) == names
        assert list(_ACCEPTED) == names

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"verify": False, "trust_env": False, "http1": True, "http2": False, "retries": 3},
            {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "cert": None},
            {"verify": "ca.pem", "cert": "client.pem"},
            {"cert": ("client.pem", "key.pem"), "limits": httpx.Limits(max_connections=1)},
            {"cert": ["client.pem", "key.pem", "password"], "limits": {"max_connections": 1}},
            {"proxy": "http://proxy.example"},
            {"proxy": httpx.URL("http://proxy.example")},
            {"proxy": httpx.Proxy("http://proxy.example")},
            {"proxy": None, "uds": "/run/sock", "local_address": "127.0.0.1"},
            {"proxy": "http://h", "uds": None, "local_address": None, "retries": 0},
            {"socket_options": [(6, 1, 1)]},
            {"socket_options": None, "uds": None, "local_address": None},
        ],
        ids=" ".join,
    )
    def test_that_httpx_takes_are_taken(self, options: dict[str, object]) -> None:
        check_options(options)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("http_2", "http2"),
            ("verfy", "verify"),
            ("limit", "limits"),
            ("trustenv", "trust_env"),
            ("scott:tiger@proxy", None),
            ("max_retries", None),
            (5, None),
        ],
    )
    def test_of_a_name_that_is_nearly_one_are_refused_with_that(
        self, name: Any, meant: str | None
    ) -> None:
        ending = f"did you mean {meant}?" if meant else "httpx.HTTPTransport takes verify, cert, "
        shown = "****@proxy" if "@" in str(name) else name
        text = f"unknown argument {shown!r}: {ending}"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            check_options({name: True})

    def test_of_an_unknown_name_are_refused_with_the_known_ones(self) -> None:
        text = "unknown argument 'time': httpx.HTTPTransport takes verify, cert, trust_env, "
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            check_options({"http2": True, "time": 5})

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("verify", 1, "verify must be SSLContext or str or bool, not int: write verify=ssl."),
            ("verify", None, "verify must be SSLContext or str or bool, not None"),
            ("cert", True, "cert must be str or tuple or list or None, not bool"),
            ("trust_env", "no", "trust_env must be bool, not str"),
            ("http1", 1, "http1 must be bool, not int"),
            ("http2", None, "http2 must be bool, not None"),
            (
                "limits",
                10,
                "limits must be Limits or Mapping, not int: write limits={'max_connections': 10}",
            ),
            (
                "proxy",
                b"http://h",
                "proxy must be str or URL or Proxy or None, not bytes: write proxy='http",
            ),
            (
                "proxy",
                {"all://": "http://h"},
                "proxy must be str or URL or Proxy or None, not dict: write proxy='http://proxy.example:8080'; a dict is for Mounts, and a list for ProxyRoundRobin",
            ),
            (
                "uds",
                Path("/run/sock"),
                "uds must be str or None, not PosixPath: write uds=str(...)",
            ),
            ("local_address", 0, "local_address must be str or None, not int"),
            ("retries", "3", "retries must be int, not str"),
            ("retries", None, "retries must be int, not None"),
            ("socket_options", 1, "socket_options must be Iterable or None, not int"),
        ],
    )
    def test_of_the_wrong_type_are_refused(self, name: str, value: object, text: str) -> None:
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            check_options({name: value})

    @pytest.mark.parametrize(
        ("value", "kind", "text"),
        [
            (True, TypeError, "retries must be a whole number of retries, not True"),
            (False, TypeError, "retries must be a whole number of retries, not False"),
            (-1, ValueError, "retries must be 0 or more retries, not -1"),
        ],
    )
    def test_that_count_no_retries_are_refused(
        self, value: object, kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=f"^{text}$"):
            check_options({"retries": value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [("uds", "/run/sock"), ("local_address", "127.0.0.1"), ("retries", 3)],
    )
    def test_that_httpx_ignores_behind_a_proxy_are_refused(self, name: str, value: object) -> None:
        text = f"httpx ignores {name} when there is a proxy: leave out {name}, or the proxy"
        with pytest.raises(ValueError, match=f"^{text}$"):
            check_options({name: value, "proxy": "http://scott:tiger@proxy.example"})

    @pytest.mark.parametrize(("name", "value"), [("local_address", "127.0.0.1"), ("retries", 3)])
    def test_that_httpx_ignores_behind_the_common_proxy_are_refused(
        self, name: str, value: object
    ) -> None:
        common = factory(verify=False, proxy="http://proxy.example")
        with pytest.raises(ValueError, match=name):
            common.transport(**{name: value})

    def test_of_a_socket_go_before_the_common_proxy(self) -> None:
        common = factory(verify=False, proxy="http://proxy.example")
        assert isinstance(stock_pool(common.transport(uds="/run/sock")), httpcore.ConnectionPool)

    def test_are_checked_when_the_network_is_made(self) -> None:
        with pytest.raises(TypeError, match=r"^unknown argument 'http_2'"):
            factory(http_2=True)

    def test_are_checked_for_each_transport(self) -> None:
        common = factory(verify=False)
        with pytest.raises(TypeError, match=r"^unknown argument 'http_2'"):
            common.transport(http_2=True)


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "text"),
        [
            ({"most": 3}, "unknown argument 'most' in limits: it takes max_connections, "),
            (
                {"max_connections": "3"},
                "max_connections in limits must be a number of connections, not '3'",
            ),
        ],
    )
    def test_that_are_none_are_refused_by_name(self, limits: dict[str, object], text: str) -> None:
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            factory(verify=False, limits=limits).transport()

    @pytest.mark.parametrize("make", [dict, httpx.Limits])
    @pytest.mark.parametrize(
        ("name", "value", "kind", "text"),
        [
            ("max_connections", -5, ValueError, "must be above 0 connections, not -5"),
            ("max_connections", 0, ValueError, "must be above 0 connections, not 0"),
            ("max_connections", True, TypeError, "must be a number of connections, not True"),
            ("max_keepalive_connections", -1, ValueError, "must be 0 or more connections, not -1"),
            ("max_keepalive_connections", False, TypeError, "must be a number of connections, not"),
            ("keepalive_expiry", -0.5, ValueError, "must be 0 or more seconds, not -0.5"),
        ],
    )
    def test_that_nothing_could_keep_to_are_refused(
        self, make: Any, name: str, value: object, kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=f"^{name} in limits {re.escape(text)}"):
            check_options({"limits": make(**{name: value})})

    @pytest.mark.parametrize("make", [dict, httpx.Limits])
    @pytest.mark.parametrize("name", ["max_keepalive_connections", "keepalive_expiry"])
    def test_may_keep_nothing_alive(self, make: Any, name: str) -> None:
        check_options({"limits": make(max_connections=1, **{name: 0})})

    @pytest.mark.parametrize("make", [dict, httpx.Limits])
    def test_may_be_none(self, make: Any) -> None:
        check_options({"limits": make(max_connections=None, keepalive_expiry=None)})
