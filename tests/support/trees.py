"""A tree of real files, links and what else a directory can hold."""

import os
import socket
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

SECRET = b"not for you"


class Tree(NamedTuple):
    """Where the files are.

    Attributes:
        root: what may be read.
        outside: what may not.
    """

    root: Path
    outside: Path


def plant(directory: Path) -> Tree:
    """Files beneath a root and outside of it, and links of all kinds between them."""
    root, outside = directory / "root", directory / "outside"
    for folder in (root / "sub" / "deep", root / "empty", outside / "sub"):
        folder.mkdir(parents=True)
    (root / "a.txt").write_bytes(b"a")
    (root / "index.html").write_bytes(b"index")
    (root / "sub" / "b.txt").write_bytes(b"b")
    (root / "sub" / "deep" / "c.txt").write_bytes(b"c")
    (outside / "secret.txt").write_bytes(SECRET)
    (outside / "sub" / "secret.txt").write_bytes(SECRET)
    (directory / "root-and-more").mkdir()
    (directory / "root-and-more" / "secret.txt").write_bytes(SECRET)
    links: dict[Path, str | Path] = {
        root / "link": "a.txt",
        root / "absolute": root / "sub" / "b.txt",
        root / "directory": "sub",
        root / "up-and-back": "../root/a.txt",
        root / "sub" / "up": "..",
        root / "chain": "chain-2",
        root / "chain-2": "sub/up/link",
        root / "detour": outside / "back" / "a.txt",
        outside / "back": root,
        root / "to-root": root,
        root / "to-slash": "/",
        root / "loop": "loop",
        root / "loop-a": "loop-b",
        root / "loop-b": "loop-a/x",
        root / "dangling": "nothing",
        root / "slash-behind": "a.txt/",
        root / "past-nothing": "nothing/../a.txt",
        root / "past-file": "a.txt/../a.txt",
        root / "secret": outside / "secret.txt",
        root / "relative-secret": "../outside/secret.txt",
        root / "outside": outside,
        root / "outside-index": outside,
        root / "neighbour": "../root-and-more/secret.txt",
        root / "far": "../../../../../../../../../../../../etc/passwd",
        root / "passwd": "/etc/passwd",
        root / "zero": "/dev/zero",
        root / "status": "/proc/self/status",
        root / "own-root": "/proc/self/root/etc/passwd",
        directory / "entrance": root,
    }
    for link, target in links.items():
        link.symlink_to(target)
    os.mkfifo(root / "fifo")
    os.mkfifo(outside / "fifo")
    (root / "to-fifo").symlink_to("fifo")
    # A socket's path has at most 108 bytes.
    with chdir(root), socket.socket(socket.AF_UNIX) as unix:
        unix.bind("socket")
    return Tree(root, outside)
