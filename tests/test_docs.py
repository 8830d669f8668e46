"""What the docstrings, the README and the pages in docs/ show is what happens."""

import ast
import doctest
import functools
import importlib
import importlib.util
import inspect
import io
import logging
import os
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

import transportkit

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
PACKAGE = Path(transportkit.__path__[0])
MODULES = [
    "transportkit",
    *(module.name for module in pkgutil.walk_packages([str(PACKAGE)], "transportkit.")),
]
# Those for httpx2 show what httpx2 does, where it is installed.
IS_LEFT_OUT = importlib.util.find_spec("httpx2") is None
RUN = [name for name in MODULES if not (IS_LEFT_OUT and name.startswith("transportkit.httpx2"))]

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<tag>[\w+-]*).*\n"
    r"(?P<code>(?:.*\n)*?)"
    r"(?P=indent)(?P=fence) *$",
    re.MULTILINE,
)
_PROMPTS = re.compile(r"^ *>>> .*\n(?:.*\S.*\n)*", re.MULTILINE)
_SECTION = re.compile(r"^##? +(.+?)[ #]*$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _with_the_environment_there_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _with_the_handlers_there_were() -> Iterator[None]:
    """An example that adds a handler to a logger would change what other tests see there."""
    before = {id(logger): ([*logger.handlers], logger.level) for logger in loggers()}
    yield
    for logger in loggers():
        logger.handlers[:], level = before.get(id(logger), ([], logging.NOTSET))
        logger.setLevel(level)


def loggers() -> list[logging.Logger]:
    known = logging.Logger.manager.loggerDict.values()
    return [logging.getLogger(), *(each for each in known if isinstance(each, logging.Logger))]


def run(test: doctest.DocTest) -> str:
    """Run examples; the report of what failed, if anything did."""
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.write, clear_globs=False)
    return report.getvalue()


@functools.cache
def examples_in(module: str) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        # Loaded when it is first asked for, and then found.
        getattr(loaded, name)
    return finder.find(loaded, extraglobs={"httpx": httpx})


class TestDocstrings:
    @pytest.mark.parametrize("module", RUN)
    def test_show_what_happens(self, module: str) -> None:
        for test in examples_in(module):
            assert run(test) == ""

    def test_are_all_run(self) -> None:
        # Doctest passes over what says that it comes from another module.
        specs = [importlib.util.find_spec(name) for name in RUN]
        texts = [Path(spec.origin).read_text("utf-8") for spec in specs if spec and spec.origin]
        written = sum(len(re.findall("^ *>>> ", text, re.MULTILINE)) for text in texts)
        assert len(texts) == len(RUN)
        assert sum(len(test.examples) for name in RUN for test in examples_in(name)) == written

    def test_that_show_something_else_fail(self) -> None:
        parser = doctest.DocTestParser()
        test = parser.get_doctest(">>> 1 + 1\n3\n", {}, "wrong", "wrong.py", 0)
        assert "Expected:\n    3\nGot:\n    2" in run(test)


class Block(NamedTuple):
    """Code of a page: a program, or examples with `>>>`."""

    page: str
    section: str
    line: int
    code: str

    def run(self, namespace: dict[str, object]) -> None:
        if ">>> " in self.code:
            test = doctest.DocTestParser().get_doctest(
                self.code, namespace, self.section, self.page, self.line
            )
            test.globs = namespace
            assert run(test) == ""
        else:
            tree = ast.increment_lineno(ast.parse(self.code), self.line)
            exec(compile(tree, self.page, "exec"), namespace)


def blocks(text: str, page: str = "README.md") -> Iterator[Block]:
    """Every fenced block tagged `python`, and every block with `>>>`, fenced or not.

    A section is what stands under a heading of the first or second level.
    """
    found = {
        match.start("code"): match["code"]
        for match in _FENCE.finditer(text)
        if match["tag"].lower() == "python"
        # A console may print the same mark: such a block is tagged as text.
        or (match["tag"] != "text" and re.search("^ *>>> ", match["code"], re.MULTILINE))
    }
    # Comments in the code are no headings.
    prose = _FENCE.sub(lambda match: re.sub(".", " ", match[0]), text)
    found |= {match.start(): match[0] for match in _PROMPTS.finditer(prose)}
    if unclosed := re.search("^ *(```|~~~)", prose, re.MULTILINE):
        raise ValueError(f"line {text.count(chr(10), 0, unclosed.start()) + 1} opens a block")
    for start, code in sorted(found.items()):
        sections = _SECTION.findall(prose, 0, start)
        line = text.count("\n", 0, start)
        yield Block(page, sections[-1] if sections else "", line, textwrap.dedent(code))


def sections() -> Iterator[tuple[str, list[Block]]]:
    """The blocks of each section of each page, named by both."""
    for path in PAGES:
        page = path.relative_to(ROOT).as_posix()
        if IS_LEFT_OUT and page == "docs/httpx2.md":
            continue
        found = blocks(path.read_text("utf-8"), page)
        for section, of_it in groupby(found, lambda block: block.section):
            yield f"{page}: {section}", list(of_it)


SECTIONS = list(sections())


class TestThePages:
    @pytest.mark.parametrize(("name", "found"), SECTIONS, ids=[name for name, _ in SECTIONS])
    def test_show_what_happens(
        self, name: str, found: list[Block], request: pytest.FixtureRequest
    ) -> None:
        namespace: dict[str, object] = {"__name__": "__main__"}
        for block in found:
            block.run(namespace)
        for shown in [*namespace.values()]:
            # What is shown as a test is run as one.
            if inspect.isfunction(shown) and shown.__name__.startswith("test_"):
                shown(*map(request.getfixturevalue, inspect.signature(shown).parameters))

    def test_have_sections_of_different_names(self) -> None:
        names = [name for name, _ in SECTIONS]
        assert len(names) == len(set(names))


SAMPLE = """
```python
top = 1
```
# One
```python
# Two: a comment
x = 1
```
Text
  ```python
  y = x
  ```
### Still one
~~~python title="a.py"
z = y
~~~
```toml
x = "not Python"
```
```pycon
>>> z + 1
2
```
## Three ##

    >>> def f():
    ...     return 1
    >>> f()
    1

Text `>>> 1` and

```
>>> 2
2
```
```sh
pip install transportkit
```
```text
>>> GET https://example.com/
```
"""


class TestTheBlocks:
    def test_are_found_in_order_with_their_sections_and_lines(self) -> None:
        found = list(blocks(SAMPLE))
        assert [(block.section, block.code) for block in found] == [
            ("", "top = 1\n"),
            ("One", "# Two: a comment\nx = 1\n"),
            ("One", "y = x\n"),
            ("One", "z = y\n"),
            ("One", ">>> z + 1\n2\n"),
            ("Three", ">>> def f():\n...     return 1\n>>> f()\n1\n"),
            ("Three", ">>> 2\n2\n"),
        ]
        lines = SAMPLE.splitlines()
        assert all(lines[block.line].strip() == block.code.splitlines()[0] for block in found)

    def test_share_a_namespace(self) -> None:
        namespace: dict[str, object] = {}
        for block in blocks(SAMPLE):
            block.run(namespace)
        assert namespace["z"] == 1

    @pytest.mark.parametrize("code", ["```python\n1 / 0\n```\n", "```python\nassert 1 == 2\n```\n"])
    def test_that_raise_fail_with_their_line(self, code: str) -> None:
        (block,) = blocks(f"\n\n{code}")
        with pytest.raises((ZeroDivisionError, AssertionError)) as caught:
            block.run({})
        last = caught.traceback[-1]
        assert (str(last.path).endswith("README.md"), last.lineno + 1) == (True, 4)

    def test_that_show_something_else_fail(self) -> None:
        (block,) = blocks(">>> 1 + 1\n3\n")
        with pytest.raises(AssertionError, match="Expected"):
            block.run({})

    def test_that_are_never_closed_are_an_error(self) -> None:
        with pytest.raises(ValueError, match=r"^line 2 opens a block$"):
            list(blocks("Text\n```python\nx = 1\n"))
