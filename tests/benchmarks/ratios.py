"""Compare ways of doing the same thing: side by side, in one run, by their medians.

Absolute times of a shared machine mean nothing. Here each round measures every
contestant once, so that what slows the machine down slows them all, and what is
reported is the median over the rounds.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping

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


class Report:
    """Prints each ratio beside its bar, and remembers whether all were met."""

    def __init__(self) -> None:
        self.met = True

    def ratio(self, what: str, ratio: float, *, at_most: float = 0, at_least: float = 0) -> None:
        bar = f"at most {at_most:g}" if at_most else f"at least {at_least:g}" if at_least else ""
        good = not ((at_most and ratio > at_most) or (at_least and ratio < at_least))
        self.met &= good
        print(f"  {what:<58} {ratio:>10.2f}x  {bar}{'' if good else '  MISSED'}")
