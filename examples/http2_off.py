"""Speak HTTP/2 with all servers but those of one domain.

    pip install 'httpx[http2]'

What is given to `Mounts` holds for all that it makes, and a route's own arguments go first.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import http2_server

# To copy (both)
ROUTES = {"all://*example.org": {"http2": False}, "all://localhost": {"http2": False}}


# To copy (sync)
def fetch(url: str) -> str:
    with httpx.Client(transport=Mounts(ROUTES, http2=True)) as client:
        return client.get(url).http_version


# To copy (async)
async def fetch_async(url: str) -> str:
    async with httpx.AsyncClient(transport=AsyncMounts(ROUTES, http2=True)) as client:
        return (await client.get(url)).http_version


# To run
if __name__ == "__main__":
    with http2_server() as url:
        for asked in url, url.replace("127.0.0.1", "localhost"):
            print(asked.rpartition(":")[0], fetch(asked), anyio.run(fetch_async, asked))

# It prints
#
#     https://127.0.0.1 HTTP/2 HTTP/2
#     https://localhost HTTP/1.1 HTTP/1.1
