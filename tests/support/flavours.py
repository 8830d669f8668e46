"""One test body for sync, asyncio and trio.

A test that takes the fixture `flavour` is an `async def`. As `sync` its awaits never
suspend: the flavour's methods are coroutine functions around plain calls.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self

import trio

from . import transportkit
from .library import httpx, shell

NAMES = ("sync", "asyncio", "trio")


class _AwaitableClient:
    """A sync client that is called as if it were async."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return call if callable(method) else method

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        return self._client.build_request(*args, **kwargs)

    @asynccontextmanager
    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[httpx.Response]:
        with self._client.stream(*args, **kwargs) as response:
            yield response

    async def __aenter__(self) -> Self:
        self._client.__enter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        self._client.__exit__(*exc_info)


class Flavour:
    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name != "sync"

    def pick(self, name: str) -> Any:
        """`name`, `AsyncName` or `async_name` of httpx or transportkit."""
        modules = (transportkit, shell("network"), httpx)
        module = next(module for module in modules if hasattr(module, name))
        if self.is_async:
            name = f"Async{name}" if name[0].isupper() else f"async_{name}"
        return getattr(module, name)

    def __getattr__(self, name: str) -> Any:
        return self.pick(name)

    def client(self, **kwargs: Any) -> Any:
        if self.is_async:
            return httpx.AsyncClient(**kwargs)
        return _AwaitableClient(httpx.Client(**kwargs))

    async def send(self, transport: Any, request: httpx.Request) -> httpx.Response:
        if self.is_async:
            return await transport.handle_async_request(request)  # type: ignore[no-any-return]
        return transport.handle_request(request)  # type: ignore[no-any-return]

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call what is a coroutine function for async clients only."""
        result = function(*args)
        return await result if self.is_async else result

    async def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body of a response, as it comes."""
        if self.is_async:
            async for chunk in response.aiter_raw():
                yield chunk
        else:
            for chunk in response.iter_raw():
                yield chunk

    async def read(self, response: httpx.Response) -> bytes:
        return await response.aread() if self.is_async else response.read()

    async def close(self, transport: Any) -> None:
        if self.is_async:
            await transport.aclose()
        else:
            transport.close()

    @asynccontextmanager
    async def _entered(self, transport: Any) -> Any:
        with transport:
            yield transport

    def entered(self, transport: Any) -> AbstractAsyncContextManager[Any]:
        return transport if self.is_async else self._entered(transport)

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test body; nothing it started may be left."""
        if self.name == "trio":
            trio.run(self._in_trio, test)
        elif self.name == "asyncio":
            asyncio.run(self._in_asyncio(test))
        else:
            coroutine = test()
            try:
                coroutine.send(None)
            except StopIteration:
                return
            coroutine.close()
            raise AssertionError("a sync test body awaited something that suspends")

    async def _in_asyncio(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await test()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left: {left}"

    async def _in_trio(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        await test()
        left = trio.lowlevel.current_statistics().tasks_living - before
        assert not left, f"{left} tasks left"


class SpyTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with its name, and keeps what was called, in order.

    Arguments:
        name: what it is called in `calls` and in its answers.
        calls: a list to share with other spies.
        failing: an error for each call that is to fail, by its name.
    """

    def __init__(
        self,
        name: str = "spy",
        calls: list[str] | None = None,
        failing: dict[str, BaseException] | None = None,
    ) -> None:
        self.name = name
        self.calls: list[str] = [] if calls is None else calls
        self.failing = failing or {}
        self.left_with: BaseException | None = None

    def _called(self, what: str) -> None:
        self.calls.append(f"{self.name} {what}")
        if what in self.failing:
            raise self.failing[what]

    def __enter__(self) -> Self:
        self._called("enter")
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.left_with = exc_info[1]
        self._called("exit")

    def close(self) -> None:
        self._called("close")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._called("request")
        return httpx.Response(200, text=self.name)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exc_info: Any) -> None:
        self.__exit__(*exc_info)

    async def aclose(self) -> None:
        self.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)
