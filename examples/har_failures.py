"""A HAR of failures only, for the network panel of a browser: what went wrong, and nothing else.

An observer may pass on to a `HARRecorder` what it likes. Secrets are masked.
"""

import json
import tempfile
from pathlib import Path

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, DebuggingTransport, Exchange, HARRecorder

from local import in_turn, internet


# To copy (both)
class Failures(HARRecorder):
    def __call__(self, exchange: Exchange) -> None:
        if exchange.error or (exchange.status or 0) >= 400:
            super().__call__(exchange)


# To copy (sync)
def fetch(urls: list[str], failures: Failures) -> None:
    with httpx.Client(transport=DebuggingTransport(None, failures, bodies=10_000)) as client:
        for url in urls:
            client.get(url)


# To copy (async)
async def fetch_async(urls: list[str], failures: Failures) -> None:
    transport = AsyncDebuggingTransport(None, failures, bodies=10_000)
    async with httpx.AsyncClient(transport=transport) as client:
        for url in urls:
            await client.get(url)


# To run
if __name__ == "__main__":
    urls = [f"http://example.com/{number}?token=s3cret" for number in range(4)]
    with internet(in_turn(200, 404, 200, 500)), tempfile.TemporaryDirectory() as folder:
        with Failures(Path(folder, "failures.har")) as failures:
            fetch(urls, failures)
            anyio.run(fetch_async, urls, failures)
        for entry in json.loads(Path(folder, "failures.har").read_text())["log"]["entries"]:
            print(entry["response"]["status"], entry["request"]["url"])

# It prints
#
#     404 http://example.com/1?token=****
#     500 http://example.com/3?token=****
#     404 http://example.com/1?token=****
#     500 http://example.com/3?token=****
