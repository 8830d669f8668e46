"""Real proxies on loopback (proxy.py and pproxy), killed and started again in the middle."""

import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.clocks import stopped
from support.faulty import answer, close_after_request, faulty_origin
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.servers import MortalProxy, Origin, Proxy, mortal_proxy
from support.transportkit import Cooldown, RetryPolicy, sticky_by_header, sticky_by_host

LONG = Cooldown(first=1000, max=1000)
# A proxy that is ejected is to be tried again at once.
SHORT = Cooldown(first=0.001, max=0.001)


@pytest.fixture(scope="module")
def trust(certificates: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates / "ca.pem")


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MortalProxy]]:
    """An HTTP proxy and three SOCKS ones, two of which ask for a password."""
    kinds = [("http", ""), ("socks5", ""), ("socks5h", "scott:tiger"), ("socks5", "jane:lion")]
    with ExitStack() as stack:
        yield [
            stack.enter_context(mortal_proxy(scheme, tmp_path_factory.mktemp(scheme), credentials))
            for scheme, credentials in kinds
        ]


@pytest.fixture
def living(mortals: list[MortalProxy], _servers: None) -> Iterator[list[MortalProxy]]:
    """The proxies of the module, all of them alive before and after."""
    yield mortals
    for each in mortals:
        each.start()


async def whom(client: Any, url: str, times: int, method: str = "GET") -> Counter[str]:
    """Who answered, how often."""
    answers = [await client.request(method, url) for _ in range(times)]
    assert [response.status_code for response in answers] == [200] * times
    return Counter(response.extensions["proxy"] for response in answers)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_all_kinds_take_turns(
    scheme: str,
    flavour: Flavour,
    living: list[MortalProxy],
    origin: Origin,
    locked_proxy: Proxy,
    trust: ssl.SSLContext,
) -> None:
    urls = [None, locked_proxy.url, *(each.url for each in living)]
    rotation = flavour.ProxyRoundRobin(urls, verify=trust, trust_env=False)
    async with flavour.client(transport=rotation, timeout=30) as client:
        answers = [await client.get(getattr(origin, scheme)) for _ in range(12)]
    assert [response.json()["scheme"] for response in answers] == [scheme] * 12
    shown = ["direct", *(mask(url) for url in urls if url)]
    assert [response.extensions["proxy"] for response in answers] == shown * 2


def mask(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://****@{rest.rpartition('@')[2]}" if "@" in rest else url


async def test_all_kinds_speak_http2(
    flavour: Flavour, living: list[MortalProxy], origin: Origin, certificates: Path
) -> None:
    rotation = flavour.ProxyRoundRobin([each.url for each in living], http2=True)
    async with flavour.client(transport=rotation, timeout=30) as client:
        answers = [await client.get(origin.https) for _ in range(8)]
    assert [response.http_version for response in answers] == ["HTTP/2"] * 8
    assert len({response.extensions["proxy"] for response in answers}) == 4


async def test_two_accounts_at_one_gateway_are_two_proxies(
    flavour: Flavour, origin: Origin, locked_proxy: Proxy, trust: ssl.SSLContext
) -> None:
    right, wrong = locked_proxy.url, locked_proxy.url.replace("tiger", "lion")
    rotation = flavour.ProxyRoundRobin([wrong, right], cooldown=LONG, verify=trust, trust_env=False)
    async with flavour.client(transport=rotation, timeout=30) as client:
        for url in (origin.http, origin.https):
            assert (await client.get(url)).status_code == 200
    assert [status.up for status in rotation.status()] == [False, True]


@pytest.mark.slow
async def test_a_proxy_is_killed_and_started_again(
    flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
) -> None:
    everybody = {mask(each.url) for each in living}
    rotation = flavour.ProxyRoundRobin(
        [each.url for each in living], cooldown=SHORT, max_tries=4, verify=trust, trust_env=False
    )
    async with flavour.client(transport=rotation, timeout=30) as client:
        assert set(await whom(client, origin.https, 4)) == everybody
        # One at a time, then all but the last.
        for dying in ([living[0]], [living[1]], living[:3]):
            for each in dying:
                each.kill()
            dead = {mask(each.url) for each in dying}
            # A POST as well as a GET: nobody but the living has seen it.
            for method, url in product(("POST", "GET"), (origin.http, origin.https)):
                assert set(await whom(client, url, 6, method)) == everybody - dead
            assert {each.proxy for each in rotation.status() if each.last_error} >= dead
            for each in dying:
                each.start()
            while not all(status.up for status in rotation.status()):
                await whom(client, origin.http, 1)
            assert await whom(client, origin.https, 8) == dict.fromkeys(everybody, 2)


@pytest.mark.slow
async def test_all_are_killed_and_started_again(
    flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
) -> None:
    both = living[:2]
    trying, failing = (
        flavour.ProxyRoundRobin(
            [each.url for each in both],
            cooldown=LONG,
            when_all_down=when_all_down,
            verify=trust,
            trust_env=False,
        )
        for when_all_down in ("try", "raise")
    )
    async with (
        flavour.client(transport=trying, timeout=30) as optimist,
        flavour.client(transport=failing, timeout=30) as pessimist,
    ):
        for each in both:
            each.kill()
        for client in (optimist, pessimist):
            with pytest.raises(httpx.ConnectError):
                await client.get(origin.https)
        for each in both:
            each.start()
        # They are ejected, and only a request that tries all the same finds out that they are back.
        with pytest.raises(httpx.ProxyError, match=r"^every proxy is ejected"):
            await pessimist.get(origin.https)
        assert (await optimist.get(origin.https)).status_code == 200
    assert sum(status.up for status in trying.status()) == 1
    assert sum(status.up for status in failing.status()) == 0


class TestSticky:
    @pytest.mark.slow
    async def test_a_key_stays_with_its_proxy_while_it_lives(
        self, flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
    ) -> None:
        keys = [f"session-{number}" for number in range(20)]
        rotation = flavour.ProxyRoundRobin(
            [each.url for each in living],
            sticky=sticky_by_header("X-Session"),
            cooldown=SHORT,
            # On a connection that was kept, a killed proxy may have been sent the request already.
            limits=httpx.Limits(max_keepalive_connections=0),
            verify=trust,
            trust_env=False,
        )

        async def where() -> dict[str, str]:
            found = {}
            for key in keys:
                response = await client.get(origin.http, headers={"X-Session": key})
                assert response.status_code == 200
                found[key] = response.extensions["proxy"]
            return found

        async with flavour.client(transport=rotation, timeout=30) as client:
            at_first = await where()
            assert len(set(at_first.values())) > 1
            assert await where() == at_first
            victim = next(each for each in living if mask(each.url) in at_first.values())
            victim.kill()
            meanwhile = await where()
            victim.start()
            while not all(status.up for status in rotation.status()):
                await where()
            # Its own keys had moved, no others, and they have come home.
            moved = {key for key in keys if meanwhile[key] != at_first[key]}
            assert moved == {key for key in keys if at_first[key] == mask(victim.url)}
            assert await where() == at_first

    async def test_by_host(
        self, flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
    ) -> None:
        rotation = flavour.ProxyRoundRobin(
            [each.url for each in living], sticky=sticky_by_host, verify=trust, trust_env=False
        )
        async with flavour.client(transport=rotation, timeout=30) as client:
            for host in ("127.0.0.1", "localhost"):
                url = origin.http.replace("127.0.0.1", host)
                assert len(await whom(client, url, 5)) == 1


class TestBanned:
    @staticmethod
    def is_banned(response: httpx.Response) -> bool:
        return response.status_code == 403

    @pytest.mark.parametrize(
        ("kinds", "flavour"),
        thinned([((0, 1),), ((1, 2),), ((2, 0),)], NAMES),
        indirect=["flavour"],
    )
    async def test_the_next_proxy_answers_and_the_connections_are_retired(
        self,
        kinds: tuple[int, int],
        flavour: Flavour,
        living: list[MortalProxy],
        trust: ssl.SSLContext,
    ) -> None:
        first, second = (living[kind].url for kind in kinds)
        with faulty_origin(answer(403, body=b"go away" * 1000)) as target:
            rotation = flavour.ProxyRoundRobin(
                [first, second],
                banned=self.is_banned,
                cooldown=LONG,
                verify=trust,
                trust_env=False,
            )
            clock = stopped(rotation)
            async with flavour.client(transport=rotation, timeout=30) as client:
                assert await whom(client, target.url, 2) == {mask(second): 2}
                # The ban is over when it is over, and goes on with a new connection.
                clock.now += 1000
                assert mask(first) in await whom(client, target.url, 2)
        assert target.connections == 3
        assert all(status.up for status in rotation.status())

    async def test_one_host_bans_and_others_do_not(
        self, flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
    ) -> None:
        first, second = (each.url for each in living[:2])
        with faulty_origin(answer(403)) as target:
            rotation = flavour.ProxyRoundRobin(
                [first, second],
                banned=self.is_banned,
                cooldown=LONG,
                verify=trust,
                trust_env=False,
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                assert await whom(client, target.url, 6) == {mask(second): 6}
                elsewhere = origin.http.replace("127.0.0.1", "localhost")
                answered = await whom(client, elsewhere, 6)
        assert set(answered) == {mask(first), mask(second)}

    async def test_what_may_not_be_repeated_comes_back_unread(
        self, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        first, second = (each.url for each in living[:2])
        with faulty_origin(answer(403, body=b"go away")) as target:
            rotation = flavour.ProxyRoundRobin(
                [first, second],
                banned=self.is_banned,
                cooldown=LONG,
                verify=trust,
                trust_env=False,
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                async with client.stream("POST", target.url, content=b"once") as response:
                    assert not response.is_stream_consumed
                    assert await flavour.read(response) == b"go away"
                assert (response.status_code, response.extensions["proxy"]) == (403, mask(first))
                assert await whom(client, target.url, 4) == {mask(second): 4}
        assert [seen.method for seen in target.requests] == ["POST"] + ["GET"] * 4

    async def test_banned_everywhere_the_last_response_comes_back_unread(
        self, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        with faulty_origin(*[answer(403, body=b"go away")] * 2) as target:
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in living[:2]],
                banned=self.is_banned,
                cooldown=LONG,
                verify=trust,
                trust_env=False,
            )
            async with (
                flavour.client(transport=rotation, timeout=30) as client,
                client.stream("GET", target.url) as response,
            ):
                assert not response.is_stream_consumed
                assert await flavour.read(response) == b"go away"
        assert response.status_code == 403
        assert len(target.requests) == 2


class TestRetryOverRotation:
    """After the origin may have seen the request, it is asked again through another proxy."""

    POLICY = RetryPolicy(wait=lambda state: 0)

    @pytest.mark.parametrize(
        "step",
        [answer(503, body=b"busy"), answer(429), close_after_request],
        ids=["503", "429", "closes"],
    )
    async def test_the_repeat_goes_to_another_proxy(
        self, step: Any, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        first, second, third = (each.url for each in living[:3])
        with faulty_origin(step, step) as target:
            rotation = flavour.ProxyRoundRobin(
                [first, second, third], cooldown=LONG, verify=trust, trust_env=False
            )
            transport = flavour.RetryTransport(rotation, self.POLICY)
            async with flavour.client(transport=transport, timeout=30) as client:
                response = await client.get(target.url)
                assert response.status_code == 200
                assert [status.sent for status in rotation.status()] == [1, 1, 1]
                assert all(status.up for status in rotation.status())
        assert len(response.extensions["attempts"]) == 3
        assert response.extensions["proxy"] == mask(third)

    async def test_a_key_that_sticks_gives_way_for_a_repeat(
        self, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        with faulty_origin(answer(503), answer(503)) as target:
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in living[:3]],
                sticky=sticky_by_host,
                cooldown=LONG,
                verify=trust,
                trust_env=False,
            )
            transport = flavour.RetryTransport(rotation, self.POLICY)
            async with flavour.client(transport=transport, timeout=30) as client:
                assert (await client.get(target.url)).status_code == 200
                assert [status.sent for status in rotation.status()] == [1, 1, 1]

    async def test_the_only_one_is_asked_again(
        self, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        with faulty_origin(answer(503)) as target:
            rotation = flavour.ProxyRoundRobin([living[0].url], verify=trust, trust_env=False)
            transport = flavour.RetryTransport(rotation, self.POLICY)
            async with flavour.client(transport=transport, timeout=30) as client:
                assert (await client.get(target.url)).status_code == 200
                assert [status.sent for status in rotation.status()] == [2]

    async def test_a_post_is_sent_once(
        self, flavour: Flavour, living: list[MortalProxy], trust: ssl.SSLContext
    ) -> None:
        with faulty_origin(close_after_request) as target:
            rotation = flavour.ProxyRoundRobin(
                [each.url for each in living], verify=trust, trust_env=False
            )
            transport = flavour.RetryTransport(rotation, self.POLICY)
            async with flavour.client(transport=transport, timeout=30) as client:
                # proxy.py tells of it by closing, too.
                with pytest.raises(httpx.TransportError):
                    await client.post(target.url, content=b"once")
        assert [(seen.method, seen.body) for seen in target.requests] == [("POST", b"once")]


async def test_a_proxy_joins_and_another_leaves_in_the_middle_of_its_work(
    flavour: Flavour, living: list[MortalProxy], origin: Origin, trust: ssl.SSLContext
) -> None:
    first, second = (each.url for each in living[:2])
    rotation = flavour.ProxyRoundRobin([first], verify=trust, trust_env=False)
    async with flavour.client(transport=rotation, timeout=30) as client:
        async with client.stream("GET", origin.https) as response:
            await flavour.call(rotation.add, second)
            await flavour.call(rotation.remove, first)
            assert [status.proxy for status in rotation.status()] == [mask(second)]
            assert await whom(client, origin.https, 3) == {mask(second): 3}
            assert (await flavour.read(response)).startswith(b"{")
        assert response.extensions["proxy"] == mask(first)
        assert await whom(client, origin.https, 3) == {mask(second): 3}
