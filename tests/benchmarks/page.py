"""Run all benchmarks and write docs/benchmarks.md, or run some and print the same table.

    python tests/benchmarks/page.py
    python tests/benchmarks/page.py tests/benchmarks/routing.py

Exits with status 1 when a bar is missed.
"""

import importlib.metadata
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from ratios import BARE

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "benchmarks.md"
# What the others have in common, and this.
NO_BENCHMARKS = {"contestants.py", "page.py", "quick.py", "ratios.py"}
PEERS = {"OpenTelemetry", "httpx-file", "httpx-retries", "requests-file", "tenacity"}
PACKAGES = [
    *("transportkit", "httpx", "httpcore", "anyio", "tenacity", "httpx-retries", "aiohttp"),
    *("opentelemetry-instrumentation-httpx", "httpx-file", "requests-file"),
]

INTRODUCTION = """\
# Benchmarks

What transportkit costs beside the stock client and the peers, side by side in one run, as ratios of
medians: absolute times of one machine say little about another. `nox -s benchmarks` runs everything
in [tests/benchmarks](https://github.com/transportkit/transportkit/tree/main/tests/benchmarks) and
writes this page. It was written on {date}, on {machine}, with {versions}.

Nothing is rounded in our favour: what should be small is rounded up, what should be large is rounded
down, and with the peers' own ratios it is the other way round. Less is better, but where a heading
speaks of throughput or of what the others take. A bar is a promise to ourselves; {met}.
"""


class Row(TypedDict):
    """A ratio, as `Report` records it."""

    heading: str
    what: str
    to: str
    ratio: float
    bar: str
    met: bool | None


def run(script: str) -> Iterator[Row]:
    """Run a benchmark, which prints what it does, and give its ratios."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "record")
        record.touch()
        done = subprocess.run(
            [sys.executable, script],
            env={**os.environ, "BENCHMARKS_RECORD": str(record)},
            check=False,
        )
        rows: list[Row] = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    if not rows or (done.returncode and all(row["met"] is not False for row in rows)):
        sys.exit(f"{script} has failed")
    yield from rows


def table(rows: Iterable[Row]) -> str:
    """The ratios as a table in Markdown, each in the column of what it is to."""
    lines = ["| | to bare httpx | to a peer | to something else, or in | bar | met |"]
    lines.append("| --- | --: | --: | --: | --- | --- |")
    for heading, group in itertools.groupby(rows, lambda row: row["heading"]):
        lines.append(f"| **{heading}** | | | | | |")
        for row in group:
            cells = ["", "", ""]
            if row["to"] == BARE:
                cells[0] = f"{row['ratio']:,.2f}"
            else:
                cells[1 if row["to"] in PEERS else 2] = f"{row['ratio']:,.2f} ({row['to']})"
            met = {True: "yes", False: "**no**", None: ""}[row["met"]]
            what = row["what"].replace("|", "\\|")
            bar = row["bar"].replace("at most ", "≤&nbsp;").replace("at least ", "≥&nbsp;")
            lines.append(f"| {what} | {' | '.join(cells)} | {bar} | {met} |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """What it runs on; not which one of its kind."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{os.cpu_count()} cores of {model}, {platform.system()}"


def versions() -> str:
    """Those of Python and of what is compared."""
    found = [f"{platform.python_implementation()} {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def main(scripts: Sequence[str]) -> int:
    found = sorted(map(str, FOLDER.glob("*.py")))
    every = [script for script in found if Path(script).name not in NO_BENCHMARKS]
    rows = [row for script in scripts or every for row in run(script)]
    missed = sum(row["met"] is False for row in rows)
    barred = sum(row["met"] is not None for row in rows)
    introduction = INTRODUCTION.format(
        date=datetime.now(UTC).date(),
        machine=machine(),
        versions=versions(),
        met=f"{barred - missed} of {barred} are met",
    )
    if scripts:
        print(table(rows))
    else:
        PAGE.write_text(f"{introduction}\n{table(rows)}", "utf-8")
        print(f"{PAGE} is written")
    print(f"{barred - missed} of {barred} bars are met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
