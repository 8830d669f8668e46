"""Try again when a server is busy or a connection breaks: safely, and up to four times in all.

It repeats 429, 502, 503, 504 and errors of the network, where that is safe: a POST without an
`Idempotency-Key` arrives at most once. It waits as long as `Retry-After` says, or else exponentially longer.
"""

import anyio
import httpx

from transportkit import AsyncRetryTransport, RetryTransport

from local import in_turn, internet


# To copy (sync)
def fetch(url: str) -> httpx.Response:
    with httpx.Client(transport=RetryTransport()) as client:
        return client.get(url)


# To copy (async)
async def fetch_async(url: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=AsyncRetryTransport()) as client:
        return await client.get(url)


# To run
def main() -> None:
    url = "https://api.example.com/"
    with internet(in_turn(503, 429, 200)):
        for response in fetch(url), anyio.run(fetch_async, url):
            print(response, [attempt.outcome for attempt in response.extensions["attempts"]])


if __name__ == "__main__":
    main()

# It prints
#
#     <Response [200 OK]> [503, 429, 200]
#     <Response [200 OK]> [503, 429, 200]
