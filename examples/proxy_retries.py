"""Try again through another proxy what one of them could not get: retries around the rotation.

The rotation itself goes on to the next proxy when nothing has been sent; what was answered with
503, or lost on the way, is for the retries around it. A repeat avoids the proxies that failed.
"""

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, AsyncRetryTransport, ProxyRoundRobin, RetryTransport

from local import proxies


# To copy (sync)
def fetch(proxies: list[str], url: str) -> httpx.Response:
    with httpx.Client(transport=RetryTransport(ProxyRoundRobin(proxies))) as client:
        return client.get(url)


# To copy (async)
async def fetch_async(proxies: list[str], url: str) -> httpx.Response:
    transport = AsyncRetryTransport(AsyncProxyRoundRobin(proxies))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.get(url)


# To run
def answer(request: httpx.Request) -> httpx.Response:
    busy = request.headers["Via"] == "1.1 proxy 1"
    return httpx.Response(503 if busy else 200, headers={"Retry-After": "0"})


if __name__ == "__main__":
    with proxies(2, answer) as running:
        url = "http://example.com/"
        for response in fetch(running, url), anyio.run(fetch_async, running, url):
            print([attempt.outcome for attempt in response.extensions["attempts"]])

# It prints
#
#     [503, 200]
#     [503, 200]
