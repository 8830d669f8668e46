"""A stall that ends soon, and nothing else that is hurried."""

import itertools
from collections.abc import Collection
from typing import Any

from support.library import httpx

_A_MOMENT = 0.05


class Impatient(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Waits a moment for what never comes, and as long as the client says for all else.

    A timeout of the client's would hold for every read of every request, those included that
    are to succeed.

    Arguments:
        inner: an HTTP transport of httpx or of ours.
        heads: the numbers of the requests, from 0, that nobody answers.
        bodies: the numbers of those whose answers stop in the body.
    """

    def __init__(
        self, inner: Any, *, heads: Collection[int] = (), bodies: Collection[int] = ()
    ) -> None:
        self.inner = inner
        self._heads = heads
        self._bodies = bodies
        self._numbers = itertools.count()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        number = next(self._numbers)
        own, timeouts = self._of_its_own(request, number)
        response: httpx.Response = self.inner.handle_request(own)
        self._hurry(number in self._bodies, timeouts)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        number = next(self._numbers)
        own, timeouts = self._of_its_own(request, number)
        response: httpx.Response = await self.inner.handle_async_request(own)
        self._hurry(number in self._bodies, timeouts)
        return response

    def _of_its_own(
        self, request: httpx.Request, number: int
    ) -> tuple[httpx.Request, dict[str, float | None]]:
        timeouts = dict(request.extensions["timeout"])
        self._hurry(number in self._heads, timeouts)
        extensions = {**request.extensions, "timeout": timeouts}
        own = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        return own, timeouts

    @staticmethod
    def _hurry(is_stalled: bool, timeouts: dict[str, float | None]) -> None:
        # httpcore looks at its timeouts anew before the head and before the body.
        if is_stalled:
            timeouts["read"] = _A_MOMENT

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.inner.aclose()
