"""Connect again, or ask again: `retries=1` does the first, `RetryTransport` does both.

`retries=` is httpx's own: it tries again only to connect. What fails once a request was sent,
or is answered with 503, comes back as it is. With `RetryTransport` it is not needed.
"""

import anyio
import httpx

from transportkit import AsyncRetryTransport, RetryTransport

from local import in_turn, server


# To copy (sync)
def fetch(url: str) -> list[int]:
    connecting = httpx.HTTPTransport(retries=1)
    asking = RetryTransport()
    with httpx.Client(transport=connecting) as plain, httpx.Client(transport=asking) as patient:
        return [plain.get(url).status_code, patient.get(url).status_code]


# To copy (async)
async def fetch_async(url: str) -> list[int]:
    connecting = httpx.AsyncHTTPTransport(retries=1)
    asking = AsyncRetryTransport()
    async with (
        httpx.AsyncClient(transport=connecting) as plain,
        httpx.AsyncClient(transport=asking) as patient,
    ):
        return [(await plain.get(url)).status_code, (await patient.get(url)).status_code]


# To run
if __name__ == "__main__":
    with server(in_turn(503, 503, 200)) as url:
        for statuses in fetch(url), anyio.run(fetch_async, url):
            print("retries=1: {}, RetryTransport: {}".format(*statuses))

# It prints
#
#     retries=1: 503, RetryTransport: 200
#     retries=1: 503, RetryTransport: 200
