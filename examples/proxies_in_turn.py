"""Send requests through several proxies in turn; one that is dead costs no caller an error.

The proxies may be `httpx.Proxy` objects, as in httpx's documentation, URLs, or None for a turn
without a proxy.
"""

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, ProxyRoundRobin

from local import NOBODY, proxies


# To copy (sync)
def fetch(url: str, proxies: list[httpx.Proxy]) -> list[str]:
    with httpx.Client(transport=ProxyRoundRobin(proxies)) as client:
        return [client.get(url).text for _ in range(4)]


# To copy (async)
async def fetch_async(url: str, proxies: list[httpx.Proxy]) -> list[str]:
    async with httpx.AsyncClient(transport=AsyncProxyRoundRobin(proxies)) as client:
        return [(await client.get(url)).text for _ in range(4)]


# To run
def main() -> None:
    url = "http://example.com/"
    with proxies(2) as [first, second]:
        turns = [
            httpx.Proxy(first, auth=("scott", "tiger")),
            httpx.Proxy(second),
            httpx.Proxy(NOBODY),
        ]
        print(*fetch(url, turns), sep="\n")
        print(*anyio.run(fetch_async, url, turns), sep="\n")


if __name__ == "__main__":
    main()

# It prints
#
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
