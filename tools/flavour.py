"""Write `transportkit/httpx2/` from `transportkit/httpx/`: the same transports, for httpx2.

python tools/flavour.py            # write
python tools/flavour.py --check    # fail if that would change anything
"""

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "transportkit"
HEADER = "# Written by tools/flavour.py from transportkit/httpx/. Edit it there.\n"

# Whole words: no part of a path, of an address or of another package's name.
RENAMES = {
    r"(?<![\w./-])(httpx|httpcore)(?![\w-])": r"\g<1>2",
    r"from transportkit import": "from transportkit.httpx2 import",
}


def renamed(source: str) -> str:
    """The source of a module for httpx2."""
    for pattern, replacement in RENAMES.items():
        source = re.sub(pattern, replacement, source)
    return HEADER + source


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` say which of them are not up to date."""
    target = PACKAGE / "httpx2"
    wanted = {path.name: renamed(path.read_text()) for path in (PACKAGE / "httpx").glob("*.py")}
    found = {path.name: path.read_text() for path in target.glob("*.py")}
    stale = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    if "--check" in arguments:
        for name in stale:
            print(f"transportkit/httpx2/{name} is not what tools/flavour.py writes: run it")
        return 1 if stale else 0
    target.mkdir(exist_ok=True)
    for name in stale:
        (target / name).unlink() if name not in wanted else (target / name).write_text(wanted[name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
