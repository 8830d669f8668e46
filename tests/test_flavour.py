"""The transports for httpx2 are those for httpx, but for the name."""

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / "tools" / "flavour.py"


@pytest.fixture
def flavour_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/flavour.py`, on a copy of the package."""
    spec = importlib.util.spec_from_file_location("flavour_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for folder in tool.FOLDERS:
        for name in (folder, f"{folder}2"):
            shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    return tool


def test_what_is_committed_is_what_would_be_written(flavour_tool: ModuleType) -> None:
    assert flavour_tool.main(["--check"]) == 0


class TestAFileThatIsNotUpToDate:
    def test_is_named(
        self, flavour_tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with (tmp_path / "transportkit/httpx" / "retry.py").open("a") as file:
            file.write("# changed\n")
        (tmp_path / "transportkit/httpx" / "new.py").write_text("import httpx\n")
        (tmp_path / "transportkit/httpx2" / "old.py").write_text("import httpx2\n")
        assert flavour_tool.main(["--check"]) == 1
        named = re.findall(r"httpx2/(\w+)\.py", capsys.readouterr().out)
        assert named == ["new", "old", "retry"]

    def test_is_written(self, flavour_tool: ModuleType, tmp_path: Path) -> None:
        (tmp_path / "transportkit/httpx" / "new.py").write_text("import httpx\n")
        (tmp_path / "transportkit/httpx2" / "old.py").write_text("import httpx2\n")
        assert flavour_tool.main([]) == 0
        assert flavour_tool.main(["--check"]) == 0
        assert (
            (tmp_path / "transportkit/httpx2" / "new.py").read_text().endswith("\nimport httpx2\n")
        )


@pytest.mark.parametrize(
    ("source", "renamed"),
    [
        ("import httpx", "import httpx2"),
        ("httpx.Request, httpcore.Request", "httpx2.Request, httpcore2.Request"),
        ("`httpx.HTTPTransport`'s", "`httpx2.HTTPTransport`'s"),
        ("'httpx[http2]'", "'httpx2[http2]'"),
        ("from transportkit import Mounts", "from transportkit.httpx2 import Mounts"),
        ("import transportkit as tk", "import transportkit.httpx2 as tk"),
        # What has the name within its own stays.
        ("https://www.python-httpx.org/advanced/", "https://www.python-httpx.org/advanced/"),
        ("transportkit/httpx/ and httpx-retries", "transportkit/httpx/ and httpx-retries"),
        ("import httpx2", "import httpx2"),
        ("from ..wire.library import URL", "from ..wire.library import URL"),
    ],
)
def test_only_the_librarys_names_change(
    flavour_tool: ModuleType, source: str, renamed: str
) -> None:
    assert flavour_tool.renamed(source) == renamed
