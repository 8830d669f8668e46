"""The proxies that people run: squid, tinyproxy and microsocks, where they are installed."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.debian import NAMES, REFUSED, debian_proxy
from support.flavours import Flavour
from support.library import httpx
from support.servers import Origin
from support.transportkit import Cooldown

LONG = Cooldown(first=1000, max=1000)


@pytest.fixture(scope="module")
def trust(certificates: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates / "ca.pem")


@pytest.fixture(scope="module", params=NAMES)
def real_proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with debian_proxy(request.param, tmp_path_factory.mktemp(request.param)) as url:
        yield url


async def test_takes_turns_in_clear_and_in_tunnels(
    flavour: Flavour, real_proxy: str, origin: Origin, trust: ssl.SSLContext
) -> None:
    rotation = flavour.ProxyRoundRobin([real_proxy, None], verify=trust, trust_env=False)
    async with flavour.client(transport=rotation, timeout=30) as client:
        for url in (origin.http, origin.https):
            answers = [await client.get(url) for _ in range(2)]
            assert [response.status_code for response in answers] == [200, 200]
            assert [response.extensions["proxy"] for response in answers] == [real_proxy, "direct"]
    assert [(each.up, each.failed) for each in rotation.status()] == [(True, 0)] * 2


async def test_rests_for_a_target_that_it_refuses_and_no_other(
    flavour: Flavour, real_proxy: str, origin: Origin, trust: ssl.SSLContext
) -> None:
    if real_proxy.startswith("socks"):
        pytest.skip("microsocks has no rules")
    rotation = flavour.ProxyRoundRobin(
        [real_proxy], cooldown=LONG, when_all_down="raise", verify=trust, trust_env=False
    )
    async with flavour.client(transport=rotation, timeout=30) as client:
        with pytest.raises(httpx.ProxyError, match=r"^403"):
            await client.get(f"https://{REFUSED}/")
        with pytest.raises(httpx.ProxyError, match=f"^every proxy .* banned for {REFUSED}"):
            await client.get(f"https://{REFUSED}/")
        assert (await client.get(origin.https)).status_code == 200
    (status,) = rotation.status()
    assert status.up
    assert (status.last_error or "").startswith("ProxyError: 403 ")


async def test_is_not_ejected_for_a_dead_target(
    flavour: Flavour, real_proxy: str, trust: ssl.SSLContext
) -> None:
    rotation = flavour.ProxyRoundRobin([real_proxy], cooldown=LONG, verify=trust, trust_env=False)
    async with flavour.client(transport=rotation, timeout=30) as client:
        with pytest.raises(httpx.TransportError):
            # Nobody listens there.
            await client.get("https://127.0.0.1:9/")
    assert rotation.status()[0].up
