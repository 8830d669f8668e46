"""Every example has the form that examples/README.md promises, runs, and prints what it says."""

import ast
import doctest
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
INDEX = (FOLDER / "README.md").read_text("utf-8")
# Not to be copied from: the servers, and what draws a picture.
TOOLS = {"local.py", "waterfall.py"}
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.name not in TOOLS)
# WSGI is for sync clients, ASGI is for async ones, and a loader would differ in three names.
ONE_FLAVOUR = {"wsgi_flask.py", "asgi_starlette.py", "asgi_startup.py", "routes_toml.py"}
PARTS = ["To copy (both)", "To copy (sync)", "To copy (async)", "To run", "It prints"]


def parts(code: str) -> dict[str, list[str]]:
    """The lines of each part that are not empty, by the comment before it, in their order."""
    found: dict[str, list[str]] = {}
    for line in code.splitlines():
        if line[:2] == "# " and line[2:] in PARTS:
            found[line[2:]] = []
        elif found and line not in {"", "#"}:
            found[[*found][-1]].append(line)
    return found


def run(example: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "error"]
    kept = {
        name: os.environ[name]
        for name in ("PATH", "PYTHONPATH", "SYSTEMROOT")
        if name in os.environ
    }
    return subprocess.run(
        [*command, str(example)],
        env={**kept, "HOME": str(directory), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def check(example: Path, directory: Path) -> str:
    """What it prints, if it runs and leaves nothing to warn about."""
    done = run(example, directory)
    assert done.returncode == 0, done.stderr
    # A warning that is raised where nothing can catch it does not change the exit status.
    assert "Exception ignored" not in done.stderr, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


# The one that everybody begins with runs always; the others where time is.
QUICK = {"quickstart.py", "retry_busy.py"}


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.name, marks=[] if path.name in QUICK else pytest.mark.slow)
        for path in EXAMPLES
    ],
)
def test_an_example_prints_what_it_says(example: Path, tmp_path: Path) -> None:
    printed = check(example, tmp_path)
    stated = [line[6:] for line in parts(example.read_text("utf-8"))["It prints"]]
    wanted = "".join(f"{line}\n" for line in stated)
    printed = re.sub(r"\n+", "\n", printed.lstrip("\n"))
    agrees = doctest.OutputChecker().check_output(wanted, printed, doctest.ELLIPSIS)
    assert agrees, f"It printed\n{printed}\nand not\n{wanted}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
class TestTheFormOfAnExample:
    def test_is_sixty_lines_with_patterns_of_fifteen(self, example: Path) -> None:
        code = example.read_text("utf-8")
        found = parts(code)
        size = {name: len(lines) for name, lines in found.items()}
        assert len(code.splitlines()) <= 60
        assert size.get("To copy (both)", 0) + size.get("To copy (sync)", 0) <= 15
        assert size.get("To copy (both)", 0) + size.get("To copy (async)", 0) <= 15

    def test_is_what_it_shows_and_the_pattern_and_what_it_prints(self, example: Path) -> None:
        code = example.read_text("utf-8")
        found = [*parts(code)]
        assert ast.get_docstring(ast.parse(code)) is not None
        assert found == [name for name in PARTS if name in found]
        assert found[-2:] == ["To run", "It prints"]
        if example.name in ONE_FLAVOUR:
            assert len(found) == 3
        else:
            flavours = ["To copy (sync)" in found, "To copy (async)" in found]
            assert flavours == [True, True] or found[:-2] == ["To copy (both)"]

    def test_is_in_the_index_once(self, example: Path) -> None:
        assert INDEX.count(f"]({example.name})") == 1

    def test_hides_no_other_module(self, example: Path) -> None:
        # Its folder comes first where it looks for modules.
        assert importlib.util.find_spec(example.stem) is None


def test_the_index_has_nothing_else() -> None:
    assert set(re.findall(r"\]\(([^)]*\.py)\)", INDEX)) <= {
        path.name for path in FOLDER.glob("*.py")
    }


class TestTheCheck:
    def test_takes_what_works(self, tmp_path: Path) -> None:
        example = tmp_path / "example.py"
        example.write_text("import httpx, transportkit\nassert __name__ == '__main__'\n")
        check(example, tmp_path)

    @pytest.mark.parametrize(
        "code",
        [
            "1 / 0",
            "open(__file__)",
            *(
                pytest.param(code, marks=pytest.mark.slow)
                for code in (
                    "raise SystemExit(3)",
                    "import warnings; warnings.warn('old', DeprecationWarning)",
                    "import socket; socket.socket()",
                    "async def f(): pass\nf()",
                    "import os; os.environ['HTTP_PROXY']",
                )
            ),
        ],
    )
    def test_catches_what_does_not(
        self, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://proxy.example")
        example = tmp_path / "example.py"
        example.write_text(f"{code}\n")
        with pytest.raises(AssertionError):
            check(example, tmp_path)

    def test_finds_the_parts(self) -> None:
        code = '"""It."""\n\n# To copy (both)\na = 1\n\nb = 2  # To run\n# To run\n# why\nc\n# It prints\n#\n#     1\n'
        assert parts(code) == {
            "To copy (both)": ["a = 1", "b = 2  # To run"],
            "To run": ["# why", "c"],
            "It prints": ["#     1"],
        }
