"""Many threads and tasks at once, over proxies that die and return."""

import itertools
import ssl
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from support import proxies
from support.cancelling import cancelled_when
from support.clocks import stopped
from support.flavours import Flavour
from support.fleet import Fleet, fleet
from support.library import httpx
from support.proxies import raw_proxy
from support.raw import wait_for_end
from support.transportkit import Cooldown, RetryPolicy, sticky_by_header

TIMEOUT = 60
DYING = (2, 5, 9)
# Shorter than any phase of a test: whoever is down is probed again and again.
SHORT = Cooldown(first=0.02, max=0.1)
LONG = Cooldown(first=1000, max=100_000)
URL = "http://target.example/"


# How many at once, as tasks and as threads.
CROWDS = pytest.mark.parametrize(
    "crowd", [pytest.param(8, id="8"), pytest.param(128, id="128", marks=pytest.mark.slow)]
)


def workers_of(crowd: int, flavour: Flavour) -> int:
    return crowd if flavour.is_async else min(crowd, 64)


def limits(flavour: Flavour) -> httpx.Limits:
    """Threads keep connections; for as many tasks httpcore would look at most of them each time."""
    return httpx.Limits(max_keepalive_connections=0 if flavour.is_async else 20)


async def together(
    flavour: Flavour, workers: int, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Run this in as many threads or tasks, all at once; the first error is raised."""
    if flavour.is_async:
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(work)
        return
    errors: list[BaseException] = []
    ready = threading.Barrier(workers)

    def run() -> None:
        try:
            ready.wait(TIMEOUT)
            flavour.run(work)
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def assert_fair(counts: list[int]) -> None:
    # Where a request finds out which proxies are dead, the turns of others shift by one or two.
    assert max(counts) - min(counts) <= max(2, 0.05 * sum(counts) / len(counts)), counts


async def a_phase(flavour: Flavour, client: Any, alive: Fleet, crowd: int) -> list[int]:
    """Who served how many of two requests (five for a few) of each of the crowd."""
    alive.served = [0] * len(alive.served)
    workers, requests = workers_of(crowd, flavour), max(2 * crowd, 40)

    async def work() -> None:
        for _ in range(requests // workers):
            assert (await client.get(URL)).text == "fine"

    await together(flavour, workers, work)
    assert sum(alive.served) == requests
    return alive.served


@CROWDS
async def test_three_of_ten_die_and_return(crowd: int, flavour: Flavour) -> None:
    with fleet(10) as ten:
        rotation = flavour.ProxyRoundRobin(
            # Each of the three may be among those that one request finds dead.
            ten.urls,
            cooldown=SHORT,
            max_tries=4,
            limits=limits(flavour),
            verify=False,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:
            assert_fair(await a_phase(flavour, client, ten, crowd))

            ten.kill(*DYING)
            served = await a_phase(flavour, client, ten, crowd)
            assert [served[number] for number in DYING] == [0, 0, 0]
            assert_fair([count for number, count in enumerate(served) if number not in DYING])
            assert {
                number for number, status in enumerate(rotation.status()) if status.last_error
            } == set(DYING)

            ten.start(*DYING)
            while not all(status.up for status in rotation.status()):
                await client.get(URL)
            assert_fair(await a_phase(flavour, client, ten, crowd))
            assert [status.in_flight for status in rotation.status()] == [0] * 10


async def test_all_die_and_return(flavour: Flavour) -> None:
    """Only a request that tries all the same finds out that they are back."""
    with fleet(2) as both:
        trying, failing = (
            flavour.ProxyRoundRobin(
                both.urls,
                cooldown=LONG,
                when_all_down=when_all_down,
                verify=False,
                trust_env=False,
            )
            for when_all_down in ("try", "raise")
        )
        async with (
            flavour.client(transport=trying, timeout=TIMEOUT) as optimist,
            flavour.client(transport=failing, timeout=TIMEOUT) as pessimist,
        ):
            both.kill(0, 1)
            for client in (optimist, pessimist):
                with pytest.raises(httpx.ConnectError):
                    await client.get(URL)
            both.start(0, 1)
            with pytest.raises(httpx.ProxyError, match=r"^every proxy is ejected"):
                await pessimist.get(URL)
            assert (await optimist.get(URL)).text == "fine"
    assert sum(status.up for status in trying.status()) == 1
    assert sum(status.up for status in failing.status()) == 0


async def test_a_key_comes_home(flavour: Flavour) -> None:
    keys = [f"session-{number}" for number in range(8)]
    with fleet(4) as four:
        rotation = flavour.ProxyRoundRobin(
            four.urls,
            sticky=sticky_by_header("X-Session"),
            cooldown=LONG,
            limits=httpx.Limits(max_keepalive_connections=0),
            verify=False,
            trust_env=False,
        )
        clock = stopped(rotation)

        async def where() -> dict[str, str]:
            found = {}
            for key in keys:
                response = await client.get(URL, headers={"X-Session": key})
                assert response.text == "fine"
                found[key] = response.extensions["proxy"]
            return found

        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:
            at_first = await where()
            assert len(set(at_first.values())) > 1
            victim = four.urls.index(at_first[keys[0]])
            assert await where() == at_first
            four.kill(victim)
            meanwhile = await where()
            moved = {key for key in keys if meanwhile[key] != at_first[key]}
            assert moved == {key for key in keys if at_first[key] == four.urls[victim]}
            four.start(victim)
            assert await where() == meanwhile
            clock.now += 1000
            assert await where() == at_first


@pytest.mark.parametrize("crowd", [6, pytest.param(64, marks=pytest.mark.slow)])
async def test_weights_hold_for_a_crowd(crowd: int, flavour: Flavour) -> None:
    with fleet(3) as three:
        rotation = flavour.ProxyRoundRobin(
            dict(zip(three.urls, (3, 2, 1), strict=True)),
            limits=limits(flavour),
            verify=False,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:

            async def work() -> None:
                for _ in range(6):
                    assert (await client.get(URL)).text == "fine"

            await together(flavour, crowd, work)
    assert three.served == [3 * crowd, 2 * crowd, crowd]


@CROWDS
async def test_three_of_ten_die_in_the_middle_of_their_work(crowd: int, flavour: Flavour) -> None:
    total = max(2 * crowd, 64)
    workers = workers_of(crowd, flavour)
    done = itertools.count(1)
    with fleet(10) as ten:
        rotation = flavour.ProxyRoundRobin(
            ten.urls,
            order="least_busy",
            cooldown=SHORT,
            max_tries=4,
            limits=limits(flavour),
            verify=False,
            trust_env=False,
        )
        # What had been sent to one that died is the retry's to send again.
        transport = flavour.RetryTransport(rotation, RetryPolicy(wait=lambda state: 0), budget=None)

        async with flavour.client(transport=transport, timeout=TIMEOUT) as client:

            async def work() -> None:
                for _ in range(total // workers):
                    assert (await client.get(URL)).text == "fine"
                    number = next(done)
                    if number == total // 3:
                        ten.kill(*DYING)
                    elif number == 2 * total // 3:
                        ten.start(*DYING)

            await together(flavour, workers, work)
            assert [status.in_flight for status in rotation.status()] == [0] * 10
            while not all(status.up for status in rotation.status()):
                await client.get(URL)


@pytest.mark.parametrize("workers", [12, pytest.param(64, marks=pytest.mark.slow)])
async def test_those_that_fail_at_once_are_one_failure_and_no_herd_follows(
    workers: int, flavour: Flavour
) -> None:
    with fleet(2) as two:
        rotation = flavour.ProxyRoundRobin(
            two.urls, cooldown=LONG, limits=limits(flavour), verify=False, trust_env=False
        )
        two.kill(0)

        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:

            async def work() -> None:
                assert (await client.get(URL)).text == "fine"

            await together(flavour, workers, work)
            dead, living = rotation.status()
            assert (dead.up, living.up) == (False, True)
            assert 1 <= dead.failed <= workers
            # A second failure in a row would eject it for twice as long.
            assert dead.resting_until is not None
            rested = dead.resting_until
            await together(flavour, workers, work)
            again, _ = rotation.status()
            assert again.failed == dead.failed
            assert again.resting_until is not None
            assert again.resting_until <= rested
            assert sum(two.served) == 2 * workers


@pytest.mark.parametrize("workers", [4, pytest.param(16, marks=pytest.mark.slow)])
async def test_one_request_probes_while_the_others_go_on(
    workers: int, flavour: Flavour, certificates: Path
) -> None:
    """The probe hangs until all others have been answered by another proxy."""
    trust = ssl.create_default_context(cafile=certificates / "ca.pem")
    released = threading.Event()
    done = itertools.count(1)
    honest = proxies.forwarding()

    def failing_then_slow(connection: Any) -> None:
        if sick.connections == 1:
            proxies.closing(connection)
        elif released.wait(TIMEOUT):
            honest(connection)

    with (
        proxies.target(certificates) as there,
        raw_proxy(failing_then_slow) as sick,
        raw_proxy(honest) as healthy,
    ):
        rotation = flavour.ProxyRoundRobin(
            [sick.url, healthy.url],
            cooldown=Cooldown(first=0.001, max=0.001),
            verify=trust,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:
            await client.get(there.url["https"])
            assert sick.connections == 1

            async def work() -> None:
                response = await client.get(there.url["https"])
                assert response.status_code == 200
                number = next(done)
                if number < workers:
                    assert response.extensions["proxy"] == healthy.shown
                if number == workers - 1:
                    assert [status.up for status in rotation.status()] == [False, True]
                    released.set()

            await together(flavour, workers, work)
            assert sick.connections == 2
            assert all(status.up for status in rotation.status())
        assert len(there.requests) == workers + 1


@pytest.mark.parametrize("size", [8, pytest.param(32, marks=pytest.mark.slow)])
@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
async def test_a_crowd_that_is_cancelled_leaves_nothing(size: int, flavour: Flavour) -> None:
    with raw_proxy(proxies.hanging) as first, raw_proxy(wait_for_end) as second:
        rotation = flavour.ProxyRoundRobin(
            [first.url, second.url],
            cooldown=LONG,
            limits=limits(flavour),
            verify=False,
            trust_env=False,
        )
        async with flavour.client(transport=rotation, timeout=TIMEOUT) as client:
            for rounds, scheme in enumerate(("http", "https"), 1):

                def are_all_there(many: int = rounds * size) -> bool:
                    return first.connections + second.connections == many

                async with (
                    cancelled_when(are_all_there) as scope,
                    anyio.create_task_group() as group,
                ):
                    for _ in range(size):
                        group.start_soon(client.get, f"{scheme}://target.example/")
                assert scope.cancelled_caught
                # A cancellation is no proxy's failure.
                assert [(each.up, each.in_flight) for each in rotation.status()] == [(True, 0)] * 2


async def test_responses_that_are_never_read_are_in_flight_until_they_are_closed(
    flavour: Flavour,
) -> None:
    with fleet(2) as two:
        rotation = flavour.ProxyRoundRobin(
            two.urls, limits=limits(flavour), verify=False, trust_env=False
        )
        request = httpx.Request("GET", URL, extensions={"timeout": httpx.Timeout(30).as_dict()})
        held = [await flavour.send(rotation, request) for _ in range(6)]
        assert [status.in_flight for status in rotation.status()] == [3, 3]
        for response in held:
            await flavour.close(response)
            await flavour.close(response)
        assert [status.in_flight for status in rotation.status()] == [0, 0]
        await flavour.close(rotation)
