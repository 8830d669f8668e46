"""Records three exchanges in a HAR and ends in a given way: `python -m support.recorder FILE HOW`.

Says `ready`, and ends when it is told to.
"""

import os
import sys
import threading
import warnings

from support.library import httpx
from support.transportkit import HARRecorder
from transportkit.debugging.exchange import Exchange, Record


def exchange(number: int) -> Exchange:
    url = httpx.URL(f"https://example.com/{number}")
    return Exchange(Record("GET", url, started_at=1e9, status=200))


class Waits(threading.Condition):
    """The condition of a recorder, which tells when threads wait in it.

    Arguments:
        recorder: has recorded nothing yet.
    """

    def __init__(self, recorder: HARRecorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._threads = 0
        self._more = threading.Condition()
        recorder._changed = self

    def wait(self, timeout: float | None = None) -> bool:
        with self._more:
            self._threads += 1
            self._more.notify_all()
        try:
            return super().wait(timeout)
        finally:
            with self._more:
                self._threads -= 1

    def until_threads(self, count: int) -> None:
        """Return when so many threads wait, the recorder's own included."""
        with self._more:
            assert self._more.wait_for(lambda: self._threads == count, 60)

    def until_written(self) -> None:
        """Return when the recorder has done all it was given, and its thread waits for more."""
        with self._more:
            assert self._more.wait_for(
                lambda: self._recorder._backlog.first() is None and self._threads == 1, 60
            )


def main() -> None:
    path, ending = sys.argv[1:]
    recorder = HARRecorder(path)
    waits = Waits(recorder)
    for number in range(3):
        recorder(exchange(number))
    waits.until_written()
    print("ready", flush=True)
    sys.stdin.readline()
    end(recorder, ending)


def end(recorder: HARRecorder, how: str) -> None:
    match how:
        case "raise":
            raise ZeroDivisionError
        case "exit":
            sys.exit(0)
        case "_exit":
            os._exit(0)
        case "wait":
            sys.stdin.readline()
            os._exit(0)
        case "thread":
            threading.Thread(target=recorder.close).start()
        case "go on":
            for number in range(3, 1_000_000):
                recorder(exchange(number))
                if number == 2000:
                    # The queue holds a thousand: as many are written.
                    print("going on", flush=True)
        case "fork":
            fork(recorder)


def fork(recorder: HARRecorder) -> None:
    """The parent records one more, the child many that are not its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        recorder(exchange(3))
    else:
        for number in range(1000):
            recorder(exchange(number))


if __name__ == "__main__":
    main()
