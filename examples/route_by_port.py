"""Send one port of a host through a proxy, or a port of all hosts.

Ports compare as effective ones: `https://example.com:443` takes https://example.com/.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet, proxies


# To copy (both)
def routes(first: str, second: str) -> dict[str, str]:
    return {
        "https://example.com:1234": first,
        "all://*:1234": second,
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
    urls = ["https://example.com:1234/", "http://example.com:1234/", "http://example.com/"]
    with internet(), proxies(2) as running:
        for url in urls:
            print(fetch(routes(*running), url))
        print("async:", anyio.run(fetch_async, routes(*running), urls[0]))

# It prints
#
#     https://example.com:1234/ through proxy 1
#     http://example.com:1234/ through proxy 2
#     http://example.com/
#     async: https://example.com:1234/ through proxy 1
