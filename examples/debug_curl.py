"""Print each request as a curl command, to be pasted into a shell; secrets are masked."""

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, CurlLog, DebuggingTransport

from local import server


# To copy (sync)
def send(url: str) -> None:
    with httpx.Client(transport=DebuggingTransport(None, CurlLog(), bodies=100_000)) as client:
        client.put(url, data={"name": "it's me", "token": "s3cret"})


# To copy (async)
async def send_async(url: str) -> None:
    transport = AsyncDebuggingTransport(None, CurlLog(), bodies=100_000)
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(url)


# To run
if __name__ == "__main__":
    with server() as url:
        send(url)
        anyio.run(send_async, url)

# It prints
#
#     curl 'http://127.0.0.1:...' --compressed -X PUT -H ... --data-raw 'name=it%27s+me&token=****'
#     curl 'http://127.0.0.1:...' --compressed -H ...
