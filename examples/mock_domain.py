"""Answer from a function for one domain; other requests go where they would."""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet


# To copy (both)
def handler(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"text": "Hello, world!"})


ROUTES = {"all://example.org": httpx.MockTransport(handler)}


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
        for url in "https://example.org/", "https://example.com/":
            print(fetch(url), anyio.run(fetch_async, url))

# It prints
#
#     {"text":"Hello, world!"} {"text":"Hello, world!"}
#     https://example.com/ https://example.com/
