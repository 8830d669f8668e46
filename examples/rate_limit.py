"""A transport of one's own around another: so many requests a second, and no more.

Like those made here, it takes the arguments of the inner one in its place: `RateLimit(pace)`.
"""

import time
from threading import Lock

import anyio
import httpx

from transportkit import AsyncWrapper, Wrapper

from local import get, get_async, server


# To copy (both)
class Pace:
    def __init__(self, per_second: float) -> None:
        self.distance, self.last, self.lock = 1 / per_second, 0.0, Lock()

    def next_turn(self) -> float:
        with self.lock:
            self.last = max(self.last + self.distance, now := time.monotonic())
            return self.last - now


# To copy (sync)
class RateLimit(Wrapper):
    def __init__(self, pace: Pace, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(transport)
        self.pace = pace

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.pace.next_turn())
        return super().handle_request(request)


# To copy (async)
class AsyncRateLimit(AsyncWrapper):
    def __init__(self, pace: Pace, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__(transport)
        self.pace = pace

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(self.pace.next_turn())
        return await super().handle_async_request(request)


# To run
if __name__ == "__main__":
    pace, started = Pace(per_second=50), time.monotonic()
    with server() as url:
        get(httpx.Client(transport=RateLimit(pace)), url, url)
        get_async(httpx.AsyncClient(transport=AsyncRateLimit(pace)), url, url)
    print("4 requests, one every 20 ms:", time.monotonic() - started > 3 * 0.02)

# It prints
#
#     4 requests, one every 20 ms: True
