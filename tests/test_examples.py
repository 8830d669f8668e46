"""Every example runs as its reader would run it, and leaves nothing to warn about."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(example: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-W", "error"]
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
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


def check(example: Path, directory: Path) -> None:
    done = run(example, directory)
    assert done.returncode == 0, done.stderr
    # A warning that is raised where nothing can catch it does not change the exit status.
    assert "Exception ignored" not in done.stderr, done.stderr
    assert "Warning" not in done.stderr, done.stderr


# The one that everybody begins with runs always, and the short one; the others where time is.
QUICK = {"quickstart.py", "wrapping.py"}


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, id=path.name, marks=[] if path.name in QUICK else pytest.mark.slow)
        for path in EXAMPLES
    ],
)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    check(example, tmp_path)


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
