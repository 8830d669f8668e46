"""Ask the hosts on a list, and refuse all others."""

import anyio
import httpx

from transportkit import (
    AsyncMounts,
    Mounts,
    RefusingTransport,
    async_default_transport,
    default_transport,
)

from local import internet

# To copy (both)
REFUSING = RefusingTransport("not on the list")


# To copy (sync)
def fetch(url: str) -> str:
    network = default_transport()
    mounts = Mounts({"all://": REFUSING, "https://api.example.com": network})
    with httpx.Client(transport=mounts) as client:
        return client.get(url).text


# To copy (async)
async def fetch_async(url: str) -> str:
    network = async_default_transport()
    mounts = AsyncMounts({"all://": REFUSING, "https://api.example.com": network})
    async with httpx.AsyncClient(transport=mounts) as client:
        return (await client.get(url)).text


# To run
if __name__ == "__main__":
    with internet():
        url = "https://api.example.com/"
        print(fetch(url), anyio.run(fetch_async, url))
        try:
            fetch("https://example.com/")
        except httpx.UnsupportedProtocol as error:
            print(f"{type(error).__name__}: {error}")

# It prints
#
#     https://api.example.com/ https://api.example.com/
#     UnsupportedProtocol: not on the list
