"""What can be run on transportkit: `nox -l` lists it, `nox -s tests` runs one of it.

`.ci/run` runs these sessions too, two at a time, and adds only what a stranger's machine is: a
clean copy, every Python there is, a table of durations. So a command stands here once, and its
settings in pyproject.toml.
"""

import shutil
import tempfile
import tomllib
from pathlib import Path

import nox

PYPROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
PYTHONS = nox.project.python_versions(PYPROJECT)

# About 30 s. Every transport there is, once through the examples of its docstring and its page, and
# once over real sockets; and what differs between Pythons: imports, files, wheels.
SMOKE = (
    "tests/test_docs.py",
    "tests/test_exports.py",
    "tests/test_imports.py",
    "tests/test_wrapper.py",
    "tests/routing/test_documentation.py",
    "tests/retrying/test_call.py",
    "tests/rotation/test_proxies.py",
    "tests/https/test_redirect.py",
    "tests/files/test_reading.py",
)

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "docs", "shown", "tests"]
nox.options.error_on_external_run = True


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the quick tests, or what is given behind `--`, such as `--library httpx2`."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run all tests, and the quick ones on httpx2: together they reach every line and branch.

    What is async runs as asyncio on one of the libraries, and as trio on the other.
    """
    session.install(".[test]")
    covered = ["-q", "--cov", "--cov-report=", "--cov-fail-under=0", *session.posargs]
    session.run("pytest", "--slow", *covered)
    session.run("pytest", "--library=httpx2", "--both-shells", "--cov-append", *covered)
    session.run("coverage", "report")


@nox.session(python=PYTHONS)
def smoke(session: nox.Session) -> None:
    """Run a few tests of everything."""
    session.install(".[test]")
    session.run("pytest", "-q", *SMOKE)


@nox.session(python=PYTHONS)
def lowest(session: nox.Session) -> None:
    """Run them with the lowest versions of the dependencies, and then of httpx2."""
    lowest = [bound.replace(">=", "==") for bound in PYPROJECT["project"]["dependencies"]]
    # The lowest httpcore and any httpcore2 want different versions of h11, and what the examples
    # need wants later ones of anyio.
    needless = ("httpx2", "transportkit[examples]")
    tools = [tool for tool in extra("test") if not tool.startswith(needless)]
    session.install(".", *tools, *lowest)
    session.run("pytest", "-q", *SMOKE)
    session.install(".[test]", *(bound.replace(">=", "==") for bound in extra("httpx2")))
    session.run("pytest", "-q", "--library=httpx2", *SMOKE)


@nox.session
def wheel(session: nox.Session) -> None:
    """Run them on the built wheel, away from the checkout, on either library."""
    with tempfile.TemporaryDirectory() as name:
        away = Path(name)
        session.run("pip", "wheel", "-q", "--no-deps", f"--wheel-dir={away}", ".")
        (built,) = away.glob("*.whl")
        session.install(f"{built}[test]")
        for folder in ("tests", "examples", "docs"):
            shutil.copytree(folder, away / folder)
        for file in ("README.md", "pyproject.toml"):
            shutil.copy(file, away)
        session.chdir(away)
        session.run("pytest", "-q", *SMOKE)
        session.run("pytest", "-q", "--library=httpx2", *SMOKE)


@nox.session
def sdks(session: nox.Session) -> None:
    """Send what SDKs ask through the transports, of the library that each is on."""
    session.install(".[test,sdks]")
    session.run("pytest", "-q", *(session.posargs or ["tests/sdks"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Look for what is no good style, and for a flavour that is not up to date."""
    session.install(*(tool for tool in extra("lint") if tool.startswith("ruff")))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "tools/flavour.py", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, and that all public ones are known."""
    session.install(".[test,lint]")
    session.run("mypy")
    # Away from the checkout, so that it is the installed package that is looked at.
    with tempfile.TemporaryDirectory() as away:
        session.chdir(away)
        session.run("pyright", "--verifytypes", "transportkit", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, into a folder that is given behind `--`, or to see that it can be."""
    session.install(".[docs]")
    with tempfile.TemporaryDirectory() as away:
        to = session.posargs or [away]
        # Material warns of what MkDocs may become.
        env = {"NO_MKDOCS_2_WARNING": "1"}
        session.run("mkdocs", "build", "--strict", "--site-dir", *to, env=env)


@nox.session
def shown(session: nox.Session) -> None:
    """Run what the docstrings, the README, the documentation and the examples show."""
    session.install(".[test]")
    shown = ("tests/test_docs.py", "tests/test_pages.py", "tests/test_examples.py")
    session.run("pytest", "--slow", *shown)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Write docs/benchmarks.md: what things cost beside the peers; or print it of those given."""
    session.install(".[test,benchmarks]")
    session.run("python", "tests/benchmarks/page.py", *session.posargs)


def extra(name: str) -> list[str]:
    """The requirements of one of the project's extras."""
    requirements: list[str] = PYPROJECT["project"]["optional-dependencies"][name]
    return requirements
