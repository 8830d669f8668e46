"""Look at each exchange with a function: here, which needed a new connection."""

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, DebuggingTransport, Exchange

from local import internet


# To copy (both)
def show(exchange: Exchange) -> None:
    is_new = exchange.timings.connect is not None
    print(exchange.method, exchange.url, exchange.status, "new" if is_new else "kept")


# To copy (sync)
def fetch(urls: list[str]) -> None:
    with httpx.Client(transport=DebuggingTransport(None, show)) as client:
        for url in urls:
            client.get(url)


# To copy (async)
async def fetch_async(urls: list[str]) -> None:
    async with httpx.AsyncClient(transport=AsyncDebuggingTransport(None, show)) as client:
        for url in urls:
            await client.get(url)


# To run
if __name__ == "__main__":
    with internet():
        urls = ["https://example.com/", "https://example.com/?token=s3cret"]
        fetch(urls)
        anyio.run(fetch_async, urls)

# It prints
#
#     GET https://example.com/ 200 new
#     GET https://example.com/?token=**** 200 kept
#     GET https://example.com/ 200 new
#     GET https://example.com/?token=**** 200 kept
