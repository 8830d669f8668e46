"""Reads HAR files as strictly as the strictest of those who read them."""

import functools
import importlib
import json
import math
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("har_schema.json")


@functools.cache
def _check_schema() -> Any:
    fastjsonschema = importlib.import_module("fastjsonschema")
    return fastjsonschema.compile(json.loads(SCHEMA.read_text("utf-8")))


def _not_json(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def check(har: dict[str, Any]) -> None:
    """What the schema says, and what it does not say but a reader's import breaks on."""
    _check_schema()(har)
    # Firefox reads these without looking whether they are there.
    assert isinstance(har["log"]["pages"], list)
    for entry in har["log"]["entries"]:
        timings = entry["timings"]
        phases = [timings[name] for name in ("blocked", "connect", "send", "wait", "receive")]
        assert abs(entry["time"] - sum(phase for phase in phases if phase > 0)) < 0.001
        assert timings["ssl"] <= timings["connect"]
        numbers = [entry["time"], *timings.values(), entry["response"]["content"]["size"]]
        assert all(math.isfinite(number) for number in numbers)
        assert min(entry["response"]["content"]["size"], entry["response"]["bodySize"]) >= 0
        assert entry["startedDateTime"].endswith("Z")
        assert "#" not in entry["request"]["url"]
        # Chrome shows "undefined" without a text.
        assert isinstance(entry["request"].get("postData", {"text": ""})["text"], str)


def read(path: Path) -> list[dict[str, Any]]:
    """The entries of a file that every reader takes."""
    content = path.read_bytes()
    har = json.loads(content.decode("utf-8"), parse_constant=_not_json)
    check(har)
    return har["log"]["entries"]  # type: ignore[no-any-return]


def load(path: Path) -> list[Any]:
    """The entries as haralyzer has them."""
    haralyzer = importlib.import_module("haralyzer")
    pages = haralyzer.HarParser.from_file(str(path)).pages
    return list(pages[0].entries) if pages else []
