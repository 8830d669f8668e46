"""Answer from a function when the environment says TESTING, and from the network when it does not.

`default_transport()` is what a stock client would send through, proxies of the environment
included, which `httpx.HTTPTransport()` leaves out.
"""

import os

import anyio
import httpx

from transportkit import async_default_transport, default_transport

from local import internet


# To copy (both)
def handler(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"text": "Hello, world!"})


def mock() -> httpx.MockTransport | None:
    is_testing = os.environ.get("TESTING", "").upper() == "TRUE"
    return httpx.MockTransport(handler) if is_testing else None


# To copy (sync)
def fetch(url: str) -> str:
    with httpx.Client(transport=mock() or default_transport()) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str) -> str:
    async with httpx.AsyncClient(transport=mock() or async_default_transport()) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with internet():
        print(fetch("https://example.com/"), anyio.run(fetch_async, "https://example.com/"))
        os.environ["TESTING"] = "true"
        print(fetch("https://example.com/"), anyio.run(fetch_async, "https://example.com/"))

# It prints
#
#     https://example.com/ https://example.com/
#     {"text":"Hello, world!"} {"text":"Hello, world!"}
