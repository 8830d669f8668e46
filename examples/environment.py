"""Keep the environment's proxies: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

Every transport here that is made from arguments uses them, as a stock client does. Routes of your own
go first. `trust_env=False` leaves them out, and SSL_CERT_FILE and SSL_CERT_DIR with them;
`environment_routes()` returns them alone, as a routing dict.
"""

import os

import anyio
import httpx

from transportkit import AsyncMounts, Mounts, environment_routes

from local import hello, proxies, server

# To copy (both)
ROUTES = {"http://mock.example": httpx.MockTransport(hello)}


# To copy (sync)
def fetch(url: str) -> str:
    with httpx.Client(transport=Mounts(ROUTES)) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str) -> str:
    async with httpx.AsyncClient(transport=AsyncMounts(ROUTES)) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with proxies(1) as [proxy], server() as url:
        os.environ |= {"HTTP_PROXY": proxy, "NO_PROXY": "127.0.0.1,.internal.example"}
        print(Mounts(ROUTES))
        for asked in "http://mock.example/", "http://example.com/", url:
            print(fetch(asked))
        print("async:", anyio.run(fetch_async, "http://example.com/"))
        print(*environment_routes())

# It prints
#
#     http://mock.example                     MockTransport
#     (environment) all://127.0.0.1           direct
#     (environment) all://*.internal.example  direct
#     (environment) http://                   proxy http://127.0.0.1:...
#     (anything else)                         direct
#     http://mock.example/
#     http://example.com/ through proxy 1
#     http://127.0.0.1:.../
#     async: http://example.com/ through proxy 1
#     http:// all://127.0.0.1 all://*.internal.example
