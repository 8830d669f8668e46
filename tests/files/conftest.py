"""A tree of real files, and a check that none of them stays open."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.trees import Tree, plant


def _open_files(directory: Path) -> set[str]:
    opened = set()
    for entry in Path("/proc/self/fd").glob("*"):
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # the one that lists the others
            continue
        if target.startswith((str(directory), "/ ", "/dev/")) or target == "/":
            opened.add(f"{entry.name} {target}")
    return opened


@pytest.fixture(autouse=True)
def no_file_left_open(tmp_path: Path) -> Iterator[None]:
    """After each test none of its files and directories is open, nor `/`, nor a device."""
    before = _open_files(tmp_path)
    yield
    left = _open_files(tmp_path) - before
    if left:
        gc.collect()
        left = _open_files(tmp_path) - before
    assert not left, f"left open: {sorted(left)}"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Files beneath a root and outside of it, and links of all kinds between them."""
    return plant(tmp_path)
