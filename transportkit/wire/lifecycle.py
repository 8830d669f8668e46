"""Open, re-open and close inner transports, each exactly once.

A client enters a transport once for every key it is mounted on, may close it twice,
or may never enter it at all; a transport that holds others has to make of that
exactly one opening and one closing of each. `Lifecycle` decides what has to be opened
or closed, under a lock and without I/O; the transports then do it.

| state | a request finds it | `close` closes |
| --- | --- | --- |
| new | not ready: the first request is looked at | each by its `close` |
| entered | ready from the first request on | each by its `__exit__` |
| used without entering | ready | each by its `close` |
| closed | not ready: the next request opens again | nothing |

An inner transport that was entered is left by its `__exit__`; one that was never
entered is closed by its `close`, as a stock client does.
"""

import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from .arguments import check_request
from .forking import renew_in_child

T = TypeVar("T")


class Lifecycle(Generic[T]):
    """The inner transports of another, and which of them have to be entered or closed now.

    Arguments:
        owned: the transports; one that is given twice is held once.

    Attributes:
        is_ready: True if requests may go on without another call of `make_ready`.
    """

    def __init__(self, owned: Iterable[T] = ()) -> None:
        self.is_ready: bool = False
        self._is_open = True
        self._is_entered = False
        # By identity, as equality is for the transports to define.
        self._owned = {id(transport): transport for transport in owned}
        self._entered: set[int] = set()
        self._renew()
        renew_in_child(self._renew)

    def _renew(self) -> None:
        """Start with a free lock, as in a child process."""
        self._lock = threading.Lock()

    def enter(self) -> tuple[T, ...]:
        """The inner transports that have to be entered by this caller."""
        with self._lock:
            first = not self._is_entered
            self._is_open = self._is_entered = True
            if not first:
                return ()
            self._entered = set(self._owned)
            return tuple(self._owned.values())

    def enter_failed(self) -> None:
        """Note that those entered were left again; all can still be closed."""
        with self._lock:
            self._is_entered = False
            self._entered.clear()

    def make_ready(self, request: object, owner: type) -> None:
        """Let requests in, after a close too: from now on there is something to close again.

        Arguments:
            request: the first one.
            owner: the class of the transport that it was handed to.

        Raises:
            TypeError: the request is one of the other library.
        """
        check_request(request, owner)
        with self._lock:
            self.is_ready = self._is_open = True

    def close(self) -> list[tuple[T, bool]]:
        """The inner transports that have to be closed by this caller, each with True if entered."""
        with self._lock:
            closing = [(one, key in self._entered) for key, one in self._owned.items()]
            was_open = self._is_open
            self.is_ready = self._is_open = self._is_entered = False
            self._entered.clear()
            return closing if was_open else []

    def adopt(self, transport: T, *, to_enter: bool) -> bool:
        """Hold one more; True if it has to be entered by this caller.

        As after a request, there is something to close again.

        Arguments:
            transport: the new one.
            to_enter: False for one that is not to be entered; it is closed by its `close`.
        """
        with self._lock:
            self._is_open = True
            enters = to_enter and self._is_entered and id(transport) not in self._owned
            self._owned[id(transport)] = transport
            if enters:
                self._entered.add(id(transport))
            return enters

    def release(self, transports: Iterable[T]) -> list[tuple[T, bool]]:
        """Hold these no longer; returns those to close, as `close` does."""
        with self._lock:
            closing = []
            for transport in transports:
                self._owned.pop(id(transport), None)
                closing.append((transport, id(transport) in self._entered))
                self._entered.discard(id(transport))
            return closing if self._is_open else []


def exc_info(
    error: BaseException | None,
) -> tuple[type[BaseException] | None, BaseException | None, TracebackType | None]:
    """The arguments of `__exit__` for an error or none."""
    if error is None:
        return (None, None, None)
    return (type(error), error, error.__traceback__)


def raise_close_errors(errors: Sequence[BaseException], cause: BaseException | None) -> None:
    """Raise the errors of closing, but never in place of an earlier error.

    Arguments:
        errors: those of the inner transports, in order.
        cause: the error that made them close; the others become notes of it.

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
