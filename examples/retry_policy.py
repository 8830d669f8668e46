"""Say yourself what is tried again, how often and after how long, with tenacity's strategies.

`deadline` bounds the call up to its response, in seconds. Without `wait=` it waits as long as the
server's `Retry-After` asks for, or else exponentially longer with jitter.
"""

import anyio
import httpx
import tenacity

from transportkit import (
    AsyncRetryTransport,
    RetryPolicy,
    RetryTransport,
    retry_if_status,
    retry_if_transport_error,
)

from local import in_turn, internet

# To copy (both)
POLICY = RetryPolicy(
    retry=retry_if_status(500, 503) | retry_if_transport_error(),
    stop=tenacity.stop_after_attempt(5) | tenacity.stop_after_delay(20),
    wait=tenacity.wait_fixed(0.01) + tenacity.wait_random(0, 0.01),
    deadline=30,
)


# To copy (sync)
def fetch(url: str) -> httpx.Response:
    with httpx.Client(transport=RetryTransport(policy=POLICY)) as client:
        return client.get(url)


# To copy (async)
async def fetch_async(url: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=AsyncRetryTransport(policy=POLICY)) as client:
        return await client.get(url)


# To run
if __name__ == "__main__":
    url = "https://api.example.com/"
    with internet(in_turn(500, None, 200)):
        for response in fetch(url), anyio.run(fetch_async, url):
            for attempt in response.extensions["attempts"]:
                print(repr(attempt.outcome))

# It prints
#
#     500
#     RemoteProtocolError('Server disconnected without sending a response.')
#     200
#     500
#     RemoteProtocolError('Server disconnected without sending a response.')
#     200
