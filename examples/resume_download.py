"""Go on with a download where its connection broke, and never with another version of the file.

It goes around the retries, so that the requests for the rest are tried again too.
"""

import hashlib

import anyio
import httpx

from transportkit import AsyncResumeTransport, AsyncRetryTransport, ResumeTransport, RetryTransport

from local import Breaking, internet


# To copy (sync)
def digest(url: str) -> str:
    received = hashlib.sha256()
    transport = ResumeTransport(RetryTransport(), max_resumes=10)
    with httpx.Client(transport=transport) as client, client.stream("GET", url) as response:
        for chunk in response.iter_bytes():
            received.update(chunk)
    return received.hexdigest()


# To copy (async)
async def digest_async(url: str) -> str:
    received = hashlib.sha256()
    transport = AsyncResumeTransport(AsyncRetryTransport(), max_resumes=10)
    async with (
        httpx.AsyncClient(transport=transport) as client,
        client.stream("GET", url) as response,
    ):
        async for chunk in response.aiter_bytes():
            received.update(chunk)
    return received.hexdigest()


# To run
if __name__ == "__main__":
    file = Breaking(b"0123456789abcdef" * 100_000, every=500_000)
    with internet(file):
        url = "https://mirror.example/big.bin"
        expected = hashlib.sha256(file.content).hexdigest()
        print(digest(url) == expected, anyio.run(digest_async, url) == expected)
        print(file.breaks, "broken connections")

# It prints
#
#     True True
#     6 broken connections
