"""Ask a host over https only, once it has said so: Strict-Transport-Security, as browsers do it.

The file is that of `curl --hsts`; with `HSTSStore()` it is remembered until the process ends. With
routes it goes outermost: `HSTSTransport(Mounts({...}), store)`.
"""

import tempfile
from pathlib import Path

import anyio
import httpx

from transportkit import AsyncHSTSTransport, HSTSStore, HSTSTransport

from local import internet


# To copy (sync)
def fetch(url: str, store: HSTSStore) -> httpx.Response:
    transport = HSTSTransport(store=store)
    with httpx.Client(transport=transport, follow_redirects=True) as client:
        return client.get(url)


# To copy (async)
async def fetch_async(url: str, store: HSTSStore) -> httpx.Response:
    transport = AsyncHSTSTransport(store=store)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        return await client.get(url)


# To run
def strict(request: httpx.Request) -> httpx.Response:
    print("sent:", request.url)
    return httpx.Response(200, headers={"Strict-Transport-Security": "max-age=31536000"})


if __name__ == "__main__":
    with internet(strict), tempfile.TemporaryDirectory() as folder:
        store = HSTSStore(Path(folder, "hsts.txt"))
        store.preload([".internal.example"])  # a list of one's own; the dot includes subdomains
        for url in "http://example.com/", "https://example.com/", "http://example.com/login":
            fetch(url, store)
        anyio.run(fetch_async, "http://wiki.internal.example/", store)

# It prints
#
#     sent: http://example.com/
#     sent: https://example.com/
#     sent: https://example.com/login
#     sent: https://wiki.internal.example/
