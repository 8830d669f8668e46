"""What sixteen times the text costs to mask, whatever it is made of.

    python tests/benchmarks/redaction.py

Sixteen times as long is 256 times as slow for what tries again at every place.
Exits with status 1 when a bar is missed.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ratios import Report
from support.hostile import RUNS, mask_everywhere

from transportkit import Redaction

BAR = 64


def seconds(function: Callable[[str, int], object], run: str, size: int) -> float:
    """The least of three times: what disturbs a run makes it longer only."""
    found = []
    for _ in range(3):
        started = time.thread_time()
        function(run, size)
        found.append(time.thread_time() - started)
    return min(found)


def mask_text(text: str, size: int) -> None:
    Redaction().text(text[:size])


def main() -> None:
    report = Report()
    print("16 000 characters against 1 000")
    for run in RUNS:
        few, many = (seconds(mask_everywhere, run, size) for size in (1_000, 16_000))
        report.ratio(repr(run), many / few, at_most=BAR)
    print("160 000 characters of all of them against 10 000")
    text = "".join(run * (160_000 // len(RUNS) // len(run)) for run in RUNS)
    part = "".join(run * (10_000 // len(RUNS) // len(run)) for run in RUNS)
    few, many = (seconds(mask_text, each, len(each)) for each in (part, text))
    report.ratio("all of them", many / few, at_most=BAR)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
