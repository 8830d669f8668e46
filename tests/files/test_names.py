"""The path that a URL names, and the URL of a path."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import file_url

from transportkit.files.names import path_named, url_path

FILE_NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: name not in (b".", b"..") and b"/" not in name and b"\0" not in name
)
PATHS = st.lists(FILE_NAMES, max_size=6).map(lambda names: b"/" + b"/".join(names))


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        (b"/", "/"),
        (b"/srv/docs/a.txt", "/srv/docs/a.txt"),
        (b"/srv/docs/", "/srv/docs/"),
        (b"/srv/docs/.", "/srv/docs/"),
        (b"/srv/docs/%2e", "/srv/docs/"),
        (b"//srv///docs/./a.txt", "/srv/docs/a.txt"),
        (b"/a%20b+c", "/a b+c"),
        (b"/a?b", "/a"),
        (b"/a%3Fb?c", "/a?b"),
        (b"/a?../../b%00", "/a"),
        (b"/100%25", "/100%"),
        (b"/%", "/%"),
        (b"/%zz%4", "/%zz%4"),
        (b"/%252e%252e/a", "/%2e%2e/a"),
        (b"/...", "/..."),
        (b"/..a", "/..a"),
        (b"/a\\..\\b", "/a\\..\\b"),
        (b"/C:/a", "/C:/a"),
        (b"/%C3%BC", "/ü"),
        (b"/u%CC%88", "/u\u0308"),
        (b"/%ff", "/\udcff"),
        (b"/%2", "/%2"),
        (b"/..", None),
        (b"/a/../b", None),
        (b"/a/%2e%2e/b", None),
        (b"/a/%2E./b", None),
        (b"/a/.%2e", None),
        (b"/a%2fb", None),
        (b"/a%2Fb", None),
        (b"/..%2fb", None),
        (b"/a%00", None),
        (b"/%00/a", None),
        (b"a", None),
        (b"", None),
        (b"?a", None),
    ],
)
def test_a_url_names_its_path_byte_for_byte_or_nothing(raw_path: bytes, path: str | None) -> None:
    assert path_named(raw_path, windows=False) == path


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        (b"/C:/Users/a%20b.txt", "C:\\Users\\a b.txt"),
        (b"/c:/Users/", "C:\\Users\\"),
        (b"/C|/Users", "C:\\Users"),
        (b"/C:", "C:\\"),
        (b"/C:/", "C:\\"),
        (b"//server/share/a.txt", "\\\\server\\share\\a.txt"),
        (b"//server/share", "\\\\server\\share\\"),
        (b"//server/", "\\server\\"),
        (b"/Users/a", "\\Users\\a"),
        (b"/C:/a/../b", None),
        (b"/C:/a%5Cb", None),
        (b"/C:/..%5Cb", None),
        (b"/C:/a.txt:stream", None),
        (b"/a/C:/b", None),
        (b"//server/sh%5Care/a", None),
        (b"/CC:/a", None),
        (b"/C:%2Fa", None),
    ],
)
def test_drives_and_unc_names_of_windows(raw_path: bytes, path: str | None) -> None:
    assert path_named(raw_path, windows=True) == path


def test_a_name_that_is_not_unicode_names_nothing_where_names_are_unicode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on Windows, where the file system encoding has no surrogateescape.
    monkeypatch.setattr(os, "fsdecode", bytes.decode)
    assert path_named(b"/C:/%ff", windows=True) is None
    assert path_named(b"/C:/%C3%BC", windows=True) == "C:\\ü"


@pytest.mark.parametrize(
    ("path", "of_url"),
    [
        ("C:\\Users\\a b", "/C:/Users/a%20b"),
        ("c:\\", "/C:/"),
        ("\\\\server\\share\\ü", "//server/share/%C3%BC"),
        ("\\\\?\\C:\\Users", "/C:/Users"),
        ("\\\\?\\UNC\\server\\share\\x", "//server/share/x"),
    ],
)
def test_the_url_of_a_windows_path_leads_back_to_it(path: str, of_url: str) -> None:
    assert url_path(path, windows=True) == of_url
    back = path_named(of_url.encode(), windows=True)
    assert back is not None
    assert back.lower() == path.replace("\\\\?\\UNC\\", "\\\\").replace("\\\\?\\", "").lower()


@given(st.binary(max_size=40), st.booleans())
@example(b"/%2e%2e", True)
def test_whatever_is_named_has_no_way_up(raw_path: bytes, windows: bool) -> None:
    path = path_named(raw_path, windows=windows)
    if path is not None:
        assert ".." not in path.replace("\\", "/" if windows else "\\").split("/")
        assert "\0" not in path
        assert path.startswith("\\" if windows and path[1:2] != ":" else path[0])


@given(PATHS)
def test_every_path_has_a_url_that_names_it(path: bytes) -> None:
    url = file_url(path)
    assert url.isascii()
    assert path_named(httpx.URL(url).raw_path) == os.fsdecode(path)
    # In a client with base_url="file:///" as well.
    with httpx.Client(base_url="file:///") as client:
        merged = client.build_request("GET", url).url
    assert path_named(merged.raw_path) == os.fsdecode(path)


class TestFileURL:
    @pytest.mark.parametrize(
        ("path", "url"),
        [
            ("/srv/docs/a.txt", "file:///srv/docs/a.txt"),
            (Path("/srv/docs"), "file:///srv/docs"),
            (b"/srv/docs", "file:///srv/docs"),
            ("/", "file:///"),
            ("//srv//docs/./a", "file:///srv/docs/a"),
            ("/100% done?#[1];x=y&z", "file:///100%25%20done%3F%23%5B1%5D%3Bx%3Dy%26z"),
            ("/ü", "file:///%C3%BC"),
            ("/\udcff\udc80", "file:///%FF%80"),
            ("/a\nb", "file:///a%0Ab"),
            ("/~scott/a-b_c.d", "file:///~scott/a-b_c.d"),
            ("/a:b\\c", "file:///a%3Ab%5Cc"),
        ],
    )
    def test_is_percent_encoded(self, path: str | bytes | Path, url: str) -> None:
        assert file_url(path) == url

    def test_takes_any_path_like(self) -> None:
        class Name(os.PathLike[bytes]):
            def __fspath__(self) -> bytes:
                return b"/\xff"

        assert file_url(Name()) == "file:///%FF"

    def test_starts_at_the_current_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert file_url("a b") == f"file://{tmp_path}/a%20b"
        assert file_url(Path()) == f"file://{tmp_path}"

    def test_goes_up_from_where_a_symlink_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "there" / "sub").mkdir(parents=True)
        (tmp_path / "here").symlink_to("there/sub")
        assert file_url(tmp_path / "here" / ".." / "a") == f"file://{tmp_path.resolve()}/there/a"
        # A symlink behind stays what it is.
        assert file_url(tmp_path / "x" / ".." / "here") == f"file://{tmp_path.resolve()}/here"

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("", "path is empty: write '.' for the current directory"),
            ("/a\0b", "path '/a\\x00b' holds a character that no file name has"),
            ("/\ud800", "path '/\\ud800' holds a character that no file name has"),
        ],
    )
    def test_of_what_no_file_is_called_is_refused(self, path: str, text: str) -> None:
        with pytest.raises(ValueError, match=r"^path") as refused:
            file_url(path)
        assert text in str(refused.value)

    @pytest.mark.parametrize("path", [None, 1, ["/a"], httpx.URL("file:///a")])
    def test_of_what_is_no_path_is_refused(self, path: Any) -> None:
        text = f"path must be a str, bytes or os.PathLike, not {type(path).__name__}"
        with pytest.raises(TypeError, match=text):
            file_url(path)
