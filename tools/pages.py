"""A hook of MkDocs: the pages that are made of files which stand elsewhere.

The README, the changelog and their like are on GitHub and on PyPI as well, where the pages in
`docs/` and the cookbook are files of the repository: links between them are made to fit here.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = "https://github.com/transportkit/transportkit/blob/main/"
# Where each file of the repository is found among the pages.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "cookbook.md",
}
# A link to a file of the repository, relative or not, in the text or beneath it.
_LINK = re.compile(
    r"(?P<before>\]\(|^\[[\w -]+\]: )"
    rf"(?:{re.escape(REPOSITORY)}(?P<path>[^)#\s]+)|(?![a-z]+:|#)(?P<address>[^)#\s]+))"
    r"(?P<anchor>#[^)\s]*)?",
    re.MULTILINE,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that no file in `docs/` holds."""
    from mkdocs.structure.files import File

    for page, text in pages().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links of a page in `docs/` lead to other pages where GitHub leads to files."""
    return linked(f"docs/{page.file.src_uri}", markdown)


def pages() -> dict[str, str]:
    """The pages that are made, each as Markdown."""
    made = {page: linked(file, (ROOT / file).read_text("utf-8")) for file, page in PAGES.items()}
    made["cookbook.md"] += "".join(f"\n{recipe(path)}" for path in examples())
    return made


def examples() -> list[Path]:
    """The examples, without the helpers that nobody has to read."""
    return sorted(
        path for path in (ROOT / "examples").glob("*.py") if not path.name.startswith("_")
    )


def recipe(path: Path) -> str:
    """The section of the cookbook that shows an example."""
    code = path.read_text("utf-8").rstrip()
    return f"## {path.name} {{ #{path.stem} }}\n\n```python\n{code}\n```\n"


def linked(file: str, text: str) -> str:
    """The text of a file of the repository, with links that lead where its page leads.

    Arguments:
        file: its path in the repository.
        text: what it holds, in Markdown.
    """
    folder = posixpath.dirname(file)

    def link(found: re.Match[str]) -> str:
        address = found["address"]
        path = posixpath.normpath(posixpath.join(folder, address)) if address else found["path"]
        return found["before"] + place(path, found["anchor"] or "")

    return re.sub(_LINK, link, text)


def place(file: str, anchor: str = "") -> str:
    """Where a link to a file of the repository leads, among the pages if it is one of them."""
    if file in PAGES:
        return PAGES[file] + anchor
    if file.startswith("docs/"):
        return file.removeprefix("docs/") + anchor
    if re.fullmatch(r"examples/[a-z]\w*\.py", file):
        return f"cookbook.md#{Path(file).stem}"
    return REPOSITORY + file + anchor
