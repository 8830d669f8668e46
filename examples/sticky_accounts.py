"""One account, one proxy, from a file that is read again while requests run.

`replace` takes the whole list: what stays keeps its accounts, its connections and its history, what
is new takes a share, and what is gone gets no more requests.
"""

from pathlib import Path
from threading import Event, Thread

import anyio
import httpx

from transportkit import AsyncProxyRoundRobin, ProxyRoundRobin, sticky_by_header

from local import proxies


# To copy (sync)
def refresh(rotation: ProxyRoundRobin, file: Path, seconds: float, end: Event) -> None:
    while not end.wait(seconds):
        rotation.replace(file.read_text("utf-8").split())


def rotate(file: Path) -> ProxyRoundRobin:
    return ProxyRoundRobin(file.read_text("utf-8").split(), sticky=sticky_by_header("X-Account"))


# To copy (async)
async def refresh_async(rotation: AsyncProxyRoundRobin, file: Path, seconds: float) -> None:
    while True:
        await anyio.sleep(seconds)
        await rotation.replace((await anyio.Path(file).read_text("utf-8")).split())


def rotate_async(file: Path) -> AsyncProxyRoundRobin:
    proxies = file.read_text("utf-8").split()
    return AsyncProxyRoundRobin(proxies, sticky=sticky_by_header("X-Account"))


# To run
if __name__ == "__main__":
    file, end = Path("proxies.txt"), Event()
    with proxies(2) as [first, second]:
        file.write_text(first)
        rotation = rotate(file)
        refreshing = Thread(target=refresh, args=(rotation, file, 0.01, end))
        refreshing.start()
        with httpx.Client(transport=rotation, headers={"X-Account": "Ada"}) as client:
            print(client.get("http://example.com/").text)
            file.write_text(second)
            while rotation.status()[0].proxy == first:
                end.wait(0.01)
            print(client.get("http://example.com/").text)
            end.set()
            refreshing.join()

# It prints
#
#     http://example.com/ through proxy 1
#     http://example.com/ through proxy 2
