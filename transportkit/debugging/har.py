"""`HARRecorder`: records exchanges in a HAR file, in a thread of its own.

A request only puts its exchange into a bounded queue. Everything else happens in the thread:
masking, decoding, JSON and files. An exchange is immutable, so it can be read there.
"""

import atexit
import logging
import os
import threading
from types import TracebackType
from typing import Self

# In the thread it would be too late: once the descriptors are used up, or the program ends,
# nothing can be imported any more.
from ..redaction import bodies, text, urls  # noqa: F401 - see above
from ..wire.advising import advising
from ..wire.forking import renew_in_child
from ..wire.logs import Log
from ..wire.pickling import Unpicklable
from .backlog import Backlog
from .exchange import Exchange
from .har_entry import line_of
from .har_file import HARFile, recover

_logger = Log("transportkit.debugging")


@advising(
    file="path=...",
    filename="path=...",
    bodies="DebuggingTransport(transport, recorder, bodies=4096)",
)
class HARRecorder(Unpicklable):
    """Records exchanges in a HAR file, which the network panels of browsers open.

    An observer for `DebuggingTransport`; it may serve several transports, in any threads. The
    file is an HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/). A request
    that failed has status 0 and the error as `_error`. Redirects are entries of their own; so
    are retries with `RetryTransport(DebuggingTransport(None, recorder))`, while the other way
    round an entry has `_attempts`. Entries are in the order in which exchanges ended. Secrets
    are masked, and even so only the file's owner can read it.

    Each entry is appended to `path.part` at once, as a line of JSON. The HAR is written to
    another file and renamed, each time the number of entries has doubled and on closing, so
    that it is whole whenever somebody reads it. All this happens in a thread, with a queue of
    at most 1000 exchanges with at most 16 MiB of bodies, so that memory does not grow. When
    the queue is full, requests wait until a few of those are written; with
    `AsyncDebuggingTransport` it is the event loop that waits. Long bodies of text, which have to
    be searched for secrets, take the thread longest: a lower `bodies` helps.

    Closing ends the recording; recording after that is a RuntimeError, which a transport only
    logs. A program that ends without closing writes the HAR at its exit; one that is killed
    leaves the `.part`, which `recover` turns into the HAR. A new recording replaces the HAR of
    an older one, but moves a `.part` aside, to `name.1.har.part`. Entries that cannot be written,
    as the disk has no room for them, or whose thread has died, are lost, which is logged once on
    `transportkit.debugging`; requests go on, and what was recorded is kept. A forked child
    records nothing.

    Arguments:
        path: the path of the file.

    Raises:
        TypeError: the path is not a path.
        ValueError: there is something at the path that is not a file, or no directory for it,
            or another recorder writes there.
        OSError: `path.part` cannot be made.

    >>> import httpx
    >>> import json, pathlib, tempfile
    >>> from transportkit import DebuggingTransport
    >>> path = pathlib.Path(tempfile.mkdtemp(), "exchanges.har")
    >>> server = httpx.MockTransport(lambda request: httpx.Response(200))
    >>> with (
    ...     HARRecorder(path) as recorder,
    ...     httpx.Client(transport=DebuggingTransport(server, recorder)) as client,
    ... ):
    ...     client.get("https://example.com/?token=abc")
    <Response [200 OK]>
    >>> json.loads(path.read_text())["log"]["entries"][0]["request"]["url"]
    'https://example.com/?token=****'
    """

    _holds = "a file and a thread"
    _instead = "send the path of another file and make another one in the other process"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = HARFile(path)
        # The thread is writing the first.
        self._backlog = Backlog()
        # Guards it, the thread and the end, and notifies of changes that somebody may wait for.
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        # Held while the HAR is made, which is done once.
        self._finishing = threading.Lock()
        self._is_finished = False
        self._error: OSError | None = None
        self._has_logged = False
        self._is_inherited = False
        renew_in_child(self._renew)
        # A thread that is not a daemon would be joined before this is called.
        atexit.register(self.close)

    def _renew(self) -> None:
        self._is_inherited = True

    def __call__(self, exchange: Exchange) -> None:
        """Record an exchange. Waits only while the queue is full.

        Raises:
            RuntimeError: it is closed.
        """
        if self._is_inherited:
            self._log(
                logging.WARNING, "is of the process that forked this one: nothing is recorded here"
            )
            return
        with self._changed:
            while not (self._is_closed or self._backlog.has_room(exchange)):
                self._backlog.mark_full()
                self._changed.wait()
            if self._is_closed:
                raise RuntimeError(f"{self!r} is closed: make another one, for another file")
            if self._thread is None:  # There was none yet, or it has died.
                thread = threading.Thread(target=self._run, name="HARRecorder", daemon=True)
                thread.start()
                self._thread = thread
            self._backlog.add(exchange)
            self._changed.notify_all()

    def close(self) -> None:
        """End the recording; the HAR is complete when this returns.

        This waits until everything is written: async code calls it in a worker thread, or after
        its event loop.

        Raises:
            OSError: the HAR cannot be written. `path.part` stays, to be recovered.
        """
        if self._is_inherited:
            return
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._finishing:
            if not self._is_finished:  # There was no thread, or it has died.
                self._work()
        atexit.unregister(self.close)
        error, self._error = self._error, None
        if error is not None:
            raise error

    @staticmethod
    def recover(path: str | os.PathLike[str]) -> int:
        """Make the HAR of a killed process from its `.part`; returns the number of entries.

        Of `path.part` at most the last line is lost, which was half written. The `.part` is
        removed when that is done.

        Arguments:
            path: the one that the recorder was given.

        Raises:
            FileNotFoundError: there is no `path.part`: the recording ended as it should.
            ValueError: somebody is still recording, or there can be no file at the path.
            OSError: the `.part` cannot be read, or the HAR not be written.
        """
        return recover(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        try:
            self.close()
        except OSError as error:
            if exc_value is None:
                raise
            exc_value.add_note(f"Closing {self!r} failed as well: {error!r}")

    def __repr__(self) -> str:
        return f"<HARRecorder of {str(self._file.path)!r}>"

    def _run(self) -> None:
        # Whatever ends the thread, nobody waits for it afterwards.
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - there is nobody to tell but the log
            self._log(logging.ERROR, f"has lost its thread: {type(error).__name__}")
            with self._changed:
                self._thread = None
                self._backlog.reopen()
                self._changed.notify_all()

    def _work(self) -> None:
        while (exchange := self._wait_for_one()) is not None:
            self._record(exchange)
            with self._changed:
                if self._backlog.remove_first():
                    self._changed.notify_all()
        try:
            self._file.finish()
        except OSError as error:
            self._error = error
        self._is_finished = True

    def _wait_for_one(self) -> Exchange | None:
        """Wait for an exchange, which stays in the queue; None when there will be no more."""
        with self._changed:
            while (first := self._backlog.first()) is None and not self._is_closed:
                self._changed.wait()
            return first

    def _record(self, exchange: Exchange) -> None:
        try:
            self._file.append(line_of(exchange))
        except OSError as error:
            self._log(logging.ERROR, f"cannot be written: {error}")
        except Exception as error:  # noqa: BLE001 - the next one may be recorded
            # Its text may hold secrets that were to be masked.
            self._log(logging.ERROR, f"has lost an entry: {type(error).__name__}")

    def _log(self, level: int, what: str) -> None:
        if not self._has_logged:
            self._has_logged = True
            _logger.log(level, "%r %s", self, what)
