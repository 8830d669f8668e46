"""Send everything through a proxy, with its password: `all://`.

The proxy may be an http, https, socks5 or socks5h URL; SOCKS needs `pip install 'httpx[socks]'`. For
an https:// target the proxy is an http:// URL too: it opens a tunnel to it.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet, proxies


# To copy (both)
def routes(proxy: str) -> dict[str, str]:
    return {
        "all://": proxy.replace("://", "://scott:tiger@"),
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
    urls = ["http://example.com/", "https://www.example.org:8443/"]
    with internet(), proxies(1) as running:
        for url in urls:
            print(fetch(routes(*running), url))
        print("async:", anyio.run(fetch_async, routes(*running), urls[0]))

# It prints
#
#     http://example.com/ through proxy 1
#     https://www.example.org:8443/ through proxy 1
#     async: http://example.com/ through proxy 1
