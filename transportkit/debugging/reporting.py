"""Report exchanges to observers: each to each of them once, whatever becomes of the response."""

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import perf_counter
from weakref import WeakKeyDictionary

from ..redaction.redaction import Redaction
from ..redaction.tracebacks import text_of
from .console import ConsoleLog
from .exchange import Exchange
from .record import Record

Observer = Callable[[Exchange], object]
# A `started`, and a function that tells whether it would do anything.
_Starting = tuple[Observer, Callable[[], bool] | None]

_logger = logging.getLogger("transportkit.debugging")


class Reporter:
    """Reports each exchange once, and never lets an observer break a request.

    The first failure of each kind is logged at ERROR, the others at DEBUG.

    Arguments:
        observers: called with each exchange; with its beginning too, if they have a `started`.
        bodies: how many bytes of each body are captured.
        redaction: masks the exchanges.

    Attributes:
        connections: the addresses and TLS versions of the connections in use. It takes anyio
            some time to tell, and they are the same for all requests on a connection.
    """

    def __init__(self, observers: tuple[Observer, ...], bodies: int, redaction: Redaction) -> None:
        self.bodies: int = bodies
        self.connections: WeakKeyDictionary[object, tuple[str | None, str | None]]
        self.connections = WeakKeyDictionary()
        self._starting: tuple[_Starting, ...] = tuple(
            (started, observer._is_enabled if isinstance(observer, ConsoleLog) else None)
            for observer in observers
            if (started := getattr(observer, "started", None)) is not None
        )
        self._observers = observers
        self._redaction = redaction
        self._failures: set[type[Exception]] = set()
        # Exchanges whose response somebody may still read, and those whose response nobody can.
        self._open: dict[Record, None] = {}
        self._abandoned: deque[Record] = deque()

    def settings(self) -> str:
        """The observers by name, and the number of bytes of bodies that they see."""
        names = [getattr(each, "__name__", type(each).__name__) for each in self._observers]
        return ", ".join(names + ([f"bodies={self.bodies}"] if self.bodies else []))

    def begin(self, record: Record) -> None:
        """Tell observers that a request goes out."""
        if self._abandoned:
            self._report_abandoned()
        if started := [tell for tell, is_on in self._starting if is_on is None or is_on()]:
            beginning = Record(
                record.method,
                record.url,
                record.request_headers,
                started_at=record.started_at,
                is_finished=False,
                target=record.target,
            )
            self._tell(started, beginning)

    def keep_open(self, record: Record) -> None:
        """Wait for the end of a body before the exchange is reported."""
        self._open[record] = None

    def end(self, record: Record, error: BaseException | None = None) -> None:
        """Report an exchange that was kept open. Only the first call counts."""
        # One step, as several threads may get here.
        if self._open.pop(record, record) is None:
            self.report(record, error)

    def report(self, record: Record, error: BaseException | None = None) -> None:
        """Tell observers that an exchange is over."""
        record.ended = record.ended or perf_counter()
        record.is_finished = True
        if error is not None:
            record.error = error_text(error)
        self._tell(self._observers, record)

    def abandon(self, record: Record) -> None:
        """Report an exchange whose response was dropped unread, but not now.

        The garbage collector calls this, maybe in the middle of an observer that holds a lock.
        """
        if not record.is_finished:
            record.ended = perf_counter()
            self._abandoned.append(record)

    def close(self) -> None:
        """Report all exchanges that are still open."""
        for record in list(self._open):
            self.end(record)
        self._abandoned.clear()

    def _report_abandoned(self) -> None:
        with suppress(IndexError):  # Another thread may have taken the last one.
            while True:
                self.end(self._abandoned.popleft())

    def _tell(self, observers: Iterable[Observer], record: Record) -> None:
        exchange = Exchange(record, self._redaction)
        for observer in observers:
            try:
                observer(exchange)
            except Exception as error:  # noqa: BLE001 - an observer must not break what it observes
                self.log(error)

    def log(self, error: Exception) -> None:
        """Log that something could not be observed: at ERROR once for each kind of error."""
        # An observer that fails once mostly fails every time, and one traceback is enough.
        is_new = type(error) not in self._failures
        self._failures.add(type(error))
        level = logging.ERROR if is_new else logging.DEBUG
        # The failure may be one of masking, and then comes again.
        with suppress(Exception):
            if _logger.isEnabledFor(level):
                shown = self._redaction.text("".join(traceback.format_exception(error)))
                _logger.log(level, "An observer of DebuggingTransport failed:\n%s", shown)


def error_text(error: BaseException) -> str:
    """The name and text of an error; the text of its cause if it has none of its own.

    >>> import httpx
    >>> error_text(httpx.ReadTimeout("timed out"))
    'ReadTimeout: timed out'
    """
    # anyio's timeouts are cancellations inside, whose text is of no use.
    text = text_of(error) if isinstance(error, Exception) else ""
    cause, seen = error.__cause__ or error.__context__, {id(error)}
    while not text and isinstance(cause, Exception) and id(cause) not in seen:
        seen.add(id(cause))
        text, cause = text_of(cause), cause.__cause__ or cause.__context__
    name = type(error).__name__
    return f"{name}: {text}" if text else name
