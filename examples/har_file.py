"""Record what a program sends and gets in a HAR file, for the network panel of a browser.

Inside the retries, each attempt is an entry of its own. Secrets are masked. waterfall.py beside
this draws such a file.
"""

import json
import tempfile
from pathlib import Path

import anyio
import httpx

from transportkit import (
    AsyncDebuggingTransport,
    AsyncRetryTransport,
    DebuggingTransport,
    HARRecorder,
    RetryTransport,
)

from local import in_turn, internet


# To copy (sync)
def fetch(url: str, path: Path) -> None:
    with HARRecorder(path) as recorder:
        transport = RetryTransport(DebuggingTransport(None, recorder, bodies=4096))
        with httpx.Client(transport=transport) as client:
            client.get(url)


# To copy (async)
async def fetch_async(url: str, path: Path) -> None:
    with HARRecorder(path) as recorder:
        transport = AsyncRetryTransport(AsyncDebuggingTransport(None, recorder, bodies=4096))
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get(url)


# To run
if __name__ == "__main__":
    url = "https://shop.example/orders?token=s3cret"
    with tempfile.TemporaryDirectory() as folder, internet(in_turn(503, 200)):
        fetch(url, Path(folder, "sync.har"))
        anyio.run(fetch_async, url, Path(folder, "async.har"))
        for name in "sync.har", "async.har":
            for entry in json.loads(Path(folder, name).read_text())["log"]["entries"]:
                print(name, entry["response"]["status"], entry["request"]["url"])

# It prints
#
#     sync.har 503 https://shop.example/orders?token=****
#     sync.har 200 https://shop.example/orders?token=****
#     async.har 503 https://shop.example/orders?token=****
#     async.har 200 https://shop.example/orders?token=****
