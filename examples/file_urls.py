"""Read file:// URLs beneath one folder, through the client that reads the web.

`base_url` lets the client take URLs without a host, which httpx otherwise takes for relative ones. No
redirect from a server leads to a file, and nothing leads out of the folder.
"""

import tempfile
from pathlib import Path

import anyio
import httpx

from transportkit import (
    AsyncFileSystemTransport,
    AsyncMounts,
    FileSystemTransport,
    Mounts,
    file_url,
)

from local import internet


# To copy (sync)
def fetch(folder: Path, urls: list[str]) -> list[str]:
    mounts = Mounts({"file://": FileSystemTransport(folder)})
    with httpx.Client(transport=mounts, base_url="file:///") as client:
        return [f"{got.status_code}: {got.text or '-'}" for got in map(client.get, urls)]


# To copy (async)
async def fetch_async(folder: Path, urls: list[str]) -> list[str]:
    mounts = AsyncMounts({"file://": AsyncFileSystemTransport(folder)})
    async with httpx.AsyncClient(transport=mounts, base_url="file:///") as client:
        responses = [await client.get(url) for url in urls]
        return [f"{got.status_code}: {got.text or '-'}" for got in responses]


# To run
if __name__ == "__main__":
    with internet(), tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "100% done.txt")
        page.write_text("done")
        urls = [file_url(page), "file:///etc/passwd", "https://example.com/"]
        print(*fetch(Path(folder), urls), sep="\n")
        print(*anyio.run(fetch_async, Path(folder), urls), sep="\n")

# It prints
#
#     200: done
#     404: -
#     200: https://example.com/
#     200: done
#     404: -
#     200: https://example.com/
