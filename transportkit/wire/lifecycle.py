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
from typing import Generic, Self, TypeVar

import httpx

from .io import async_shield, shield

T = TypeVar("T")


class Openings(Generic[T]):
    """Which inner transports are to be entered or closed now.

    Arguments:
        owned: the transports; one that is given twice is held once.
    """

    def __init__(self, owned: Iterable[T] = ()) -> None:
        self.is_open: bool = True
        self._is_entered = False
        # By identity, as equality is for the transports to define.
        self._owned = {id(transport): transport for transport in owned}
        self._entered: set[int] = set()
        self._lock = threading.Lock()

    def enter(self) -> tuple[T, ...]:
        """The inner transports that have to be entered by this caller."""
        with self._lock:
            first = not self._is_entered
            self.is_open = self._is_entered = True
            if not first:
                return ()
            self._entered = set(self._owned)
            return tuple(self._owned.values())

    def enter_failed(self) -> None:
        """What was entered has been left again; what was not can still be closed."""
        with self._lock:
            self._is_entered = False
            self._entered.clear()

    def reopen(self) -> None:
        """A request came after a close: there will be something to close again."""
        with self._lock:
            self.is_open = True

    def close(self) -> list[tuple[T, bool]]:
        """The inner transports that have to be closed by this caller, and were they entered."""
        with self._lock:
            closing = [(one, key in self._entered) for key, one in self._owned.items()]
            was_open = self.is_open
            self.is_open = self._is_entered = False
            self._entered.clear()
            return closing if was_open else []

    def adopt(self, transport: T, *, to_enter: bool) -> bool:
        """Hold one more; True when it has to be entered by this caller.

        Like a request, it makes that there is something to close again after a close.

        Arguments:
            transport: the one.
            to_enter: False for one that needs no entering, and is then closed by its `close`.
        """
        with self._lock:
            self.is_open = True
            enters = to_enter and self._is_entered and id(transport) not in self._owned
            self._owned[id(transport)] = transport
            if enters:
                self._entered.add(id(transport))
            return enters

    def release(self, transport: T) -> list[tuple[T, bool]]:
        """Hold one less: like `close`, for one."""
        with self._lock:
            self._owned.pop(id(transport), None)
            is_entered = id(transport) in self._entered
            self._entered.discard(id(transport))
            return [(transport, is_entered)] if self.is_open else []


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
        self._openings = Openings(owned)

    def __enter__(self) -> Self:
        entered: list[tuple[httpx.BaseTransport, bool]] = []
        try:
            for transport in self._openings.enter():
                transport.__enter__()
                entered.append((transport, True))
        except BaseException as error:
            self._openings.enter_failed()
            self._close_each(entered[::-1], error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if closing := self._openings.close():
            self._close_each(closing, exc_value)

    def close(self) -> None:
        self.__exit__()

    def _hold(self, transport: httpx.BaseTransport) -> None:
        if self._openings.adopt(transport, to_enter=True):
            try:
                transport.__enter__()
            except BaseException:
                self._openings.release(transport)
                raise

    def _let_go(self, transport: httpx.BaseTransport, cause: BaseException | None = None) -> None:
        self._close_each(self._openings.release(transport), cause)

    def _send(self, transport: httpx.BaseTransport, request: httpx.Request) -> httpx.Response:
        if not self._openings.is_open:
            self._openings.reopen()
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


class AsyncTransportOwner(httpx.AsyncBaseTransport):
    """A transport that opens and closes the transports it holds."""

    def __init__(self, owned: Iterable[httpx.AsyncBaseTransport]) -> None:
        self._openings = Openings(owned)

    async def __aenter__(self) -> Self:
        entered: list[tuple[httpx.AsyncBaseTransport, bool]] = []
        try:
            for transport in self._openings.enter():
                await transport.__aenter__()
                entered.append((transport, True))
        except BaseException as error:
            self._openings.enter_failed()
            await self._close_each(entered[::-1], error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if closing := self._openings.close():
            await self._close_each(closing, exc_value)

    async def aclose(self) -> None:
        await self.__aexit__()

    async def _hold(self, transport: httpx.AsyncBaseTransport) -> None:
        if self._openings.adopt(transport, to_enter=True):
            try:
                await transport.__aenter__()
            except BaseException:
                self._openings.release(transport)
                raise

    async def _let_go(
        self, transport: httpx.AsyncBaseTransport, cause: BaseException | None = None
    ) -> None:
        await self._close_each(self._openings.release(transport), cause)

    async def _send(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request
    ) -> httpx.Response:
        if not self._openings.is_open:
            self._openings.reopen()
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
