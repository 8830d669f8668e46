"""A large download to a file with a progress bar, which goes on where its connection breaks.

The rest is asked for by a range request, with the ETag of the first answer, and is never another
file's. `RetryTransport` goes inside: it repeats what is busy or cannot be reached.
"""

import tempfile
from pathlib import Path

import anyio
import httpx
from tqdm import tqdm

from transportkit import AsyncResumeTransport, AsyncRetryTransport, ResumeTransport, RetryTransport

from local import breaking, server


# To copy (sync)
def download(url: str, path: Path) -> None:
    transport = ResumeTransport(RetryTransport(), max_resumes=20)
    with httpx.Client(transport=transport) as client, client.stream("GET", url) as response:
        size = int(response.raise_for_status().headers["Content-Length"])
        with path.open("wb") as file, tqdm(total=size, unit="B", unit_scale=True) as bar:
            for data in response.iter_bytes():
                bar.update(file.write(data))


# To copy (async)
async def download_async(url: str, path: Path) -> None:
    transport = AsyncResumeTransport(AsyncRetryTransport(), max_resumes=20)
    client = httpx.AsyncClient(transport=transport)
    async with client, client.stream("GET", url) as response:
        size = int(response.raise_for_status().headers["Content-Length"])
        with tqdm(total=size, unit="B", unit_scale=True) as bar:
            async with await anyio.open_file(path, "wb") as file:
                async for data in response.aiter_bytes():
                    bar.update(await file.write(data))


# To run
if __name__ == "__main__":
    content = bytes(range(256)) * 4096
    with server(breaking(content)) as url, tempfile.TemporaryDirectory() as folder:
        download(url, Path(folder, "sync.bin"))
        anyio.run(download_async, url, Path(folder, "async.bin"))
        for name in "sync.bin", "async.bin":
            print(name, Path(folder, name).read_bytes() == content)

# It prints
#
#     sync.bin True
#     async.bin True
