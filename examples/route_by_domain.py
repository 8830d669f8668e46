"""Send one domain through a proxy, or only the plain http of another; the rest goes straight.

A key has no effect on subdomains; for those see route_subdomains.py.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet, proxies


# To copy (both)
def routes(first: str, second: str) -> dict[str, str]:
    return {
        "all://example.com": first,
        "http://example.org": second,
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
    urls = [
        "https://example.com/",
        "https://www.example.com/",
        "http://example.org/",
        "https://example.org/",
    ]
    with internet(), proxies(2) as running:
        for url in urls:
            print(fetch(routes(*running), url))
        print("async:", anyio.run(fetch_async, routes(*running), urls[0]))

# It prints
#
#     https://example.com/ through proxy 1
#     https://www.example.com/
#     http://example.org/ through proxy 2
#     https://example.org/
#     async: https://example.com/ through proxy 1
