"""Let a list of proxies take turns in a routing dict, beside hosts that go straight."""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import proxies, server


# To copy (both)
def routes(proxies: list[str]) -> dict[str, list[str] | None]:
    return {"all://": proxies, "all://127.0.0.1": None}


# To copy (sync)
def fetch(proxies: list[str], url: str) -> list[str]:
    with httpx.Client(transport=Mounts(routes(proxies))) as client:
        return [client.get(url).text for _ in range(3)]


# To copy (async)
async def fetch_async(proxies: list[str], url: str) -> list[str]:
    async with httpx.AsyncClient(transport=AsyncMounts(routes(proxies))) as client:
        return [(await client.get(url)).text for _ in range(3)]


# To run
if __name__ == "__main__":
    with proxies(3) as running, server() as url:
        print(*fetch(running, "http://example.com/"), sep="\n")
        print(*anyio.run(fetch_async, running, url), sep="\n")

# It prints
#
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 3
#     http://127.0.0.1:.../
#     http://127.0.0.1:.../
#     http://127.0.0.1:.../
