"""Send from one of this machine's addresses: `local_address`, here for one host.

As an argument of any transport, such as `RetryTransport(local_address="192.0.2.7")`, it holds for
all hosts; "0.0.0.0" means IPv4 only. macOS has no 127.0.0.2 before `ifconfig lo0 alias 127.0.0.2`.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import server

# To copy (both)
ROUTES = {"all://127.0.0.1": {"local_address": "127.0.0.2"}}


# To copy (sync)
def fetch(url: str) -> str:
    with httpx.Client(transport=Mounts(ROUTES)) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str) -> str:
    async with httpx.AsyncClient(transport=AsyncMounts(ROUTES)) as client:
        return (await client.get(url)).text


def who(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200, text=f"{request.url.host} was asked by {request.extensions['client'][0]}"
    )


# To run
if __name__ == "__main__":
    with server(who) as url:
        print(fetch(url))
        print(fetch(url.replace("127.0.0.1", "localhost")))
        print(anyio.run(fetch_async, url))

# It prints
#
#     127.0.0.1 was asked by 127.0.0.2
#     localhost was asked by 127.0.0.1
#     127.0.0.1 was asked by 127.0.0.2
