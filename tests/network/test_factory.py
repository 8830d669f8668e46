"""Stock transports from common arguments and their own."""

import re
import sys
from pathlib import Path

import pytest
from support.flavours import Flavour
from support.library import LIBRARY, httpx
from support.networks import context_of, factory, stock_pool


class TestTransports:
    async def test_are_what_the_factory_makes(self, flavour: Flavour) -> None:
        made = flavour.transport_factory({"verify": False}).transport()
        assert type(made) is flavour.NetworkTransport

    def test_have_their_own_arguments_over_the_common_ones(self) -> None:
        common = factory(verify=False, retries=1, local_address="127.0.0.1")
        pool = stock_pool(common.transport(retries=2))
        assert (pool._retries, pool._local_address) == (2, "127.0.0.1")

    def test_leave_the_common_arguments_as_they_were(self) -> None:
        options: dict[str, object] = {"limits": {"max_connections": 3}, "verify": False}
        common = factory(**options)
        common.transport(retries=3, limits={"max_connections": 5})
        assert common.options == options
        assert common.transport()._core.pool._places == 3

    def test_do_not_change_with_a_dict_that_is_changed_later(self) -> None:
        options: dict[str, object] = {"verify": False, "retries": 1}
        common = factory(**options)
        options["retries"] = 9
        assert stock_pool(common.transport())._retries == 1

    def test_have_socket_options_that_can_be_read_once(self) -> None:
        given = [(6, 1, 1)]
        common = factory(socket_options=(option for option in given))
        for _ in range(2):
            assert stock_pool(common.transport())._socket_options == given

    @pytest.mark.parametrize(
        "limits",
        [
            {"max_connections": 3, "max_keepalive_connections": 2, "keepalive_expiry": 1.5},
            httpx.Limits(max_connections=3, max_keepalive_connections=2, keepalive_expiry=1.5),
        ],
        ids=["dict", "Limits"],
    )
    def test_have_the_limits_of_a_dict_or_an_object(self, limits: object) -> None:
        pool = factory(verify=False, limits=limits).transport()._core.pool
        assert (pool._places, pool._max_idle, pool._expiry) == (3, 2, 1.5)

    def test_without_arguments_are_those_of_httpx(self) -> None:
        transport = factory().transport()
        ours, stock = stock_pool(transport), httpx.HTTPTransport()._pool
        differing = {
            name
            for name, value in vars(stock).items()
            if isinstance(value, (bool, int, float, str, type(None)))
            and value != getattr(ours, name)
        }
        limits = ("_max_connections", "_max_keepalive_connections", "_keepalive_expiry")
        assert differing == set(limits)
        pool = transport._core.pool
        assert [getattr(stock, name) for name in limits] == [
            pool._places,
            pool._max_idle,
            pool._expiry,
        ]

    def test_through_a_proxy_name_it(self) -> None:
        made = factory(verify=False).transport(proxy="http://scott:tiger@127.0.0.1:3128")
        pool = stock_pool(made)
        assert (pool._proxy_url.host, pool._proxy_url.port) == (b"127.0.0.1", 3128)

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    def test_through_a_socks_proxy_are_made(self, scheme: str) -> None:
        made = factory(verify=False).transport(proxy=f"{scheme}://127.0.0.1:1080")
        assert type(stock_pool(made)).__name__ == "SOCKSProxy"

    def test_through_a_socks_proxy_need_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "socksio", None)
        with pytest.raises(ImportError, match=r"pip install httpx\[socks\]"):
            factory(verify=False).transport(proxy="socks5://127.0.0.1:1080")

    def test_through_what_is_no_proxy_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^'h:80' is not a proxy URL: write 'http://h:80'$"):
            factory(verify=False).transport(proxy="h:80")

    def test_with_http2_need_a_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "h2", None)
        common = factory(verify=False)
        text = f"http2=True needs the 'h2' package: pip install '{LIBRARY}[http2]'"
        with pytest.raises(ImportError, match=f"^{re.escape(text)}$"):
            common.transport(http2=True)
        assert not stock_pool(common.transport())._http2


class TestAnotherNetwork:
    def test_shares_the_context_with_the_common_arguments(self, pem: Path) -> None:
        common = factory(verify=str(pem / "ca.pem"), cert=str(pem / "both.pem"), http1=True)
        other = factory(**common.shared_options())
        assert context_of(other.transport()) is context_of(common.transport())
        assert other.options.keys() == {"verify", "http1"}
        assert common.options.keys() == {"verify", "cert", "http1"}
