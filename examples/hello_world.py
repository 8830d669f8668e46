"""Answer for a host yourself: a transport of your own in a routing dict, as in httpx's documentation.

A class that does no I/O can be for both kinds of clients. One around another transport is in
wrapping.py beside this.
"""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import internet


# To copy (sync)
class HelloWorld(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"text": "Hello, world!"})


def fetch(url: str) -> str:
    with httpx.Client(transport=Mounts({"https://hello.example": HelloWorld()})) as client:
        return client.get(url).text


# To copy (async)
class AsyncHelloWorld(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"text": "Hello, world!"})


async def fetch_async(url: str) -> str:
    mounts = AsyncMounts({"https://hello.example": AsyncHelloWorld()})
    async with httpx.AsyncClient(transport=mounts) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with internet():
        for url in "https://hello.example/", "https://example.com/":
            print(fetch(url), anyio.run(fetch_async, url))

# It prints
#
#     {"text":"Hello, world!"} {"text":"Hello, world!"}
#     https://example.com/ https://example.com/
