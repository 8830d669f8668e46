"""Records three exchanges in a HAR and ends in a given way: `python -m support.recorder FILE HOW`.

Says `ready`, and ends when it is told to.
"""

import os
import sys
import threading
import warnings
from pathlib import Path

from support.library import httpx
from support.transportkit import HARRecorder
from transportkit.debugging.exchange import Exchange, Record


def exchange(number: int) -> Exchange:
    url = httpx.URL(f"https://example.com/{number}")
    return Exchange(Record("GET", url, started_at=1e9, status=200))


def main() -> None:
    path, ending = sys.argv[1:]
    recorder = HARRecorder(path)
    for number in range(3):
        recorder(exchange(number))
    while Path(f"{path}.part").read_bytes().count(b"\n") < 3 or recorder._waiting:
        pass
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
