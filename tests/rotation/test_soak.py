"""The night shift: many requests while one proxy after the other dies and comes back."""

import itertools
import threading
from typing import Any

import anyio
import pytest
from support.flavours import Flavour
from support.fleet import fleet
from support.library import httpx
from support.transportkit import Cooldown, RetryPolicy

URL = "http://target.example/"
TIMEOUT = httpx.Timeout(30)


async def together(flavour: Flavour, workers: int, work: Any) -> None:
    """Run this many of it at once, as tasks or in threads."""
    if flavour.is_async:
        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(work)
        return
    errors: list[BaseException] = []

    def run() -> None:
        try:
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


@pytest.mark.parametrize(
    ("requests", "lifetime"), [(240, 40), pytest.param(5_000, 100, marks=pytest.mark.slow)]
)
async def test_every_body_is_right_while_proxies_die(
    requests: int, lifetime: int, flavour: Flavour
) -> None:
    """One is killed after so many requests, a second's worth, and the last one comes back."""
    workers = 8
    with fleet(6) as six:
        rotation = flavour.ProxyRoundRobin(
            six.urls,
            cooldown=Cooldown(first=0.01, max=0.05),
            max_tries=4,
            limits=httpx.Limits(max_keepalive_connections=4),
            verify=False,
            trust_env=False,
        )
        # What had been sent to one that died is the retry's to send again.
        policy = RetryPolicy(wait=lambda state: 0)
        transport = flavour.RetryTransport(rotation, policy, budget=None)
        done = itertools.count(1)

        async with flavour.client(transport=transport, timeout=TIMEOUT) as client:

            async def work() -> None:
                for _ in range(requests // workers):
                    assert (await client.get(URL)).text == "fine"
                    killed, late = divmod(next(done), lifetime)
                    if late == 0:
                        six.kill(killed % 6)
                    elif late == lifetime // 2 and killed:
                        six.start(killed % 6)

            await together(flavour, workers, work)
            assert [status.in_flight for status in rotation.status()] == [0] * 6
            for transport in rotation._transports.by_member.values():
                pool = transport._core.pool
                assert all(connection.is_idle() for connection in pool.connections)
        assert sum(six.served) >= requests
