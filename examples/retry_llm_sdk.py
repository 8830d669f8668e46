"""An LLM's SDK with its own retries off, and a `RetryTransport` beneath in their place.

It waits as `retry-after-ms` or `Retry-After` says, does what `x-should-retry` says, and repeats POSTs,
which a policy has to be told. openai is on httpx2; for an SDK on httpx, import from `transportkit` alone.
"""

import anyio
import httpx
import httpx2
import tenacity
from openai import AsyncOpenAI, OpenAI

from transportkit import RetryPolicy, retry_if_transport_error
from transportkit.httpx2 import AsyncRetryTransport, RetryTransport

from local import in_turn, server


# To copy (both)
def is_busy(state: tenacity.RetryCallState) -> bool:
    if state.outcome is None or state.outcome.failed:
        return False
    response: httpx2.Response = state.outcome.result()
    advice = response.headers.get("x-should-retry")
    return advice == "true" if advice else response.status_code in {408, 409, 429, 500, 503, 529}


POLICY = RetryPolicy(is_busy | retry_if_transport_error(), methods={"GET", "POST"})


# To copy (sync)
def embed(url: str, text: str) -> list[float]:
    client = httpx2.Client(transport=RetryTransport(policy=POLICY), timeout=600)
    with OpenAI(api_key="key", base_url=url, max_retries=0, http_client=client) as sdk:
        return sdk.embeddings.create(model="m", input=text).data[0].embedding


# To copy (async)
async def embed_async(url: str, text: str) -> list[float]:
    client = httpx2.AsyncClient(transport=AsyncRetryTransport(policy=POLICY), timeout=600)
    async with AsyncOpenAI(api_key="key", base_url=url, max_retries=0, http_client=client) as sdk:
        return (await sdk.embeddings.create(model="m", input=text)).data[0].embedding


# To run
if __name__ == "__main__":
    soon = {"retry-after-ms": "5"}
    again = httpx.Response(400, headers={"x-should-retry": "true", **soon})
    answer = httpx.Response(200, json={"data": [{"embedding": [0.25]}]})
    with server(in_turn(httpx.Response(529, headers=soon), again, answer)) as url:
        print(embed(url, "Ada"), anyio.run(embed_async, url, "Ada"))

# It prints
#
#     [0.25] [0.25]
