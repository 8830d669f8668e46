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
# Not to be copied from: the servers, and what draws the picture.
TOOLS = {"local.py", "waterfall.py"}
PICTURES = {"examples/waterfall.svg": "waterfall.svg"}
# A link to a file of the repository, relative or not, in the text or beneath it.
_LINK = re.compile(
    r"(?P<before>\]\(|^\[[\w -]+\]: )"
    rf"(?:{re.escape(REPOSITORY)}(?P<path>[^)#\s]+)|(?![a-z]+:|#)(?P<address>[^)#\s]+))"
    r"(?P<anchor>#[^)\s]*)?",
    re.MULTILINE,
)
# A line of the cookbook's index, and whatever else leads to an example.
_RECIPE = re.compile(
    r"^- \[\w+\.py\]\(cookbook\.md#(?P<name>\w+)\):? *(?P<what>.+(?:\n  .+)*)\n", re.MULTILINE
)
_MENTION = re.compile(r"\]\(cookbook\.md#(\w+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is not in `docs/`."""
    from mkdocs.structure.files import File

    for page, text in pages().items():
        files.append(File.generated(config, page, content=text))
    for file, picture in PICTURES.items():
        files.append(File.generated(config, picture, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links of a page in `docs/` lead to other pages where GitHub leads to files."""
    return linked(f"docs/{page.file.src_uri}", markdown)


def pages() -> dict[str, str]:
    """The pages that are made, each as Markdown."""
    made = {page: linked(file, (ROOT / file).read_text("utf-8")) for file, page in PAGES.items()}
    made["cookbook.md"] = cookbook(made["cookbook.md"])
    return made


def cookbook(index: str) -> str:
    """The index of the examples, with each example beneath its line, whole."""
    shown: set[str] = set()

    def recipe(found: re.Match[str]) -> str:
        shown.add(found["name"])
        what = " ".join(found["what"].split())
        # Names of libraries and schemes are written small.
        is_name = what.startswith("http")
        return example(found["name"], what if is_name else what[0].upper() + what[1:])

    text = re.sub(_RECIPE, recipe, index)
    others = [name for name in dict.fromkeys(re.findall(_MENTION, index)) if name not in shown]
    return text + "".join(f"\n{example(name, name.capitalize(), '##')}" for name in others)


def example(name: str, heading: str, level: str = "###") -> str:
    """The section that shows an example.

    Arguments:
        name: that of its file, without the suffix.
        heading: what it is for.
        level: that of the heading.
    """
    code = (ROOT / "examples" / f"{name}.py").read_text("utf-8").rstrip()
    return f'{level} {heading} {{ #{name} }}\n\n```python title="examples/{name}.py"\n{code}\n```\n'


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
    if found := (PAGES | PICTURES).get(file):
        return found + anchor
    if file.startswith("docs/"):
        return file.removeprefix("docs/") + anchor
    if re.fullmatch(r"examples/\w+\.py", file) and Path(file).name not in TOOLS:
        return f"cookbook.md#{Path(file).stem}"
    return REPOSITORY + file + anchor
