"""The base of every transport that holds others: it opens and closes them, each exactly once."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import httpx

from ..wire.io import async_shield, shield
from ..wire.lifecycle import Lifecycle, exc_info, raise_close_errors
from ..wire.pickling import Unpicklable
from ..wire.stack import Stacked


class TransportOwner(Unpicklable, Stacked, httpx.BaseTransport):
    """A transport that opens and closes the transports it holds."""

    def __init__(self, owned: Iterable[httpx.BaseTransport]) -> None:
        self._lifecycle = Lifecycle(owned)

    def __enter__(self) -> Self:
        entered: list[tuple[httpx.BaseTransport, bool]] = []
        try:
            for transport in self._lifecycle.enter():
                transport.__enter__()
                entered.append((transport, True))
        except BaseException as error:
            self._lifecycle.enter_failed()
            self._close_each(entered[::-1], error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if closing := self._lifecycle.close():
            self._close_each(closing, exc_value)

    def close(self) -> None:
        self.__exit__()

    def _hold(self, transport: httpx.BaseTransport) -> None:
        if self._lifecycle.adopt(transport, to_enter=True):
            try:
                transport.__enter__()
            except BaseException:
                self._lifecycle.release([transport])
                raise

    def _let_go(
        self, transports: Iterable[httpx.BaseTransport], cause: BaseException | None = None
    ) -> None:
        self._close_each(self._lifecycle.release(transports), cause)

    def _send(self, transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        return transport.handle_request(request)

    def _close_each(
        self,
        transports: Iterable[tuple[httpx.BaseTransport, bool]],
        cause: BaseException | None,
    ) -> None:
        errors: list[BaseException] = []
        with shield():
            for transport, is_entered in transports:
                try:
                    if is_entered:
                        transport.__exit__(*exc_info(cause))
                    else:
                        transport.close()
                except BaseException as error:  # noqa: BLE001 - the others hold connections too
                    errors.append(error)
        raise_close_errors(errors, cause)


class AsyncTransportOwner(Unpicklable, Stacked, httpx.AsyncBaseTransport):
    """A transport that opens and closes the transports it holds."""

    def __init__(self, owned: Iterable[httpx.AsyncBaseTransport]) -> None:
        self._lifecycle = Lifecycle(owned)

    async def __aenter__(self) -> Self:
        entered: list[tuple[httpx.AsyncBaseTransport, bool]] = []
        try:
            for transport in self._lifecycle.enter():
                await transport.__aenter__()
                entered.append((transport, True))
        except BaseException as error:
            self._lifecycle.enter_failed()
            await self._close_each(entered[::-1], error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if closing := self._lifecycle.close():
            await self._close_each(closing, exc_value)

    async def aclose(self) -> None:
        await self.__aexit__()

    async def _hold(self, transport: httpx.AsyncBaseTransport) -> None:
        if self._lifecycle.adopt(transport, to_enter=True):
            try:
                await transport.__aenter__()
            except BaseException:
                self._lifecycle.release([transport])
                raise

    async def _let_go(
        self, transports: Iterable[httpx.AsyncBaseTransport], cause: BaseException | None = None
    ) -> None:
        await self._close_each(self._lifecycle.release(transports), cause)

    async def _send(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request
    ) -> httpx.Response:
        if not self._lifecycle.is_ready:
            self._lifecycle.make_ready(request, type(self))
        return await transport.handle_async_request(request)

    async def _close_each(
        self,
        transports: Iterable[tuple[httpx.AsyncBaseTransport, bool]],
        cause: BaseException | None,
    ) -> None:
        errors: list[BaseException] = []
        with async_shield():
            for transport, is_entered in transports:
                try:
                    if is_entered:
                        await transport.__aexit__(*exc_info(cause))
                    else:
                        await transport.aclose()
                except BaseException as error:  # noqa: BLE001 - the others hold connections too
                    errors.append(error)
        raise_close_errors(errors, cause)
