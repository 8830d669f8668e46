"""Send http:// URLs through one proxy, and https:// URLs through another."""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet, proxies


# To copy (both)
def routes(first: str, second: str) -> dict[str, str]:
    return {
        "http://": first,
        "https://": second,
    }


# To copy (sync)
def fetch(routes: dict[str, str], url: str) -> str:
    with httpx.Client(transport=Mounts(routes)) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(routes: dict[str, str], url: str) -> str:
    async with httpx.AsyncClient(transport=AsyncMounts(routes)) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    urls = ["http://example.com/", "https://example.com/"]
    with internet(), proxies(2) as running:
        for url in urls:
            print(fetch(routes(*running), url))
        print("async:", anyio.run(fetch_async, routes(*running), urls[0]))

# It prints
#
#     http://example.com/ through proxy 1
#     https://example.com/ through proxy 2
#     async: http://example.com/ through proxy 1
