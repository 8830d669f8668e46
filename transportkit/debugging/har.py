"""`HARRecorder`: exchanges into a HAR file, by a thread of its own.

Whoever makes a request only puts its exchange into a short queue. All else happens in the
thread: masking, decoding, JSON and files. An exchange is frozen, so it can be read there.
"""

import atexit
import logging
import os
import threading
from collections import deque
from types import TracebackType
from typing import Self

from .exchange import Exchange
from .har_entry import line_of
from .har_file import HARFile, recover

_logger = logging.getLogger("transportkit.debugging")

# How many exchanges may wait for the thread, the one in its hands included, and how many bytes
# of bodies with them.
_MOST_EXCHANGES = 1000
_MOST_BYTES = 16 * 1024 * 1024
# When there was no room there has to be some for many before anybody goes on: threads that
# take turns for each exchange would be slow. More would make an event loop stand for longer.
_ROOMY = 31 / 32


class HARRecorder:
    """Records exchanges in a HAR file, which the network panels of browsers open.

    An observer for `DebuggingTransport`; it may serve several transports, in any threads. The
    file is an HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/). A request
    that failed has status 0 and the error as `_error`. Redirects are entries of their own; so
    are retries with `RetryTransport(DebuggingTransport(None, recorder))`, while the other way
    round an entry has `_attempts`. Entries are in the order in which exchanges ended. Secrets
    are masked, and only the file's owner can read it all the same.

    Each entry is appended to `path.part` at once, as a line of JSON. The HAR is written to the
    side and renamed when the number of entries has doubled and on closing, so that it is whole
    whenever somebody reads it. All this happens in a thread, for which at most 1000 exchanges wait
    with at most 16 MiB of bodies, so that memory does not grow. Requests that come faster for
    longer wait until a few of those are written, and with `AsyncDebuggingTransport` it is the
    event loop that waits. Long bodies of text, which have to be searched for secrets, take the
    thread longest: a lower `bodies` is the remedy.

    Closing ends the recording; what is recorded after it is a RuntimeError, which a transport
    only logs. A program that ends without closing writes the HAR at its exit; one that is
    killed leaves the `.part`, of which `recover` makes the HAR. A new recording replaces the
    HAR of an older one, but moves a `.part` aside, to `name.1.har.part`. Entries for which the
    disk has no room are lost, which is logged once on `transportkit.debugging`. A forked child
    records nothing.

    Arguments:
        path: where the file will be.

    Raises:
        TypeError: the path is none.
        ValueError: the path leads to something that is no file, or into no directory, or
            another recorder writes there.
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

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = HARFile(path)
        # The first is in the hands of the thread; with each, the bytes that it keeps.
        self._waiting: deque[tuple[Exchange, int]] = deque()
        self._waiting_bytes = 0
        self._is_full = False
        # Guards all of these, and tells of what somebody may wait for.
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._error: OSError | None = None
        self._has_complained = False
        self._process = os.getpid()
        # Threads that are waited for at exit are waited for before this would be called.
        atexit.register(self.close)

    def __call__(self, exchange: Exchange) -> None:
        """Record an exchange. Waits only when too much is waiting already.

        Raises:
            RuntimeError: it is closed.
        """
        if os.getpid() != self._process:
            self._complain("is of the process that forked this one: nothing is recorded here")
            return
        size = exchange._record.sent.length + exchange._record.received.length
        with self._changed:
            while not (self._is_closed or self._has_room(size)):
                self._changed.wait()
            if self._is_closed:
                raise RuntimeError(f"{self!r} is closed: make another one, for another file")
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="HARRecorder", daemon=True)
                thread.start()
                self._thread = thread
            self._waiting.append((exchange, size))
            self._waiting_bytes += size
            self._changed.notify_all()

    def close(self) -> None:
        """End the recording; the HAR is whole when this returns.

        This waits for all that is still to be written: async code calls it in a worker thread,
        or after its event loop.

        Raises:
            OSError: the HAR cannot be written. `path.part` stays, to be recovered.
        """
        if os.getpid() != self._process:
            return
        with self._changed:
            was_closed, self._is_closed = self._is_closed, True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        elif not was_closed:
            self._finish()
        atexit.unregister(self.close)
        error, self._error = self._error, None
        if error is not None:
            raise error

    @staticmethod
    def recover(path: str | os.PathLike[str]) -> int:
        """Make the HAR of what a killed process recorded; returns how many entries it has.

        Of `path.part` at most the last line is lost, which was half written. The `.part` is
        removed when that is done.

        Arguments:
            path: what the recorder was given.

        Raises:
            FileNotFoundError: there is no `path.part`: the recording ended as it should.
            ValueError: somebody is still recording, or the path can be no file's.
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

    def _has_room(self, size: int) -> bool:
        """Whether an exchange that keeps so many bytes can be taken now."""
        if not self._waiting:
            return True
        if len(self._waiting) >= _MOST_EXCHANGES or self._waiting_bytes + size > _MOST_BYTES:
            self._is_full = True
        # Others that need less do not get in before who waits already.
        return not self._is_full

    def _work(self) -> None:
        while self._waits_for_one():
            self._record(self._waiting[0][0])
            self._let_go()
        self._finish()

    def _waits_for_one(self) -> bool:
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            return bool(self._waiting)

    def _let_go(self) -> None:
        with self._changed:
            self._waiting_bytes -= self._waiting.popleft()[1]
            if (
                self._is_full
                and len(self._waiting) <= _MOST_EXCHANGES * _ROOMY
                and self._waiting_bytes <= _MOST_BYTES * _ROOMY
            ):
                self._is_full = False
                self._changed.notify_all()

    def _record(self, exchange: Exchange) -> None:
        try:
            self._file.append(line_of(exchange))
        except OSError as error:
            self._complain(f"cannot be written: {error}")
        except Exception as error:  # noqa: BLE001 - the next one may be recorded
            # What it says may hold what was to be masked.
            self._complain(f"has lost an entry: {type(error).__name__}")

    def _finish(self) -> None:
        try:
            self._file.finish()
        except OSError as error:
            self._error = error

    def _complain(self, what: str) -> None:
        if not self._has_complained:
            self._has_complained = True
            _logger.warning("%r %s", self, what)
