"""One account, one proxy, from a file that is read again while requests run.

`replace` takes the whole list: what stays keeps its accounts and connections, what is new takes its
share, and what is gone gets no more requests. A list that cannot be is an error, and the old one stays.
"""

import logging
import tempfile
from pathlib import Path
from threading import Event, Thread

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, ProxyRoundRobin, sticky_by_header

from local import proxies

# To copy (both)
STICKY = sticky_by_header("X-Account")
logger = logging.getLogger("proxies")


# To copy (sync)
def refresh(rotation: ProxyRoundRobin, file: Path, seconds: float, end: Event) -> None:
    while not end.wait(seconds):
        try:
            rotation.replace(file.read_text("utf-8").split())
        except (OSError, ValueError):
            logger.exception("the list stays as it was")


# To copy (async)
async def refresh_async(rotation: AsyncProxyRoundRobin, file: anyio.Path, seconds: float) -> None:
    while True:
        await anyio.sleep(seconds)
        try:
            await rotation.replace((await file.read_text("utf-8")).split())
        except (OSError, ValueError):
            logger.exception("the list stays as it was")


# To run
if __name__ == "__main__":
    with proxies(2) as [first, second], tempfile.TemporaryDirectory() as folder:
        file, end = Path(folder, "proxies.txt"), Event()
        rotation = ProxyRoundRobin([first], sticky=STICKY)
        with httpx.Client(transport=rotation, headers={"X-Account": "Ada"}) as client:
            print(client.get("http://example.com/").text)
            file.write_text(second)
            Thread(target=refresh, args=(rotation, file, 0.01, end), daemon=True).start()
            while rotation.status()[0].proxy == first:
                end.wait(0.01)
            print(client.get("http://example.com/").text)
            end.set()

# It prints
#
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
