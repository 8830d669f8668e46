"""Choose for one request: a POST that may be repeated, a GET that may not, one with more patience.

With an `Idempotency-Key`, by which the server knows a repeat, a POST is tried again as a GET is.
"""

import anyio
import httpx
import tenacity

from transportkit import AsyncRetryTransport, RetryPolicy, RetryTransport

from local import in_turn, internet

# To copy (both)
KEY = {"Idempotency-Key": "order-1"}
ONCE = {"retry": None}
PATIENT = {"retry": RetryPolicy(stop=tenacity.stop_after_attempt(9))}


# To copy (sync)
def fetch(url: str) -> list[httpx.Response]:
    with httpx.Client(transport=RetryTransport()) as client:
        order = client.post(url, json={"item": 1}, headers=KEY)
        return [order, client.get(url, extensions=ONCE), client.get(url, extensions=PATIENT)]


# To copy (async)
async def fetch_async(url: str) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=AsyncRetryTransport()) as client:
        order = await client.post(url, json={"item": 1}, headers=KEY)
        once = await client.get(url, extensions=ONCE)
        return [order, once, await client.get(url, extensions=PATIENT)]


# To run
if __name__ == "__main__":
    url = "https://api.example.com/"
    with internet(in_turn(503, 200, 503, 503, 503, 503, 503, 503, 503, 200)):
        for response in [*fetch(url), *anyio.run(fetch_async, url)]:
            print(response, [attempt.outcome for attempt in response.extensions["attempts"]])

# It prints
#
#     <Response [200 OK]> [503, 200]
#     <Response [503 Service Unavailable]> [503]
#     <Response [200 OK]> [503, 503, 503, 503, 503, 503, 200]
#     <Response [200 OK]> [503, 200]
#     <Response [503 Service Unavailable]> [503]
#     <Response [200 OK]> [503, 503, 503, 503, 503, 503, 200]
