"""Give some proxies more turns than others: a dict from proxies to weights."""

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, ProxyRoundRobin

from local import proxies


# To copy (sync)
def fetch(weights: dict[str, float], url: str) -> list[str]:
    with httpx.Client(transport=ProxyRoundRobin(weights)) as client:
        return [client.get(url).text for _ in range(4)]


# To copy (async)
async def fetch_async(weights: dict[str, float], url: str) -> list[str]:
    async with httpx.AsyncClient(transport=AsyncProxyRoundRobin(weights)) as client:
        return [(await client.get(url)).text for _ in range(4)]


# To run
if __name__ == "__main__":
    with proxies(2) as [one, two]:
        weights = {one: 3.0, two: 1.0}
        print(*fetch(weights, "http://example.com/"), sep="\n")
        print(*anyio.run(fetch_async, weights, "http://example.com/"), sep="\n")

# It prints
#
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 1
