"""A transport of one's own around another: so many requests a second, and no more."""

import threading
import time

import anyio
import httpx

from transportkit import AsyncWrapper, Wrapper


class Pace:
    """Gives each request its turn; it decides and does not wait, so it serves both transports."""

    def __init__(self, per_second: float) -> None:
        self._distance = 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def seconds_to_wait(self) -> float:
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._distance
        return turn - now


class RateLimit(Wrapper):
    def __init__(self, transport: httpx.BaseTransport | None = None, *, pace: Pace) -> None:
        super().__init__(transport)
        self._pace = pace

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self._pace.seconds_to_wait())
        return super().handle_request(request)


class AsyncRateLimit(AsyncWrapper):
    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, *, pace: Pace) -> None:
        super().__init__(transport)
        self._pace = pace

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(self._pace.seconds_to_wait())
        return await super().handle_async_request(request)


async def main(server: httpx.MockTransport, pace: Pace) -> None:
    async with httpx.AsyncClient(transport=AsyncRateLimit(server, pace=pace)) as client:
        await client.get("https://api.example.com/")


if __name__ == "__main__":
    server = httpx.MockTransport(lambda _: httpx.Response(200))
    pace = Pace(per_second=20)
    started = time.monotonic()
    with httpx.Client(transport=RateLimit(server, pace=pace)) as client:
        client.get("https://api.example.com/")
    anyio.run(main, server, pace)
    print(f"two requests, {time.monotonic() - started:.2f} s")
