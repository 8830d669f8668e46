"""nginx, where it is installed, ends an HTTP/2 connection after so many requests.

Its GOAWAY comes in one segment with the last answer, while other requests are on their way.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from support.debian import debian_nginx
from support.flavours import Flavour
from support.transportkit import RetryPolicy

REQUESTS = 10
WORKERS = 6
EACH = 20


@pytest.fixture(scope="module")
def url(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("nginx")
    with debian_nginx(certificates / "server.pem", directory, REQUESTS) as running:
        yield running


async def together(flavour: Flavour, work: Any) -> None:
    """Run it several times at once, as tasks or in threads."""
    if flavour.is_async:
        async with anyio.create_task_group() as group:
            for _ in range(WORKERS):
                group.start_soon(work)
        return
    threads = [threading.Thread(target=flavour.run, args=(work,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", ["NetworkTransport", "HTTPTransport"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_all_requests_are_answered_though_connections_end(
    flavour: Flavour, url: str, kind: str, method: str
) -> None:
    if kind == "HTTPTransport" and not flavour.is_async:
        pytest.skip("httpcore's sync HTTP/2 connections are not safe in several threads")
    network = flavour.pick(kind)(http2=True)
    transport = flavour.RetryTransport(network, RetryPolicy(wait=lambda state: 0), budget=None)
    answered: list[tuple[int, str]] = []
    connections: set[str] = set()
    async with flavour.client(transport=transport, timeout=30) as client:

        async def work() -> None:
            for _ in range(EACH):
                response = await client.request(method, url)
                answered.append((response.status_code, response.http_version))
                connections.add(response.text)

        await together(flavour, work)
    assert len(connections) >= WORKERS * EACH // REQUESTS
    assert answered == [(200, "HTTP/2")] * (WORKERS * EACH)
