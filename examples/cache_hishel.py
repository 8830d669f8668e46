"""hishel's cache around these transports, or beneath them: what is fresh is not asked for again.

It takes any transport, and is one. Around retries it stores what they came to; beneath `Mounts` it is
for one host.
"""

import tempfile
from pathlib import Path

import httpx
from hishel import AsyncSqliteStorage, SqliteStorage
from hishel.httpx import AsyncCacheTransport, CacheTransport

from transportkit import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport

from local import get, get_async, in_turn, internet


# To copy (sync)
def around(path: Path) -> httpx.BaseTransport:
    return CacheTransport(RetryTransport(), SqliteStorage(database_path=path), rfc=True)


def beneath(path: Path) -> httpx.BaseTransport:
    return Mounts({"all://api.example.com": around(path)}, default=RetryTransport())


# To copy (async)
def around_async(path: Path) -> httpx.AsyncBaseTransport:
    storage = AsyncSqliteStorage(database_path=path)
    return AsyncCacheTransport(AsyncRetryTransport(), storage, rfc=True)


def beneath_async(path: Path) -> httpx.AsyncBaseTransport:
    routes = {"all://api.example.com": around_async(path)}
    return AsyncMounts(routes, default=AsyncRetryTransport())


# To run
if __name__ == "__main__":
    fresh = [httpx.Response(200, headers={"Cache-Control": "max-age=60"}, text=n) for n in "123"]
    urls = [f"http://{host}.example.com/" for host in ("api", "api", "www", "www")]
    with internet(in_turn(*fresh)), tempfile.TemporaryDirectory() as folder:
        client = httpx.Client(transport=around(Path(folder, "sync.db")))
        print([response.text for response in get(client, *urls)])
        async_client = httpx.AsyncClient(transport=beneath_async(Path(folder, "async.db")))
        print([response.text for response in get_async(async_client, *urls)])

# It prints
#
#     ['1', '1', '2', '2']
#     ['3', '3', '1', '2']
