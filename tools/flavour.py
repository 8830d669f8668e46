"""Write the transports for httpx2 from those for httpx: `transportkit/httpx2/`, and its types' tests.

python tools/flavour.py            # write
python tools/flavour.py --check    # fail if that would change anything
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("transportkit/httpx", "tests/typing/httpx")
HEADER = "# Written by tools/flavour.py from {}/. Edit it there.\n"

# Whole words: no part of a path, of an address or of another package's name.
RENAMES = {
    r"(?<![\w./-])(httpx|httpcore)(?![\w-])": r"\g<1>2",
    r"(from|import) transportkit (import|as)": r"\1 transportkit.httpx2 \2",
}


def renamed(source: str) -> str:
    """The source of a module for httpx2."""
    for pattern, replacement in RENAMES.items():
        source = re.sub(pattern, replacement, source)
    return source


def stale_files() -> dict[Path, str | None]:
    """The files for httpx2 that are not up to date, each with what it should hold, if anything."""
    wanted: dict[Path, str | None] = {}
    found: dict[Path, str] = {}
    for folder in FOLDERS:
        target = ROOT / f"{folder}2"
        found |= {path: path.read_text() for path in target.glob("*.py")}
        for path in (ROOT / folder).glob("*.py"):
            wanted[target / path.name] = HEADER.format(folder) + renamed(path.read_text())
    paths = sorted(wanted.keys() | found.keys())
    return {path: wanted.get(path) for path in paths if wanted.get(path) != found.get(path)}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which of them are not up to date."""
    stale = stale_files()
    for path, source in stale.items():
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not what tools/flavour.py writes: run it")
        elif source is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
