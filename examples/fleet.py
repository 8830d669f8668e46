"""Crawl with a fleet of processes, or of machines, through proxies in turn: with Dask.

Connections do not travel, so each worker makes its client from the same routing dict. What travels
are routing dicts, policies and other values, and an `HSTSStore` as the path of its file. Each task is
a batch of URLs, in which the client keeps its connections and knows which proxies are dead.
"""

import httpx
from distributed import Client, Future, LocalCluster, as_completed
from tqdm import tqdm

from transportkit import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport

from local import NOBODY, proxies


# To copy (both)
def collect(batches: list[Future[list[str]]], total: int) -> list[str]:
    done = as_completed(batches, with_results=True)
    pages = (page for _, batch in done for page in batch)
    return list(tqdm(pages, total=total))


# To copy (sync)
def crawl(urls: list[str], routes: dict[str, list[str]]) -> list[str]:
    with httpx.Client(transport=RetryTransport(Mounts(routes))) as client:
        return [client.get(url).text for url in urls]


# To copy (async)
async def crawl_async(urls: list[str], routes: dict[str, list[str]]) -> list[str]:
    async with httpx.AsyncClient(transport=AsyncRetryTransport(AsyncMounts(routes))) as client:
        return [(await client.get(url)).text for url in urls]


# To run
def main() -> None:
    urls = [f"http://example.com/{number}" for number in range(40)]
    batches = [urls[start : start + 8] for start in range(0, len(urls), 8)]
    with proxies(2) as [first, second], LocalCluster(2, dashboard_address=None) as cluster:
        routes = {"all://": [first, NOBODY, second]}
        with Client(cluster) as dask:
            for task in crawl, crawl_async:
                pages = collect(dask.map(task, batches, routes=routes), len(urls))
                print(len(pages), "pages", sorted({page.partition(" ")[2] for page in pages}))


if __name__ == "__main__":
    main()

# It prints
#
#     40 pages ['through proxy 1', 'through proxy 2']
#     40 pages ['through proxy 1', 'through proxy 2']
