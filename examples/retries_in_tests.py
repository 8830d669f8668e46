"""Tests of code that retries, which do not sleep: `set_retries("immediate")` leaves out the waits.

`"off"` leaves out the retries. Here for every test, and respx answers in place of the network;
pytest-httpx's `httpx_mock` does the same. `python -m pytest retries_in_tests.py` runs them too.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
import respx

from transportkit import AsyncRetryTransport, RetryTransport, set_retries

URL = "https://api.example.com/"


# To copy (both)
@pytest.fixture(autouse=True)
def immediate() -> Iterator[None]:
    with set_retries("immediate"):
        yield


# To copy (sync)
@respx.mock
def test_asks_again() -> None:
    respx.get(URL).mock(side_effect=[httpx.Response(503), httpx.Response(200, text="fine")])
    with httpx.Client(transport=RetryTransport()) as client:
        assert client.get(URL).text == "fine"


# To copy (async)
@pytest.mark.anyio
@respx.mock
async def test_asks_again_async() -> None:
    respx.get(URL).mock(side_effect=[httpx.ConnectError("no"), httpx.Response(200, text="fine")])
    async with httpx.AsyncClient(transport=AsyncRetryTransport()) as client:
        assert (await client.get(URL)).text == "fine"


# To run
if __name__ == "__main__":
    options = ["-q", "-c", os.devnull, "-p", "no:cacheprovider"]
    subprocess.run([sys.executable, "-m", "pytest", *options, __file__], check=True)

# It prints
#
#     ... [100%]
#     3 passed in ...s
