"""One retry policy for each host: a route says how patient to be.

A single request may bring its own: `client.get(url, extensions={"retry": policy})`, or None there for
one attempt.
"""

import httpx
import tenacity

from transportkit import (
    AsyncMounts,
    AsyncRetryTransport,
    Mounts,
    RetryPolicy,
    RetryTransport,
    retry_if_status,
)

from local import get, get_async, in_turn, internet

# To copy (both)
POLICIES = {
    "all://reports.example.com": RetryPolicy(retry_if_status(202), deadline=600),
    "all://search.example.com": RetryPolicy(stop=tenacity.stop_after_attempt(2)),
}


# To copy (sync)
def client() -> httpx.Client:
    routes = {pattern: RetryTransport(policy=policy) for pattern, policy in POLICIES.items()}
    return httpx.Client(transport=Mounts(routes, default=RetryTransport()))


# To copy (async)
def async_client() -> httpx.AsyncClient:
    routes = {pattern: AsyncRetryTransport(policy=policy) for pattern, policy in POLICIES.items()}
    return httpx.AsyncClient(transport=AsyncMounts(routes, default=AsyncRetryTransport()))


# To run
if __name__ == "__main__":
    urls = "http://search.example.com/", "http://other.example.com/"
    with internet(in_turn(503)):
        responses = [*get(client(), *urls), *get_async(async_client(), *urls)]
    with internet(in_turn(202, 202, 200)):
        responses += get(client(), "http://reports.example.com/")
    for response in responses:
        print(response.url, [attempt.outcome for attempt in response.extensions["attempts"]])

# It prints
#
#     http://search.example.com/ [503, 503]
#     http://other.example.com/ [503, 503, 503, 503]
#     http://search.example.com/ [503, 503]
#     http://other.example.com/ [503, 503, 503, 503]
#     http://reports.example.com/ [202, 202, 200]
