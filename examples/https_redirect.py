"""Turn http:// into https:// before anything is sent: a redirect from inside the client.

A POST stays a POST. Clear text has two names: httpx sends ws:// as plain HTTP too.
"""

import anyio
import httpx

from transportkit import AsyncMounts, HTTPSRedirect, Mounts

from local import internet

# To copy (both)
ROUTES = {"http://": HTTPSRedirect(), "ws://": HTTPSRedirect()}


# To copy (sync)
def fetch(url: str) -> httpx.Response:
    with httpx.Client(transport=Mounts(ROUTES), follow_redirects=True) as client:
        return client.get(url)


# To copy (async)
async def fetch_async(url: str) -> httpx.Response:
    transport = AsyncMounts(ROUTES)
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        return await client.get(url)


# To run
if __name__ == "__main__":
    with internet():
        for response in fetch("http://example.com/"), anyio.run(fetch_async, "http://example.com/"):
            print(response.history, response.url)

# It prints
#
#     [<Response [307 Temporary Redirect]>] https://example.com/
#     [<Response [307 Temporary Redirect]>] https://example.com/
