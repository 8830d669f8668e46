"""Send what goes over the wire to logging, and mask what httpx logs itself.

A `RedactingFilter` belongs on handlers: there it sees the records of all loggers.
"""

import logging
import sys

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, ConsoleLog, DebuggingTransport, RedactingFilter

from local import server

# To copy (both)
handler = logging.StreamHandler(sys.stdout)
handler.addFilter(RedactingFilter())
logging.basicConfig(handlers=[handler], format="%(levelname)s %(name)s: %(message)s", level="INFO")
log = ConsoleLog(logging.getLogger("example").info)


# To copy (sync)
def fetch(url: str) -> None:
    with httpx.Client(transport=DebuggingTransport(None, log)) as client:
        client.get(url)


# To copy (async)
async def fetch_async(url: str) -> None:
    async with httpx.AsyncClient(transport=AsyncDebuggingTransport(None, log)) as client:
        await client.get(url)


# To run
if __name__ == "__main__":
    with server() as url:
        fetch(f"{url}/?api_key=s3cret&page=2")
        anyio.run(fetch_async, f"{url}/?api_key=s3cret&page=3")

# It prints
#
#     INFO example: >>> GET http://127.0.0.1:.../?api_key=****&page=2
#     INFO httpx: HTTP Request: GET http://127.0.0.1:.../?api_key=****&page=2 "HTTP/1.1 200 OK"
#     INFO example: <<< 200 OK http/1.1 ... B in ... (...)
#     INFO example: >>> GET http://127.0.0.1:.../?api_key=****&page=3
#     INFO httpx: HTTP Request: GET http://127.0.0.1:.../?api_key=****&page=3 "HTTP/1.1 200 OK"
#     INFO example: <<< 200 OK http/1.1 ... B in ... (...)
