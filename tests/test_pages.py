"""The pages in docs/: complete, true to the code in their tables, and led to by their links."""

import importlib.util
import inspect
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import httpx
import pytest
import tenacity

import transportkit

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMESPACE = {**{name: getattr(transportkit, name) for name in transportkit.__all__}, "httpx": httpx}


def hook() -> ModuleType:
    """The hook by which MkDocs makes the pages of what stands elsewhere."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "pages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Table(NamedTuple):
    """Arguments and their defaults, as a page has them."""

    page: str
    taker: str
    rows: list[tuple[str, str]]


_TABLE = re.compile(
    r"^\| argument of `([\w.]+)` \| default \|.*\n\|[ |-]+\n((?:\|.*\n)+)", re.MULTILINE
)


def tables() -> Iterator[Table]:
    for page in PAGES:
        for taker, body in _TABLE.findall(page.read_text("utf-8")):
            cells = [line.split("|")[1:3] for line in body.splitlines()]
            rows = [(name.strip(" `"), default.strip()) for name, default in cells]
            yield Table(page.name, taker, rows)


TABLES = list(tables())
# They take no arguments that have defaults, or are not made by users.
WITHOUT = {"Attempt", "Body", "Exchange", "InvalidRoute", "ProxyStatus", "Route", "Timings"}
WITHOUT |= {"HTTPTransportOptions", "StackWarning", "retry_if_status", "retry_if_transport_error"}
WITHOUT |= {"default_transport", "async_default_transport", "sticky_by_host", "sticky_by_header"}


class TestTheTablesOfDefaults:
    @pytest.mark.parametrize("table", TABLES, ids=[table.taker for table in TABLES])
    def test_have_what_the_code_has(self, table: Table) -> None:
        parameters = inspect.signature(eval(table.taker, dict(NAMESPACE))).parameters.values()
        names = [str(each).partition(":")[0].partition("=")[0] for each in parameters]
        assert [name for name, _ in table.rows] == names
        for (name, shown), parameter in zip(table.rows, parameters, strict=True):
            if name.startswith("*"):
                assert shown == "none"
            elif parameter.default is parameter.empty:
                assert shown == "required"
            elif name == "stop":
                assert shown == "`tenacity.stop_after_attempt(4)`"
                assert stops_after(parameter.default) == stops_after(tenacity.stop_after_attempt(4))
            else:
                expression = shown.replace("` or `", "` | `").replace("`", "")
                value = eval(expression, dict(NAMESPACE))
                assert value == parameter.default or repr(value) == repr(parameter.default), name

    @pytest.mark.parametrize("table", TABLES, ids=[table.taker for table in TABLES])
    def test_hold_for_async_clients_too(self, table: Table) -> None:
        if twin := getattr(transportkit, f"Async{table.taker}", None):
            assert {
                name: parameter.default
                for name, parameter in inspect.signature(twin).parameters.items()
            } == {
                name: parameter.default
                for name, parameter in inspect.signature(
                    getattr(transportkit, table.taker)
                ).parameters.items()
            }

    def test_are_there_for_every_name_that_has_arguments(self) -> None:
        takers = [table.taker for table in TABLES]
        assert len(takers) == len(set(takers))
        names = {
            name
            for name in transportkit.__all__
            if name not in {"Routes", "Target", "__version__"} and not name.startswith("Async")
        }
        assert names - WITHOUT == set(takers) - {"httpx.HTTPTransport"}


def stops_after(stop: object) -> int:
    """The number of attempts that a strategy allows."""
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    for number in itertools.count(1):
        state.attempt_number = number
        if stop(state):  # type: ignore[operator]
            return number
    raise AssertionError


class TestTheReference:
    def test_has_every_public_name_once(self) -> None:
        text = (ROOT / "docs" / "reference.md").read_text("utf-8")
        named = re.findall(r"^::: transportkit\.(\w+)$", text, re.MULTILINE)
        assert sorted(named) == sorted(name for name in transportkit.__all__ if name[0] != "_")


class TestTheChangelog:
    def test_has_the_version_with_a_date_and_a_link(self) -> None:
        text = (ROOT / "CHANGELOG.md").read_text("utf-8")
        released = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
        assert released[0] == transportkit.__version__
        assert re.findall(r"^\[([\d.]+)\]: https://", text, re.MULTILINE) == released


class TestTheNavigation:
    def test_leads_to_every_page(self) -> None:
        # Read as text: its tags for Python objects are not everybody's YAML.
        named = re.findall(
            r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE
        )
        assert sorted(named) == sorted([*(page.name for page in PAGES), *hook().PAGES.values()])


class TestTheCookbook:
    def test_shows_every_example_whole(self) -> None:
        text = hook().pages()["cookbook.md"]
        tools = hook().TOOLS
        examples = [path for path in (ROOT / "examples").glob("*.py") if path.name not in tools]
        assert examples
        missing = [path.name for path in examples if path.read_text("utf-8").rstrip() not in text]
        assert missing == []

    def test_has_each_beneath_its_line_of_the_index(self) -> None:
        index = "See [b.py](cookbook.md#quickstart).\n\n- [a.py](cookbook.md#retry_busy): try\n  again\n"
        text = hook().cookbook(index)
        headings = re.findall(r"^#.*", re.sub(r"(?s)```.*?```", "", text), re.MULTILINE)
        assert headings == ["### Try again { #retry_busy }", "## Quickstart { #quickstart }"]


class TestLinks:
    def test_of_the_readme_are_absolute_and_lead_to_files_that_are_there(self) -> None:
        text = (ROOT / "README.md").read_text("utf-8")
        links = re.findall(r"(?:\]\(|^\[\w+\]: )([^)\s]+)", text, re.MULTILINE)
        assert [link for link in links if not link.startswith("https://")] == []
        ours = [link.removeprefix(hook().REPOSITORY) for link in links if hook().REPOSITORY in link]
        assert ours
        assert [link for link in ours if not (ROOT / link.partition("#")[0]).exists()] == []

    @pytest.mark.parametrize(
        ("file", "before", "after"),
        [
            ("docs/a.md", "[x](b.md#c)", "[x](b.md#c)"),
            ("docs/a.md", "[x](../examples/README.md)", "[x](cookbook.md)"),
            ("docs/a.md", "[x](../examples/sticky.py)", "[x](cookbook.md#sticky)"),
            ("examples/README.md", "[x](sticky.py)", "[x](cookbook.md#sticky)"),
            ("README.md", "![x](docs/stack.svg)", "![x](stack.svg)"),
            ("docs/a.md", "![x](../examples/waterfall.svg)", "![x](waterfall.svg)"),
            ("CONTRIBUTING.md", "[x](tests/a.md)", "[x]({}tests/a.md)"),
            ("examples/README.md", "[x](waterfall.py)", "[x]({}examples/waterfall.py)"),
            ("README.md", "[x]({}docs/a.md#b)", "[x](a.md#b)"),
            ("README.md", "[x]({}CHANGELOG.md)", "[x](changelog.md)"),
            ("README.md", "[x](https://example.com/#y)", "[x](https://example.com/#y)"),
            ("README.md", "[x](#y)", "[x](#y)"),
            ("README.md", "[x]: {}docs/a.md", "[x]: a.md"),
        ],
    )
    def test_lead_to_pages_where_there_are_any(self, file: str, before: str, after: str) -> None:
        repository = hook().REPOSITORY
        assert hook().linked(file, before.format(repository)) == after.format(repository)
