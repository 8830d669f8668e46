"""The type and the version of a file."""

import os
from pathlib import Path

import pytest

from transportkit.files.representation import content_type, describe


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.svg", "image/svg+xml"),
        ("a.pdf", "application/pdf"),
        ("Makefile", "application/octet-stream"),
        (".txt", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        ("a.tar.gz", "application/gzip"),
        ("a.txt.gz", "application/gzip"),
        ("a.tar.bz2", "application/x-bzip2"),
        ("a.tar.xz", "application/x-xz"),
        ("a.Z", "application/octet-stream"),
        ("http:a?b.png", "image/png"),
        ("data:,a.txt", "text/plain; charset=utf-8"),
        ("[a]?#\n\udcff.txt", "text/plain; charset=utf-8"),
    ],
)
def test_the_type_goes_by_the_name(name: str, kind: str) -> None:
    assert content_type(name) == kind


class TestTheEntityTag:
    def test_changes_with_the_content(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"one")
        os.utime(path, ns=(0, 10**18))
        earlier = path.stat()
        # The same size, and the time set back: what cp -p and rsync do.
        while path.stat().st_ctime_ns == earlier.st_ctime_ns:
            path.write_bytes(b"two")
            os.utime(path, ns=(0, 10**18))
        before, after = describe(earlier, path.name), describe(path.stat(), path.name)
        assert (after.size, after.modified) == (before.size, before.modified)
        assert after.etag != before.etag

    def test_changes_with_a_nanosecond(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"one")
        tags = set()
        for nanoseconds in (10**18, 10**18 + 100, -5):
            os.utime(path, ns=(0, nanoseconds))
            tags.add(describe(path.stat(), path.name).etag)
        assert len(tags) == 3

    def test_stays_while_the_file_does(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"one")
        before = describe(path.stat(), path.name)
        path.read_bytes()
        assert describe(path.stat(), path.name) == before
