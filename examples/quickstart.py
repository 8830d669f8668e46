"""One client, and every request takes its own way. Nothing but this machine is asked."""

import anyio
import httpx

from transportkit import AsyncMounts, AsyncRetryTransport, HTTPSRedirect, Mounts, RetryTransport

from local import in_turn, proxies, server


# To copy (both)
def routes(first: str, second: str) -> dict[str, str | HTTPSRedirect | httpx.MockTransport | None]:
    return {
        "all://": first,  # everything through this proxy,
        "all://*.partner.example": second,  # but these through that one,
        "all://127.0.0.1": None,  # and these straight
        "http://secure.example": HTTPSRedirect(),
        "https://mock.example": httpx.MockTransport(in_turn(503, 503, 200)),
    }


# To copy (sync)
def fetch(mounts: Mounts, urls: list[str]) -> list[httpx.Response]:
    with httpx.Client(transport=RetryTransport(mounts), follow_redirects=True) as client:
        return [client.get(url) for url in urls]


# To copy (async)
async def fetch_async(transport: AsyncRetryTransport, url: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
        return await client.get(url)


# To run
if __name__ == "__main__":
    with proxies(2) as [one, two], server() as url:
        print(mounts := Mounts(routes(one, two)))
        urls = [f"{url}/", "https://shop.example/", "http://secure.example/"]
        urls += ["http://eu.partner.example/", "https://mock.example/"]
        for response in fetch(mounts, urls):
            outcomes = [attempt.outcome for attempt in response.extensions["attempts"]]
            print(f"{outcomes!s:<16}{response.text}")
        retrying = AsyncRetryTransport(AsyncMounts(routes(one, two)))
        print(f"async:          {anyio.run(fetch_async, retrying, urls[1]).text}")

# It prints
#
#     http://secure.example    HTTPSRedirect
#     https://mock.example     MockTransport
#     all://127.0.0.1          direct
#     all://*.partner.example  proxy http://127.0.0.1:...
#     all://                   proxy http://127.0.0.1:...
#     (anything else)          direct (never reached)
#     [200]           http://127.0.0.1:.../
#     [200]           https://shop.example/ through proxy 1
#     [200]           https://secure.example/ through proxy 1
#     [200]           http://eu.partner.example/ through proxy 2
#     [503, 503, 200] OK
#     async:          https://shop.example/ through proxy 1
