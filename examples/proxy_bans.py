"""Notice that a site has banned a proxy: it rests for that site alone, and another one is asked."""

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, ProxyRoundRobin

from local import hello, proxies


# To copy (both)
def is_ban(response: httpx.Response) -> bool:
    return response.status_code == 403


# To copy (sync)
def fetch(proxies: list[str], urls: list[str]) -> list[str]:
    with httpx.Client(transport=ProxyRoundRobin(proxies, banned=is_ban)) as client:
        return [client.get(url).text for url in urls]


# To copy (async)
async def fetch_async(proxies: list[str], urls: list[str]) -> list[str]:
    async with httpx.AsyncClient(transport=AsyncProxyRoundRobin(proxies, banned=is_ban)) as client:
        return [(await client.get(url)).text for url in urls]


# To run
def strict(request: httpx.Request) -> httpx.Response:
    is_banned = request.url.host == "strict.example" and request.headers["Via"] == "1.1 proxy 1"
    return httpx.Response(403) if is_banned else hello(request)


if __name__ == "__main__":
    urls = ["http://strict.example/", "http://example.com/"] * 2
    with proxies(2, strict) as running:
        print(*fetch(running, urls), sep="\n")
        print("async:", *anyio.run(fetch_async, running, urls), sep="\n")

# It prints
#
#     http://strict.example/ through proxy 2
#     http://example.com/ through proxy 1
#     http://strict.example/ through proxy 2
#     http://example.com/ through proxy 1
#     async:
#     http://strict.example/ through proxy 2
#     http://example.com/ through proxy 1
#     http://strict.example/ through proxy 2
#     http://example.com/ through proxy 1
