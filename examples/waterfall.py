"""Draw the waterfall of a HAR file as an SVG: who waited for what, and for how long.

    python examples/waterfall.py exchanges.har > waterfall.svg

Without a name it draws the `waterfall.har` beside this file, which was recorded from a slow server as
har_file.py does it; `waterfall.svg` is that picture. The same file always makes the same picture.
"""

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from html import escape
from math import ceil, log10
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDED = Path(__file__).with_name("waterfall.har")

# In the order in which they happen; HAR has TLS inside of connect.
PHASES = {
    "blocked": "#8c959f",
    "connect": "#e8902f",
    "tls": "#a371f7",
    "send": "#2fb5c0",
    "wait": "#3fa45a",
    "receive": "#4090e8",
}

WIDTH = 860
ROW = 24
TOP = 62
BARS = 340
BARS_WIDTH = 430

STYLE = """
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
.quiet { fill: #656d76 }
.bad { fill: #cf222e }
.end { text-anchor: end }
.card { fill: #ffffff; stroke: #d1d9e0 }
.line { stroke: #d1d9e0; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9198a1 }
  .bad { fill: #ff7b72 }
  .card { fill: #0d1117; stroke: #3d444d }
  .line { stroke: #2a313c }
}
"""


def draw(har: dict[str, Any]) -> str:
    """The picture, with a background of its own: it is readable wherever it is shown."""
    entries = sorted(har["log"]["entries"], key=started)
    first = min(map(started, entries))
    total = max(started(entry) - first + entry["time"] for entry in entries)
    scale = BARS_WIDTH / total
    height = TOP + ROW * len(entries) + 12
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="a waterfall">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        *legend(),
        *axis(total, scale, height),
    ]
    for number, entry in enumerate(entries):
        lines += row(entry, TOP + ROW * number, BARS + (started(entry) - first) * scale, scale)
    return "\n".join([*lines, "</svg>", ""])


def started(entry: dict[str, Any]) -> float:
    """In milliseconds."""
    return datetime.fromisoformat(entry["startedDateTime"]).timestamp() * 1000


def legend() -> Iterator[str]:
    x = 16
    for phase, colour in PHASES.items():
        yield f'<rect x="{x}" y="15" width="10" height="10" rx="2" fill="{colour}"/>'
        yield f'<text class="quiet" x="{x + 15}" y="24">{phase}</text>'
        x += 36 + 7 * len(phase)


def axis(total: float, scale: float, height: int) -> Iterator[str]:
    """A line each 1, 2 or 5 times a power of ten, five or six at most."""
    power = 10 ** ceil(log10(total / 5))
    step = next(power * part for part in (0.2, 0.5, 1) if power * part >= total / 5)
    for number in range(int(total / step) + 1):
        x = BARS + number * step * scale
        yield f'<path class="line" d="M{x:.1f} {TOP - 14}V{height - 10}"/>'
        yield f'<text class="quiet" x="{x:.1f}" y="{TOP - 18}">{number * step:g} ms</text>'


def row(entry: dict[str, Any], y: int, x: float, scale: float) -> Iterator[str]:
    request, response = entry["request"], entry["response"]
    url = urlsplit(request["url"])
    target = url.path + (f"?{url.query}" if url.query else "")
    error = response.get("_error", "").partition(":")[0]
    status = error or str(response["status"])
    bad = ' class="bad"' if error or response["status"] >= 400 else ""
    yield f'<text x="16" y="{y + 15}"{bad}>{escape(request["method"])}</text>'
    yield f'<text x="60" y="{y + 15}"{bad}>{escape(shortened(target, 24))}</text>'
    colour = "bad" if bad else "quiet"
    yield f'<text class="{colour} end" x="{BARS - 12}" y="{y + 15}">{escape(status)}</text>'
    timings = entry["timings"]
    spent = {**timings, "tls": timings["ssl"], "connect": timings["connect"] - timings["ssl"]}
    for phase, colour in PHASES.items():
        width = max(spent[phase], 0) * scale
        if width >= 0.1:
            yield (
                f'<rect x="{x:.1f}" y="{y + 5}" width="{max(width, 0.5):.1f}" height="13" '
                f'fill="{colour}"/>'
            )
        x += width
    yield f'<text class="quiet" x="{x + 6:.1f}" y="{y + 15}">{entry["time"]:.0f} ms</text>'


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(draw(json.loads(path.read_text("utf-8"))))


if __name__ == "__main__":
    main()
