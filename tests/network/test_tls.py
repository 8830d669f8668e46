"""SSL contexts: which transports share one, and which certificates they trust."""

import re
import ssl
from pathlib import Path
from typing import Any

import pytest
from support.library import LIBRARY, httpcore, httpx
from support.networks import context_of, factory, stock_pool


class TestSSLContexts:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({}, {}),
            ({}, {"verify": True, "cert": None, "trust_env": True, "http2": False}),
            ({}, {"proxy": "http://proxy.example"}),
            ({"proxy": "http://one.example"}, {"proxy": "socks5://other.example"}),
            ({}, {"http1": True, "retries": 3, "uds": "/run/sock"}),
            ({}, {"http1": False}),
            ({"verify": False}, {"verify": False, "limits": {"max_connections": 1}}),
            ({"http2": True}, {"http2": True, "local_address": "127.0.0.1"}),
        ],
        ids=str,
    )
    def test_are_shared_where_they_are_alike(
        self, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        common = factory()
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
        common = factory()
        assert context_of(common.transport(**one)) is not context_of(common.transport(**other))

    def test_with_a_client_certificate_are_shared_with_the_same_one_only(self, pem: Path) -> None:
        common = factory(verify=False)
        pair = str(pem / "chain.pem"), str(pem / "key.pem")
        as_tuple, as_list = common.transport(cert=pair), common.transport(cert=list(pair))
        assert context_of(as_tuple) is context_of(as_list)
        assert context_of(as_tuple) is not context_of(common.transport())
        assert context_of(as_tuple) is not context_of(common.transport(cert=str(pem / "both.pem")))

    def test_are_not_shared_between_networks(self) -> None:
        assert context_of(factory().transport()) is not context_of(factory().transport())

    def test_are_made_once_for_a_hundred_proxies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[ssl.SSLContext] = []
        create = httpx.create_ssl_context

        def counting(*args: Any, **kwargs: Any) -> ssl.SSLContext:
            made.append(create(*args, **kwargs))
            return made[-1]

        monkeypatch.setattr(httpx, "create_ssl_context", counting)
        common = factory()
        transports = [common.transport(proxy=f"http://{n}.example") for n in range(100)]
        assert len(made) == 1
        assert {id(context_of(transport)) for transport in transports} == {id(made[0])}

    def test_that_are_given_are_used(self) -> None:
        given = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = factory(verify=given)
        for own in ({}, {"proxy": "http://proxy.example"}, {"trust_env": False}):
            assert context_of(common.transport(**own)) is given

    @pytest.mark.parametrize("first", [False, True])
    def test_that_are_given_cannot_serve_both_protocols(self, first: bool) -> None:
        common = factory(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        common.transport(http2=first)
        common.transport(http2=first, proxy="http://proxy.example")
        text = "verify: one SSLContext cannot serve transports that differ in http1 or http2: "
        with pytest.raises(ValueError, match=f"^{text}"):
            common.transport(http2=not first)

    def test_that_are_given_serve_all_that_offer_the_same_protocols(self) -> None:
        common = factory(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        common.transport(http1=True)
        common.transport(http1=False)

    def test_that_are_given_cannot_serve_http2_alone_and_beside_http1(self) -> None:
        common = factory(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), http2=True)
        common.transport(http1=True)
        if LIBRARY == "httpx2":
            with pytest.raises(ValueError, match=r"^verify: one SSLContext cannot serve"):
                common.transport(http1=False)
        else:
            # httpcore offers HTTP/1.1 in either case.
            common.transport(http1=False)

    def test_that_are_given_may_serve_a_protocol_each(self) -> None:
        common = factory(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common.transport()
        assert context_of(common.transport(verify=own, http2=True)) is own

    def test_that_are_given_take_no_certificate_for_one_transport_alone(self, pem: Path) -> None:
        given = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = factory(verify=given)
        with pytest.raises(ValueError, match=r"^cert would be loaded into the SSLContext given"):
            common.transport(cert=str(pem / "both.pem"))

    def test_do_not_verify_when_told_so(self) -> None:
        context = context_of(factory(verify=False).transport())
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)

    def test_verify_by_default(self) -> None:
        context = context_of(factory().transport())
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


class TestAProxyOverTLS:
    def proxy_context_of(self, transport: Any) -> ssl.SSLContext | None:
        context = stock_pool(transport)._proxy_ssl_context
        assert context is None or isinstance(context, ssl.SSLContext)
        return context

    def test_has_a_context_of_the_network_that_is_not_that_of_the_targets(self) -> None:
        common = factory()
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
        context = self.proxy_context_of(factory(verify=False).transport(proxy="https://a"))
        assert context is not None
        assert context.cert_store_stats() == httpcore.default_ssl_context().cert_store_stats()

    def test_keeps_a_context_of_its_own_and_all_else(self) -> None:
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        common = factory(verify=False)
        transport = common.transport(proxy=httpx.Proxy("https://a", ssl_context=own))
        assert self.proxy_context_of(transport) is own
        shared = common.transport(
            proxy=httpx.Proxy("https://scott:tiger@a:444", headers={"X-Key": "1"})
        )
        assert stock_pool(shared)._proxy_url.origin.port == 444
        assert dict(stock_pool(shared)._proxy_headers)[b"X-Key"] == b"1"
        assert b"Proxy-Authorization" in dict(stock_pool(shared)._proxy_headers)

    @pytest.mark.parametrize("scheme", ["http", "socks5"])
    def test_is_none_when_it_speaks_something_else(self, scheme: str) -> None:
        common = factory(verify=False)
        common.transport(proxy=f"{scheme}://a")
        assert common._proxy_context is None


class TestCertificates:
    def test_of_a_file_are_trusted(self, pem: Path) -> None:
        context = context_of(factory(verify=str(pem / "ca.pem")).transport())
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
        context = context_of(factory(verify=str(pem)).transport())
        assert calls == [{"cafile": None, "capath": str(pem)}]
        assert context.verify_mode is ssl.CERT_REQUIRED

    @pytest.mark.parametrize("path", ["/no/such/ca.pem", ""])
    def test_of_a_path_that_is_not_there_are_refused(self, path: str) -> None:
        text = f"verify={path!r}: there is no such file or directory"
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            factory(verify=path).transport()

    def test_that_were_given_for_all_can_be_replaced_for_one(self, pem: Path) -> None:
        common = factory(verify=str(pem / "ca.pem"))
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
        factory(verify=verify, cert=cert).transport()
        assert loaded == [tuple(pair) if as_list else (cert,)]

    def test_of_the_client_are_refused_when_they_are_none(self, pem: Path) -> None:
        with pytest.raises(ssl.SSLError):
            factory(verify=False, cert=str(pem / "ca.pem")).transport()

    def test_of_the_client_that_are_not_there_are_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match=r"^cert="):
            factory(verify=False, cert="/no/such/client.pem").transport()


def test_a_file_without_certificates_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"^verify='.*empty\.pem' holds no certificates: "):
        factory(verify=str(path)).transport()
