"""httpx2 beside httpx in one process: the same names twice, and values that serve both.

`transportkit` is for httpx, `transportkit.httpx2` for httpx2. Policies, stores, redactions and
observers are one class for both.
"""

import anyio
import httpx
import httpx2

import transportkit
import transportkit.httpx2
from transportkit import RetryPolicy, retry_if_status

from local import in_turn, internet

# To copy (both)
POLICY = RetryPolicy(retry_if_status(503))


# To copy (sync)
def clients() -> tuple[httpx.Client, httpx2.Client]:
    transport = transportkit.RetryTransport(policy=POLICY)
    transport2 = transportkit.httpx2.RetryTransport(policy=POLICY)
    return httpx.Client(transport=transport), httpx2.Client(transport=transport2)


# To copy (async)
def async_clients() -> tuple[httpx.AsyncClient, httpx2.AsyncClient]:
    transport = transportkit.AsyncRetryTransport(policy=POLICY)
    transport2 = transportkit.httpx2.AsyncRetryTransport(policy=POLICY)
    return httpx.AsyncClient(transport=transport), httpx2.AsyncClient(transport=transport2)


# To run
async def main() -> None:
    for async_client in async_clients():
        async with async_client:
            show(await async_client.get("http://example.com/"))


def show(response: httpx.Response | httpx2.Response) -> None:
    outcomes = [attempt.outcome for attempt in response.extensions["attempts"]]
    print(type(response).__module__, outcomes)


if __name__ == "__main__":
    with internet(in_turn(503, 200)):
        for client in clients():
            with client:
                show(client.get("http://example.com/"))
        anyio.run(main)

# It prints
#
#     httpx [503, 200]
#     httpx2 [503, 200]
#     httpx [503, 200]
#     httpx2 [503, 200]
