"""Send everything through a proxy, with its password: `all://`.

The proxy may be an http, https, socks5 or socks5h URL; SOCKS needs `pip install 'httpx[socks]'`. For
an https:// target the proxy is an http:// URL too: it opens a tunnel to it.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import proxies


# To copy (sync)
def fetch(url: str, proxy: str = "http://scott:tiger@proxy.example:8080") -> str:
    with httpx.Client(transport=Mounts({"all://": proxy})) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str, proxy: str = "http://scott:tiger@proxy.example:8080") -> str:
    async with httpx.AsyncClient(transport=AsyncMounts({"all://": proxy})) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with proxies(1) as [proxy]:
        for url in "http://example.com/", "https://www.example.org:8443/":
            print(fetch(url, proxy))
        print("async:", anyio.run(fetch_async, "https://example.com/", proxy))

# It prints
#
#     http://example.com/ through proxy 1
#     https://www.example.org:8443/ through proxy 1
#     async: https://example.com/ through proxy 1
