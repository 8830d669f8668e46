"""One JSON line for each request, through the standard logging.

A transport reports to any function of an `Exchange`, whose secrets are masked. Around a
`RetryTransport` it sees a call once, with its attempts; inside, each attempt.
"""

import json
import logging
import sys

import httpx

from transportkit import (
    AsyncDebuggingTransport,
    AsyncRetryTransport,
    DebuggingTransport,
    Exchange,
    RetryTransport,
)

from local import get, get_async, in_turn, internet


# To copy (both)
def log(exchange: Exchange) -> None:
    fields = {
        "method": exchange.method,
        "url": exchange.url,
        "status": exchange.status,
        "error": exchange.error,
        "seconds": exchange.timings.total,
        "attempts": len(exchange.attempts),
    }
    logging.getLogger("http").info(json.dumps(fields))


# To copy (sync)
def client() -> httpx.Client:
    return httpx.Client(transport=DebuggingTransport(RetryTransport(), log))


# To copy (async)
def async_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=AsyncDebuggingTransport(AsyncRetryTransport(), log))


# To run
if __name__ == "__main__":
    logging.getLogger("http").setLevel(logging.INFO)
    logging.getLogger("http").addHandler(logging.StreamHandler(sys.stdout))
    url = "http://example.com/?token=s3cret"
    with internet(in_turn(503, 200)):
        get(client(), url)
        get_async(async_client(), url)

# It prints
#
#     {"method": "GET", "url": "http://example.com/?token=****", "status": 200, ..., "attempts": 2}
#     {"method": "GET", "url": "http://example.com/?token=****", "status": 200, ..., "attempts": 2}
