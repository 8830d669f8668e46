"""Open, re-open and close inner transports, each exactly once.

A client enters a transport once for every key it is mounted on, may close it twice,
or may never enter it at all; a transport that holds others has to make of that
exactly one opening and one closing of each. What is to be done is decided by
`Openings`, under a lock and without I/O; the two shells below it then do it.

An inner transport that was entered is left by its `__exit__`; one that was never
entered is closed by its `close`, as a stock client does.
"""

import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx

from ._io import async_shield, shield

T = TypeVar("T")


class Openings:
    """Whether inner transports are to be entered or closed now."""

    def __init__(self) -> None:
        self.is_open: bool = True
        self._is_entered = False
        self._lock = threading.Lock()

    def enter(self) -> bool:
        """True when the inner transports have to be entered by this caller."""
        with self._lock:
            first = not self._is_entered
            self.is_open = self._is_entered = True
            return first

    def enter_failed(self) -> None:
        """What was entered has been left again; what was not can still be closed."""
        with self._lock:
            self._is_entered = False

    def reopen(self) -> None:
        """A request came after a close: there will be something to close again."""
        with self._lock:
            self.is_open = True

    def close(self) -> tuple[bool, bool]:
        """Whether the inner transports have to be closed by this caller, and were entered."""
        with self._lock:
            closing = (self.is_open, self._is_entered)
            self.is_open = self._is_entered = False
            return closing


def distinct(transports: Iterable[T]) -> tuple[T, ...]:
    """The transports, each once, in the order of their first appearance."""
    return tuple({id(transport): transport for transport in transports}.values())


def exc_info(
    error: BaseException | None,
) -> tuple[type[BaseException] | None, BaseException | None, TracebackType | None]:
    """What `__exit__` is told about an error."""
    if error is None:
        return (None, None, None)
    return (type(error), error, error.__traceback__)


def raise_close_errors(errors: Sequence[BaseException], cause: BaseException | None) -> None:
    """Raise what went wrong while closing, but never in place of what went wrong before.

    Arguments:
        errors: what the inner transports raised, in order.
        cause: the error on whose account they were closed; it keeps the floor.

    Raises:
        BaseException: an interrupt or a cancellation among the errors, else the only error.
        ExceptionGroup: all of them, when there are several.
    """
    errors = [error for error in errors if error is not cause]
    interrupt = next((error for error in errors if not isinstance(error, Exception)), None)
    first = interrupt or cause
    if first is not None:
        for error in errors:
            if error is not first:
                first.add_note(f"Closing a transport failed as well: {error!r}")
        if interrupt is not None:
            raise interrupt
    elif len(errors) == 1:
        raise errors[0]
    elif errors:
        raise BaseExceptionGroup("closing several transports failed", errors)


class TransportOwner(httpx.BaseTransport):
    """A transport that opens and closes the transports it holds."""

    def __init__(self, owned: Iterable[httpx.BaseTransport]) -> None:
        self._owned = distinct(owned)
        self._openings = Openings()

    def __enter__(self) -> Self:
        if self._openings.enter():
            entered: list[httpx.BaseTransport] = []
            try:
                for transport in self._owned:
                    transport.__enter__()
                    entered.append(transport)
            except BaseException as error:
                self._openings.enter_failed()
                self._close_each(entered[::-1], True, error)
                raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        is_open, is_entered = self._openings.close()
        if is_open:
            self._close_each(self._owned, is_entered, exc_value)

    def close(self) -> None:
        self.__exit__()

    def _send(self, transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
        if not self._openings.is_open:
            self._openings.reopen()
        return transport.handle_request(request)

    def _close_each(
        self,
        transports: Iterable[httpx.BaseTransport],
        entered: bool,
        cause: BaseException | None,
    ) -> None:
        errors: list[BaseException] = []
        with shield():
            for transport in transports:
                try:
                    if entered:
                        transport.__exit__(*exc_info(cause))
                    else:
                        transport.close()
                except BaseException as error:  # noqa: BLE001 - the others hold connections too
                    errors.append(error)
        raise_close_errors(errors, cause)


class AsyncTransportOwner(httpx.AsyncBaseTransport):
    """A transport that opens and closes the transports it holds."""

    def __init__(self, owned: Iterable[httpx.AsyncBaseTransport]) -> None:
        self._owned = distinct(owned)
        self._openings = Openings()

    async def __aenter__(self) -> Self:
        if self._openings.enter():
            entered: list[httpx.AsyncBaseTransport] = []
            try:
                for transport in self._owned:
                    await transport.__aenter__()
                    entered.append(transport)
            except BaseException as error:
                self._openings.enter_failed()
                await self._close_each(entered[::-1], True, error)
                raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        is_open, is_entered = self._openings.close()
        if is_open:
            await self._close_each(self._owned, is_entered, exc_value)

    async def aclose(self) -> None:
        await self.__aexit__()

    async def _send(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request
    ) -> httpx.Response:
        if not self._openings.is_open:
            self._openings.reopen()
        return await transport.handle_async_request(request)

    async def _close_each(
        self,
        transports: Iterable[httpx.AsyncBaseTransport],
        entered: bool,
        cause: BaseException | None,
    ) -> None:
        errors: list[BaseException] = []
        with async_shield():
            for transport in transports:
                try:
                    if entered:
                        await transport.__aexit__(*exc_info(cause))
                    else:
                        await transport.aclose()
                except BaseException as error:  # noqa: BLE001 - the others hold connections too
                    errors.append(error)
        raise_close_errors(errors, cause)
