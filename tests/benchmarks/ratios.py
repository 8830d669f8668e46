"""Compare ways of doing the same thing: side by side, in one run, by their medians.

Absolute times of a shared machine mean nothing. Here each round measures every
contestant once, so that what slows the machine down slows them all, and what is
reported is the median over the rounds.
"""

import gc
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROUNDS = 201
ROUND_SECONDS = 0.002


def _calls_per_round(call: Callable[[], object]) -> int:
    calls = 1
    while True:
        started = time.perf_counter()
        for _ in range(calls):
            call()
        elapsed = time.perf_counter() - started
        if elapsed > ROUND_SECONDS:
            return calls
        calls = max(calls * 2, int(calls * ROUND_SECONDS / max(elapsed, 1e-9)))


def medians(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = ROUNDS
) -> dict[str, float]:
    """Seconds per call of each contestant: the median of interleaved rounds."""
    for call in contestants.values():
        call()  # What is imported or built once is not what is compared.
    calls = {name: _calls_per_round(call) for name, call in contestants.items()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in contestants.items():
                repeat = range(calls[name])
                started = time.perf_counter()
                for _ in repeat:
                    call()
                times[name].append((time.perf_counter() - started) / calls[name])
    finally:
        gc.enable()
    return {name: statistics.median(measured) for name, measured in times.items()}


BARE = "bare httpx"


class Report:
    """Prints each ratio beside its bar, and remembers whether all were met.

    With the environment variable BENCHMARKS_RECORD, each is appended to that file too, as a line of
    JSON: `python tests/benchmarks/page.py` makes a page of those.
    """

    def __init__(self) -> None:
        self.met = True
        self._heading = self._to = ""
        self._is_more_better = False
        self._record = os.environ.get("BENCHMARKS_RECORD")

    def heading(self, text: str, *, to: str, is_more_better: bool = False) -> None:
        """Begin a group of ratios.

        Arguments:
            text: what is measured, and against what.
            to: the name of that, `BARE` or a peer's.
            is_more_better: True if a larger ratio speaks for us.
        """
        print(f"{text}:")
        self._heading, self._to, self._is_more_better = text, to, is_more_better

    def ratio(
        self,
        what: str,
        ratio: float,
        *,
        at_most: float = 0,
        at_least: float = 0,
        to: str = "",
        is_peer: bool = False,
    ) -> None:
        """Print a ratio.

        Arguments:
            what: who or what it is of.
            ratio: the number.
            at_most, at_least: its bar, if it has one.
            to: what it is to, if not what all of the group are to.
            is_peer: True if it is a peer's and not ours.
        """
        bar = f"at most {at_most:g}" if at_most else f"at least {at_least:g}" if at_least else ""
        good = not ((at_most and ratio > at_most) or (at_least and ratio < at_least))
        self.met &= good
        print(f"  {what:<58} {ratio:>10.2f}x  {bar}{'' if good else '  MISSED'}")
        if self._record:
            # Nothing is rounded in our favour.
            is_more_better = bool(at_least) if bar else self._is_more_better
            rounded = math.floor if is_more_better != is_peer else math.ceil
            row = {
                "heading": self._heading,
                "what": what.strip(),
                "to": to or self._to,
                "ratio": rounded(ratio * 100) / 100,
                "bar": bar,
                "met": good if bar else None,
            }
            with Path(self._record).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
