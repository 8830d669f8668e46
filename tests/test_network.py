"""Transports from keyword arguments: what is refused, and who shares an SSL context with whom."""

import inspect
import re
import ssl
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st
from support.flavours import Flavour
from support.library import httpcore, httpx

from transportkit.network import options as _network
from transportkit.network.options import HTTPTransportOptions, Network, check_options, parse_proxy
from transportkit.network.socks import SOCKSTransport
from transportkit.redaction.redaction import REDACTION

SECRET = "tiger"


def network(**options: object) -> Network[Any]:
    return Network(httpx.HTTPTransport, SOCKSTransport, options)


def context_of(transport: Any) -> ssl.SSLContext:
    context = transport._pool._ssl_context
    assert isinstance(context, ssl.SSLContext)
    return context


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `ca.pem`, and a client's `both.pem`, or `chain.pem` and `key.pem`."""
    directory = tmp_path_factory.mktemp("pem")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    client = ca.issue_cert("client@example.com")
    client.private_key_and_cert_chain_pem.write_to_path(str(directory / "both.pem"))
    client.private_key_pem.write_to_path(str(directory / "key.pem"))
    client.cert_chain_pems[0].write_to_path(str(directory / "chain.pem"))
    return directory


class TestOptions:
    @pytest.mark.parametrize("factory", [httpx.HTTPTransport, httpx.AsyncHTTPTransport])
    def test_are_those_of_httpx(self, factory: type) -> None:
        names = [name for name in inspect.signature(factory).parameters if name != "self"]
        assert list(HTTPTransportOptions.__annotations__) == names
        assert list(_network._ACCEPTED) == names

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
        text = "unknown argument 'timeout': httpx.HTTPTransport takes verify, cert, trust_env, "
        with pytest.raises(TypeError, match=f"^{re.escape(text)}"):
            check_options({"http2": True, "timeout": 5})

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("verify", 1, "verify must be SSLContext or str or bool, not int"),
            ("verify", None, "verify must be SSLContext or str or bool, not NoneType"),
            ("cert", True, "cert must be str or tuple or list or NoneType, not bool"),
            ("trust_env", "no", "trust_env must be bool, not str"),
            ("http1", 1, "http1 must be bool, not int"),
            ("http2", None, "http2 must be bool, not NoneType"),
            ("limits", 10, "limits must be Limits or Mapping, not int"),
            ("proxy", b"http://h", "proxy must be str or URL or Proxy or NoneType, not bytes"),
            ("proxy", {"all://": "http://h"}, "proxy must be str or URL or Proxy or NoneType"),
            ("uds", Path("/run/sock"), "uds must be str or NoneType, not "),
            ("local_address", 0, "local_address must be str or NoneType, not int"),
            ("retries", "3", "retries must be int, not str"),
            ("retries", None, "retries must be int, not NoneType"),
            ("socket_options", 1, "socket_options must be Iterable or NoneType, not int"),
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
        common = network(verify=False, proxy="http://proxy.example")
        with pytest.raises(ValueError, match=name):
            common.transport(**{name: value})

    def test_of_a_socket_go_before_the_common_proxy(self) -> None:
        common = network(verify=False, proxy="http://proxy.example")
        assert isinstance(common.transport(uds="/run/sock")._pool, httpcore.ConnectionPool)

    def test_are_checked_when_the_network_is_made(self) -> None:
        with pytest.raises(TypeError, match=r"^unknown argument 'http_2'"):
            network(http_2=True)

    def test_are_checked_for_each_transport(self) -> None:
        common = network(verify=False)
        with pytest.raises(TypeError, match=r"^unknown argument 'http_2'"):
            common.transport(http_2=True)


class TestAProxy:
    @pytest.mark.parametrize(
        ("text", "url", "auth"),
        [
            ("http://proxy.example:8080", "http://proxy.example:8080", None),
            ("http://proxy.example", "http://proxy.example", None),
            ("https://proxy.example:8443", "https://proxy.example:8443", None),
            ("HTTP://proxy.example:8080", "http://proxy.example:8080", None),
            ("http://127.0.0.1:3128/", "http://127.0.0.1:3128/", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            ("socks5://proxy.example:1080", "socks5://proxy.example:1080", None),
            ("socks5h://proxy.example", "socks5h://proxy.example", None),
            ("http://scott:tiger@h:8080", "http://h:8080", ("scott", "tiger")),
            ("socks5://scott:tiger@h:1080", "socks5://h:1080", ("scott", "tiger")),
            ("http://scott@h:8080", "http://h:8080", ("scott", "")),
            ("http://scott:ti%2Fger%40@h:8080", "http://h:8080", ("scott", "ti/ger@")),
            ("http://scott:ti@ger@h:8080", "http://h:8080", ("scott", "ti@ger")),
        ],
    )
    def test_is_made_of_its_url(self, text: str, url: str, auth: tuple[str, str] | None) -> None:
        proxy = parse_proxy(text)
        assert (proxy.url, proxy.auth) == (httpx.URL(url), auth)

    def test_is_made_of_a_parsed_url(self) -> None:
        proxy = parse_proxy(httpx.URL("http://scott:tiger@proxy.example:8080"))
        assert (str(proxy.url), proxy.auth) == ("http://proxy.example:8080", ("scott", "tiger"))

    def test_that_is_one_already_stays_what_it_is(self) -> None:
        proxy = httpx.Proxy("http://proxy.example", headers={"X-Key": "abc"})
        assert parse_proxy(proxy) is proxy

    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            (
                "proxy.example:8080",
                "'proxy.example:8080' is not a proxy URL: write 'http://proxy.ex",
            ),
            ("proxy.example", "'proxy.example' is not a proxy URL: write 'http://proxy.example'"),
            (
                "h:80:scott:tiger",
                "'h:80:****' is not a proxy URL: write 'http://user:password@h:80'",
            ),
            (
                "http://h:80:scott:ti:ger",
                "'h:80:****' is not a proxy URL: write 'http://user:passwor",
            ),
            (" http://scott:tiger@h", "'http://****@h' has whitespace around it: strip() it"),
            ("http://h:80\n", "'http://h:80' has whitespace around it: strip() it"),
            ("[::1]:80", "'[::1]:80' is not a proxy URL: write 'http://[::1]:80'"),
            ("scott:tiger@h:80", "'****@h:80' is not a proxy URL: write 'http://****@h:80'"),
            ("scott:ti//ger@h:80", "'****@h:80' is not a proxy URL: write 'http://****@h:80'"),
            (
                "ftp://h",
                "'ftp://h' is not a proxy URL: httpx speaks http, https, socks5, socks5h; ",
            ),
            ("socks4://scott:tiger@h", "'socks4://****@h' is not a proxy URL: httpx speaks http, "),
            ("scott:ti://ger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("://scott:tiger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("ht tp://scott:tiger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("http://", "'http://' is not a proxy URL: it names no host"),
            ("http://:8080", "'http://:8080' is not a proxy URL: it names no host"),
            ("http:///path", "'http:///path' is not a proxy URL: it names no host"),
            ("http://scott:tiger@", "'http://****@' is not a proxy URL: it names no host"),
            ("http://scott:tiger@:80", "'http://****@:80' is not a proxy URL: it names no host"),
            (
                "http://scott:ti/ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:ti?ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:ti#ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:tiger@h:port",
                "'http://****@h:port' is not a proxy URL: percent-encode ",
            ),
            ("http://scott:tiger@h:80:80", "'http://****@h:80:80' is not a proxy URL: percent-enc"),
            ("http://scott:ti\nger@h:80", "'http://****@h:80' is not a proxy URL: percent-encode "),
            (
                "http://h:port",
                "'http://h:port' is not a proxy URL: percent-encode '/', '?', '#' and ",
            ),
            ("http://[::1", "'http://[::1' is not a proxy URL: percent-encode "),
        ],
    )
    def test_that_is_none_is_refused_with_advice_and_without_credentials(
        self, text: str, refusal: str
    ) -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(refusal)}") as caught:
            parse_proxy(text)
        for part in ("scott", "tiger", "ger@"):
            assert part not in str(caught.value)

    def test_with_a_bad_port_is_told_to_write_a_number(self) -> None:
        with pytest.raises(ValueError, match=r"write its port as a number$"):
            parse_proxy("http://proxy.example:port")

    def test_of_another_scheme_is_told_to_use_a_transport(self) -> None:
        with pytest.raises(ValueError, match=r"pass a transport that speaks it$"):
            parse_proxy("quic://proxy.example")

    def test_that_is_refused_shows_no_credentials_in_its_traceback(self) -> None:
        password = f"{SECRET}/{SECRET}"
        with pytest.raises(ValueError, match="percent-encode") as caught:
            parse_proxy(f"http://scott:{password}@proxy.example")
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    @given(
        prefix=st.sampled_from(["http://", "HTTPS://", "socks5://", "ftp://", "://", "//", "", " "])
        | st.text(max_size=5),
        before=st.text(max_size=8),
        after=st.text(max_size=8),
        host=st.sampled_from(["h", "h:80", "h:port", "[::1]:80", "[::1", "", ":80", "-.de"])
        | st.text(max_size=8),
    )
    @example(prefix="http://", before="scott:1/", after="", host="h:port")
    @example(prefix="", before="scott:", after="/x@y", host="h")
    @example(prefix="", before="scott:a://", after="", host="h")
    def test_never_has_a_secret_in_its_refusal(
        self, prefix: str, before: str, after: str, host: str
    ) -> None:
        try:
            parse_proxy(f"{prefix}{before}{SECRET}{after}@{host}")
        except ValueError as refusal:
            assert SECRET not in "".join(traceback.format_exception(refusal))

    @pytest.mark.parametrize(
        "text",
        [
            "http://scott:12/tiger@proxy.example:8080",
            "http://scott:12?tiger@proxy.example:8080",
            "http://scott:12#tiger@proxy.example:8080",
            "http://scott:/tiger@proxy.example:8080",
            "http://sc/tiger@proxy.example:8080",
            "http://scott:t@ge/tiger@proxy.example:8080",
        ],
    )
    def test_never_takes_half_its_credentials_for_a_host(self, text: str) -> None:
        with pytest.raises(ValueError, match="percent-encode") as caught:
            parse_proxy(text)
        assert SECRET not in str(caught.value)

    @given(
        scheme=st.sampled_from(["http", "https", "socks5", "socks5h"]),
        user=st.text(max_size=8),
        password=st.text(max_size=8),
    )
    def test_with_credentials_is_never_shown_with_them(
        self, scheme: str, user: str, password: str
    ) -> None:
        url = httpx.URL(f"{scheme}://proxy.example", username=user, password=password + SECRET)
        proxy = parse_proxy(url)
        assert proxy.auth == (user, password + SECRET)
        assert REDACTION.proxy(proxy) == f"{scheme}://****@proxy.example"


class TestSSLContexts:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {}),
            ({}, {"verify": True, "cert": None, "trust_env": True, "http2": False}),
            ({}, {"proxy": "http://proxy.example"}),
            ({"proxy": "http://one.example"}, {"proxy": "socks5://other.example"}),
            ({}, {"http1": True, "retries": 3, "uds": "/run/sock"}),
            ({"verify": False}, {"verify": False, "limits": {"max_connections": 1}}),
            ({"http2": True}, {"http2": True, "local_address": "127.0.0.1"}),
        ],
        ids=str,
    )
    def test_are_shared_where_they_are_alike(
        self, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        common = network()
        assert context_of(common.transport(**one)) is context_of(common.transport(**other))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {"verify": False}),
            ({}, {"trust_env": False}),
            ({}, {"http2": True}),
            ({"verify": False}, {"verify": False, "http2": True}),
            ({"verify": False}, {"verify": False, "trust_env": False}),
        ],
        ids=str,
    )
    def test_are_not_shared_where_they_differ(
        self, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        common = network()
        assert context_of(common.transport(**one)) is not context_of(common.transport(**other))

    def test_with_a_client_certificate_are_shared_with_the_same_one_only(self, pem: Path) -> None:
        common = network(verify=False)
        pair = str(pem / "chain.pem"), str(pem / "key.pem")
        as_tuple, as_list = common.transport(cert=pair), common.transport(cert=list(pair))
        assert context_of(as_tuple) is context_of(as_list)
        assert context_of(as_tuple) is not context_of(common.transport())
        assert context_of(as_tuple) is not context_of(common.transport(cert=str(pem / "both.pem")))

    def test_are_not_shared_between_networks(self) -> None:
        assert context_of(network().transport()) is not context_of(network().transport())

    def test_are_made_once_for_a_hundred_proxies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[ssl.SSLContext] = []
        create = httpx.create_ssl_context

        def counting(*args: Any, **kwargs: Any) -> ssl.SSLContext:
            made.append(create(*args, **kwargs))
            return made[-1]

        monkeypatch.setattr(httpx, "create_ssl_context", counting)
        common = network()
        transports = [common.transport(proxy=f"http://{n}.example") for n in range(100)]
        assert len(made) == 1
        assert {id(context_of(transport)) for transport in transports} == {id(made[0])}

    def test_that_are_given_are_used(self) -> None:
        given = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = network(verify=given)
        for own in ({}, {"proxy": "http://proxy.example"}, {"trust_env": False}):
            assert context_of(common.transport(**own)) is given

    @pytest.mark.parametrize("first", [False, True])
    def test_that_are_given_cannot_serve_both_protocols(self, first: bool) -> None:
        common = network(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        common.transport(http2=first)
        common.transport(http2=first, proxy="http://proxy.example")
        text = "verify: one SSLContext cannot serve transports with http2=True and others without"
        with pytest.raises(ValueError, match=f"^{text}"):
            common.transport(http2=not first)

    def test_that_are_given_may_serve_a_protocol_each(self) -> None:
        common = network(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common.transport()
        assert context_of(common.transport(verify=own, http2=True)) is own

    def test_that_are_given_take_no_certificate_for_one_transport_alone(self, pem: Path) -> None:
        given = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = network(verify=given)
        with pytest.raises(ValueError, match=r"^cert would be loaded into the SSLContext given"):
            common.transport(cert=str(pem / "both.pem"))

    def test_do_not_verify_when_told_so(self) -> None:
        context = context_of(network(verify=False).transport())
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)

    def test_verify_by_default(self) -> None:
        context = context_of(network().transport())
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


class TestAProxyOverTLS:
    def proxy_context_of(self, transport: Any) -> ssl.SSLContext | None:
        context = transport._pool._proxy_ssl_context
        assert context is None or isinstance(context, ssl.SSLContext)
        return context

    def test_has_a_context_of_the_network_that_is_not_that_of_the_targets(self) -> None:
        common = network()
        transports = [
            common.transport(proxy=proxy)
            for proxy in (
                "https://a",
                "https://b",
                httpx.URL("https://c"),
                httpx.Proxy("https://d"),
            )
        ]
        (context,) = {self.proxy_context_of(transport) for transport in transports}
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context is not context_of(transports[0])

    def test_trusts_whom_httpcore_trusts(self) -> None:
        context = self.proxy_context_of(network(verify=False).transport(proxy="https://a"))
        assert context is not None
        assert context.cert_store_stats() == httpcore.default_ssl_context().cert_store_stats()

    def test_keeps_a_context_of_its_own_and_all_else(self) -> None:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = network(verify=False)
        transport = common.transport(proxy=httpx.Proxy("https://a", ssl_context=own))
        assert self.proxy_context_of(transport) is own
        shared = common.transport(
            proxy=httpx.Proxy("https://scott:tiger@a:444", headers={"X-Key": "1"})
        )
        assert shared._pool._proxy_url.origin.port == 444
        assert dict(shared._pool._proxy_headers)[b"X-Key"] == b"1"
        assert b"Proxy-Authorization" in dict(shared._pool._proxy_headers)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    def test_is_none_when_it_speaks_something_else(self, scheme: str) -> None:
        common = network(verify=False)
        common.transport(proxy=f"{scheme}://a")
        assert common._proxy_context is None


class TestAnotherNetwork:
    def test_shares_the_context_with_the_common_arguments(self, pem: Path) -> None:
        common = network(verify=str(pem / "ca.pem"), cert=str(pem / "both.pem"), http1=True)
        other = network(**common.shared_options())
        assert context_of(other.transport()) is context_of(common.transport())
        assert other.options.keys() == {"verify", "http1"}
        assert common.options.keys() == {"verify", "cert", "http1"}


class TestCertificates:
    def test_of_a_file_are_trusted(self, pem: Path) -> None:
        context = context_of(network(verify=str(pem / "ca.pem")).transport())
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.cert_store_stats()["x509_ca"] == 1

    def test_of_a_directory_are_trusted(self, pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # OpenSSL reads a directory only during a handshake: there is nothing to see in the context.
        calls: list[dict[str, Any]] = []
        create = ssl.create_default_context

        def recording(**kwargs: Any) -> ssl.SSLContext:
            calls.append(kwargs)
            return create(**kwargs)

        monkeypatch.setattr(ssl, "create_default_context", recording)
        context = context_of(network(verify=str(pem)).transport())
        assert calls == [{"cafile": None, "capath": str(pem)}]
        assert context.verify_mode is ssl.CERT_REQUIRED

    @pytest.mark.parametrize("path", ["/no/such/ca.pem", ""])
    def test_of_a_path_that_is_not_there_are_refused(self, path: str) -> None:
        text = f"verify={path!r}: there is no such file or directory"
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            network(verify=path).transport()

    def test_that_were_given_for_all_can_be_replaced_for_one(self, pem: Path) -> None:
        common = network(verify=str(pem / "ca.pem"))
        context = context_of(common.transport(verify=False))
        assert context.verify_mode is ssl.CERT_NONE

    @pytest.mark.parametrize("as_list", [False, True])
    @pytest.mark.parametrize("verify", [True, False, "ca.pem"])
    def test_of_the_client_are_loaded(
        self, pem: Path, monkeypatch: pytest.MonkeyPatch, verify: bool | str, as_list: bool
    ) -> None:
        # A context does not tell which certificate it has: only the call can be seen.
        loaded: list[tuple[str, ...]] = []
        load = ssl.SSLContext.load_cert_chain

        def recording(context: ssl.SSLContext, *paths: str) -> None:
            loaded.append(paths)
            load(context, *paths)

        monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", recording)
        pair = [str(pem / "chain.pem"), str(pem / "key.pem")]
        cert: object = pair if as_list else str(pem / "both.pem")
        verify = str(pem / verify) if isinstance(verify, str) else verify
        network(verify=verify, cert=cert).transport()
        assert loaded == [tuple(pair) if as_list else (cert,)]

    def test_of_the_client_are_refused_when_they_are_none(self, pem: Path) -> None:
        with pytest.raises(ssl.SSLError):
            network(verify=False, cert=str(pem / "ca.pem")).transport()

    def test_of_the_client_that_are_not_there_are_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match=r"^cert="):
            network(verify=False, cert="/no/such/client.pem").transport()


class TestTransports:
    async def test_are_what_the_factory_makes(self, flavour: Flavour) -> None:
        factories = flavour.HTTPTransport, flavour.HTTPTransport
        made = Network(*factories, {"verify": False}).transport()
        assert type(made) is flavour.HTTPTransport

    def test_have_their_own_arguments_over_the_common_ones(self) -> None:
        common = network(verify=False, retries=1, local_address="127.0.0.1")
        pool = common.transport(retries=2)._pool
        assert (pool._retries, pool._local_address) == (2, "127.0.0.1")

    def test_leave_the_common_arguments_as_they_were(self) -> None:
        options: dict[str, object] = {"limits": {"max_connections": 3}, "verify": False}
        common = network(**options)
        common.transport(retries=3, limits={"max_connections": 5})
        assert common.options == options
        assert common.transport()._pool._max_connections == 3

    def test_do_not_change_with_a_dict_that_is_changed_later(self) -> None:
        options: dict[str, object] = {"verify": False, "retries": 1}
        common = network(**options)
        options["retries"] = 9
        assert common.transport()._pool._retries == 1

    @pytest.mark.parametrize(
        "limits",
        [
            {"max_connections": 3, "max_keepalive_connections": 2, "keepalive_expiry": 1.5},
            httpx.Limits(max_connections=3, max_keepalive_connections=2, keepalive_expiry=1.5),
        ],
        ids=["dict", "Limits"],
    )
    def test_have_the_limits_of_a_dict_or_an_object(self, limits: object) -> None:
        pool = network(verify=False, limits=limits).transport()._pool
        assert pool._max_connections == 3
        assert pool._max_keepalive_connections == 2
        assert pool._keepalive_expiry == 1.5

    def test_without_arguments_are_those_of_httpx(self) -> None:
        ours, stock = network().transport()._pool, httpx.HTTPTransport()._pool
        differing = {
            name
            for name, value in vars(stock).items()
            if isinstance(value, (bool, int, float, str, type(None)))
            and value != getattr(ours, name)
        }
        assert differing == set()

    def test_through_a_proxy_name_it(self) -> None:
        pool = network(verify=False).transport(proxy="http://scott:tiger@127.0.0.1:3128")._pool
        assert (pool._proxy_url.host, pool._proxy_url.port) == (b"127.0.0.1", 3128)

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    def test_through_a_socks_proxy_are_made(self, scheme: str) -> None:
        made = network(verify=False).transport(proxy=f"{scheme}://127.0.0.1:1080")
        assert type(made) is SOCKSTransport
        assert type(made._pool).__name__ == "SOCKSProxy"

    def test_through_a_socks_proxy_need_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "socksio", None)
        with pytest.raises(ImportError, match=r"pip install httpx\[socks\]"):
            network(verify=False).transport(proxy="socks5://127.0.0.1:1080")

    def test_through_what_is_no_proxy_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^'h:80' is not a proxy URL: write 'http://h:80'$"):
            network(verify=False).transport(proxy="h:80")

    def test_with_http2_need_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "h2", None)
        common = network(verify=False)
        text = "http2=True needs the 'h2' package: pip install 'httpx[http2]'"
        with pytest.raises(ImportError, match=f"^{re.escape(text)}$"):
            common.transport(http2=True)
        assert not common.transport()._pool._http2


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
            network(verify=False, limits=limits).transport()

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


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://a.example,b.example", "it is one URL, without spaces or commas"),
        ("http://a example", "it is one URL, without spaces or commas"),
        ("http://a.example:65536", "a port is a number from 1 to 65535"),
        ("http://a.example:0", "a port is a number from 1 to 65535"),
        ("http:/a.example", "write 'http://a.example'"),
        ("//a.example:80", "write 'http://a.example:80'"),
    ],
)
def test_a_proxy_that_could_not_be_reached_is_refused(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(text)}$"):
        parse_proxy(url)


def test_a_file_without_certificates_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"^verify='.*empty\.pem' holds no certificates: "):
        network(verify=str(path)).transport()
