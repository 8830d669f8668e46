"""What masking costs: JSON beside `json.dumps` and a redactor that parses, walks and dumps.

    python tests/benchmarks/redaction.py

Then what sixteen times the text costs, whatever it is made of: that is 256 times as slow for what
tries again at every place. Exits with status 1 when a bar is missed.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
from ratios import Report, medians
from support.hostile import RUNS, mask_everywhere

from transportkit import ConsoleLog, DebuggingTransport, Redaction

JSON_BAR = 10
LOOP_BAR = 15
BAR = 64
SIZES = (4_000, 100_000, 1_000_000)

REDACTION = Redaction()
_NAME = re.compile("token|secret|passw|key|cookie|auth", re.IGNORECASE)


def rows(size: int, more: Callable[[int], dict[str, object]]) -> list[dict[str, object]]:
    """About as many bytes of what an API lists."""
    return [
        {
            "id": number,
            "full_name": f"octo/repo-{number}",
            "html_url": f"https://git.example/octo/repo-{number}",
            "private": False,
            "description": 'Does one thing: well, and "fast".',
            "created_at": "2026-01-01T00:00:00Z",
            "owner": {"login": "octo", "id": 17},
            "topics": ["http", "client"],
            **more(number),
        }
        for number in range(size // 280)
    ]


KINDS: dict[str, Callable[[int], dict[str, object]]] = {
    "nothing to mask": lambda number: {"size": number},
    "harmless names": lambda number: {
        "author": f"ada-{number}",
        "key": f"PROJ-{number}",
        "max_tokens": number,
        "token_type": "bearer",
    },
    "a secret in each": lambda number: {"api_token": f"q7Zt3LmX9vKc{number}"},
    "escapes": lambda number: {"title": f"Größe {number}: schön", "city": f"東京 {number}"},
    "cut off": lambda number: {"size": number},
}


def walked(node: object) -> object:
    """The redactor that everybody writes."""
    if isinstance(node, dict):
        return {key: "****" if _NAME.search(key) else walked(each) for key, each in node.items()}
    return [walked(each) for each in node] if isinstance(node, list) else node


def costs_of_json(report: Report) -> None:
    report.heading("Masking JSON, against json.dumps of the same data", to="json.dumps")
    for what, more in KINDS.items():
        for size in SIZES:
            data = rows(size, more)
            body = json.dumps(data).encode()
            shown = body[: len(body) * 19 // 20] if what == "cut off" else body

            def mask(shown: bytes = shown) -> None:
                REDACTION.body(shown, "application/json")

            def walk(body: bytes = body) -> None:
                json.dumps(walked(json.loads(body)))

            def dump(data: object = data) -> None:
                json.dumps(data)

            rounds = 9 if size > 100_000 else 51
            times = medians({"dumps": dump, "walk": walk, "mask": mask}, rounds=rounds)
            report.ratio(
                f"{what}, {size:,} bytes", times["mask"] / times["dumps"], at_most=JSON_BAR
            )
            parsed = "  (parsed, walked and dumped)"
            report.ratio(parsed, times["walk"] / times["dumps"], is_peer=True)


def ignore(shown: object) -> None:
    """A null observer."""


def costs_of_a_console(report: Report) -> None:
    data = rows(100_000, KINDS["a secret in each"])
    body = json.dumps(data).encode()
    headers = {"Content-Type": "application/json"}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=body))
    transport = DebuggingTransport(answer, ConsoleLog(len), bodies=1_000_000)
    request = httpx.Request("GET", "https://api.example/")
    times = medians(
        {"dumps": lambda: json.dumps(data), "console": lambda: transport.handle_request(request)},
        rounds=51,
    )
    report.heading("ConsoleLog with a body of 100 kB, against json.dumps of it", to="json.dumps")
    report.ratio("a whole exchange", times["console"] / times["dumps"], at_most=LOOP_BAR)
    logger = logging.getLogger("transportkit.off")
    stub = httpx.MockTransport(lambda _: httpx.Response(200))
    null, off = DebuggingTransport(stub, ignore), DebuggingTransport(stub, ConsoleLog(logger.debug))
    times = medians(
        {"null": lambda: null.handle_request(request), "off": lambda: off.handle_request(request)}
    )
    report.ratio(
        "of a logger that is off, against a null observer",
        times["off"] / times["null"],
        at_most=1.1,
        to="a null observer",
    )


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


def costs_of_any_text(report: Report) -> None:
    report.heading("Masking 16 000 characters against 1 000", to="1 000 characters")
    for run in RUNS:
        few, many = (seconds(mask_everywhere, run, size) for size in (1_000, 16_000))
        report.ratio(repr(run), many / few, at_most=BAR)
    report.heading(
        "Masking 160 000 characters of all of them against 10 000", to="10 000 characters"
    )
    text = "".join(run * (160_000 // len(RUNS) // len(run)) for run in RUNS)
    part = "".join(run * (10_000 // len(RUNS) // len(run)) for run in RUNS)
    few, many = (seconds(mask_text, each, len(each)) for each in (part, text))
    report.ratio("all of them", many / few, at_most=BAR)


def main() -> None:
    report = Report()
    costs_of_json(report)
    costs_of_a_console(report)
    costs_of_any_text(report)
    sys.exit(not report.met)


if __name__ == "__main__":
    main()
