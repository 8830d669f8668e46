"""Who is told of an exchange: each observer once, whatever becomes of the response."""

import logging
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from ..redaction.redaction import Redaction
from .exchange import Exchange, Record

Observer = Callable[[Exchange], object]

_logger = logging.getLogger("transportkit.debugging")


@runtime_checkable
class Starting(Protocol):
    """An observer that wants to know when a request goes out."""

    def started(self, exchange: Exchange) -> object:
        """Take note of it."""


class Unfinished(Protocol):
    """An exchange whose body may still be read."""

    def end(self) -> None:
        """Report it, if nobody has yet."""


class Reporter:
    """Tells observers of every exchange once, and never lets one of them break a request.

    The first failure of each kind is logged at ERROR, the others at DEBUG.

    Arguments:
        observers: who is told.
        bodies: how many bytes of each body are kept.
        redaction: what masks the exchanges.
    """

    def __init__(self, observers: tuple[Observer, ...], bodies: int, redaction: Redaction) -> None:
        self.bodies: int = bodies
        # A type checker would not believe it of a function.
        given: tuple[object, ...] = observers
        self._starting: tuple[Observer, ...] = tuple(
            observer.started for observer in given if isinstance(observer, Starting)
        )
        # It takes anyio some time to tell, and it is the same for all requests on a connection.
        self.connections: WeakKeyDictionary[object, tuple[str | None, str | None]]
        self.connections = WeakKeyDictionary()
        self._observers = observers
        self._redaction = redaction
        self._failures: set[type[Exception]] = set()
        # Responses that somebody may still read.
        self._unfinished: dict[Unfinished, None] = {}
        self._dropped: deque[Unfinished] = deque()

    def begin(self, known: Callable[[], Record]) -> None:
        """Say that a request goes out, of which so much is known."""
        if self._dropped:
            self._report_dropped()
        if self._starting:
            self._tell(self._starting, known())

    def report(self, record: Record) -> None:
        """Say that it is over."""
        self._tell(self._observers, record)

    def wait_for(self, exchange: Unfinished) -> None:
        """There is a body to be read before it is over."""
        self._unfinished[exchange] = None

    def is_waited_for(self, exchange: Unfinished) -> bool:
        """Whether it is not over yet; true for the first who asks."""
        return self._unfinished.pop(exchange, exchange) is None

    def drop(self, exchange: Unfinished) -> None:
        """A response was thrown away unread: say so, but not from the garbage collector.

        It may run in the middle of an observer, which may hold a lock.
        """
        self._dropped.append(exchange)

    def close(self) -> None:
        """Nobody can read a response any more."""
        for exchange in list(self._unfinished):
            exchange.end()
        self._dropped.clear()

    def _report_dropped(self) -> None:
        with suppress(IndexError):  # Another thread may have taken the last one.
            while True:
                self._dropped.popleft().end()

    def _tell(self, observers: tuple[Observer, ...], record: Record) -> None:
        exchange = Exchange(record, self._redaction)
        for observer in observers:
            try:
                observer(exchange)
            except Exception as error:  # noqa: BLE001 - who looks on must not break what there is to see
                self._log(error)

    def _log(self, error: Exception) -> None:
        # What fails once mostly fails every time, and nobody reads the same traceback twice.
        is_news = type(error) not in self._failures
        self._failures.add(type(error))
        level = logging.ERROR if is_news else logging.DEBUG
        # The failure may be one of masking, and then comes again.
        with suppress(Exception):
            if _logger.isEnabledFor(level):
                shown = self._redaction.text("".join(traceback.format_exception(error)))
                _logger.log(level, "An observer of DebuggingTransport failed:\n%s", shown)
