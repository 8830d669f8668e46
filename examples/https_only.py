"""Refuse plain http instead of sending it, also where a server redirects to it.

httpx sends ws:// as plain HTTP too. https_redirect.py beside this turns it into https.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts, RefusingTransport

from local import internet

# To copy (both)
ROUTES = {"http://": RefusingTransport("https only"), "ws://": RefusingTransport("https only")}


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
    with internet():
        print(fetch("https://example.com/"), anyio.run(fetch_async, "https://example.com/"))
        try:
            fetch("http://example.com/")
        except httpx.UnsupportedProtocol as error:
            print("refused:", error)

# It prints
#
#     https://example.com/ https://example.com/
#     refused: https only
