"""Talk to a Unix socket, such as Docker's, under a host name of your own; all other hosts are as ever."""

import anyio
import httpx

from transportkit import AsyncMounts, Mounts

from local import unix_server


# To copy (sync)
def fetch(url: str, socket: str = "/var/run/docker.sock") -> str:
    with httpx.Client(transport=Mounts({"http://docker": {"uds": socket}})) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str, socket: str = "/var/run/docker.sock") -> str:
    mounts = AsyncMounts({"http://docker": {"uds": socket}})
    async with httpx.AsyncClient(transport=mounts) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with unix_server(lambda _: httpx.Response(200, json={"Containers": 4})) as path:
        print(fetch("http://docker/info", path))
        print(anyio.run(fetch_async, "http://docker/info", path))

# It prints
#
#     {"Containers":4}
#     {"Containers":4}
