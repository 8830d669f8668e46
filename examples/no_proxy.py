"""Send everything through a proxy but some hosts: None, as in httpx's documentation.

None is the `default=` of `Mounts`; without one it goes straight, past the environment's proxies.
"direct" always goes straight.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import proxies, server


# To copy (both)
def routes(proxy: str) -> dict[str, str | None]:
    return {
        "all://": proxy,  # everything through the proxy,
        "all://*.internal.example": None,  # but not these hosts,
        "all://127.0.0.0/8": None,  # and not this network
    }


# To copy (sync)
def fetch(routes: dict[str, str | None], url: str) -> str:
    with httpx.Client(transport=Mounts(routes)) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(routes: dict[str, str | None], url: str) -> str:
    async with httpx.AsyncClient(transport=AsyncMounts(routes)) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with proxies(1) as [proxy], server() as url:
        for asked in "http://example.com/", url:
            print(fetch(routes(proxy), asked))
        print("async:", anyio.run(fetch_async, routes(proxy), url))

# It prints
#
#     http://example.com/ through proxy 1
#     http://127.0.0.1:.../
#     async: http://127.0.0.1:.../
