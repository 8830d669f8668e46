"""The path that a file URL names, and the URL of a path (RFC 8089).

A URL names its absolute path, byte for byte. Windows' drive letters and UNC names are
written as `urllib.request.pathname2url` writes them, without a host: `file:///C:/x` and
`file:////server/share/x`.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path, as the functions of `os` take it."""

_DRIVE = re.compile(r"([A-Za-z])[:|]")


def path_named(raw_path: bytes, *, windows: bool = os.name == "nt") -> str | None:
    r"""The path that a URL names; None if no file can have such a name.

    A query is not part of the name. The path is absolute and has no `.`, no `..` and no
    empty parts, except for a slash at its end, which only a directory has.

    Arguments:
        raw_path: path and query of the URL, as in `httpx.URL.raw_path`.
        windows: follow the rules of Windows. Default: True on Windows.

    >>> path_named(b"/srv/docs/a%20b?page=2", windows=False)
    '/srv/docs/a b'
    >>> path_named(b"/C:/Users", windows=True)
    'C:\\Users'
    """
    path = _decoded(raw_path.partition(b"?")[0])
    if path is None or not path.startswith("/"):
        return None
    if not windows and "/." not in path and "//" not in path:
        return path
    parts = path.split("/")[1:]
    if ".." in parts:
        return None
    if not windows:
        return "/".join(["", *_without_empty(parts)])
    drive, parts = _split_drive(parts)
    if any("\\" in part or ":" in part for part in parts):
        return None
    return "\\".join([drive, *_without_empty(parts)])


def _decoded(quoted: bytes) -> str | None:
    """A percent-encoded path, decoded; None if that adds a slash or a NUL."""
    plain = unquote_to_bytes(quoted) if b"%" in quoted else quoted
    if b"\0" in plain or plain.count(b"/") != quoted.count(b"/"):
        return None
    try:
        return os.fsdecode(plain)
    except UnicodeDecodeError:  # only where the names of files are Unicode
        return None


def _without_empty(parts: list[str]) -> list[str]:
    *folders, last = parts
    return [*(part for part in folders if part not in ("", ".")), "" if last == "." else last]


def _split_drive(parts: list[str]) -> tuple[str, list[str]]:
    """The drive or share that a path starts with, if any, and the rest, which is not empty."""
    if drive := _DRIVE.fullmatch(parts[0]):
        return f"{drive[1].upper()}:", parts[1:] or [""]
    if parts[0] == "" and all(parts[1:3]) and len(parts) > 2:
        share = parts[1:3]
        if not any("\\" in part or ":" in part for part in share):
            return "\\\\" + "\\".join(share), parts[3:] or [""]
    return "", parts


def absolute(path: AnyPath, argument: str = "path") -> str:
    """A path from the root of the file system on, without `.`, `..` and empty parts.

    Arguments:
        path: any path; a relative one starts at the current directory.
        argument: its name in error texts.

    Raises:
        TypeError: it is not a path.
        ValueError: it is empty, or no file can have such a name.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(
            f"{argument} must be a str, bytes or os.PathLike, not {type(path).__name__}"
        ) from None
    if not text:
        raise ValueError(f"{argument} is empty: write '.' for the current directory")
    try:
        has_nul = b"\0" in os.fsencode(text)
    except UnicodeEncodeError:
        has_nul = True
    if has_nul:
        raise ValueError(
            f"{argument} {text!r} holds a character that no file name has: leave it out"
        )
    parts = Path(text).parts
    if ".." in parts:
        # The part before it may be a symlink, and then `..` is the parent of its target.
        end = len(parts) - parts[::-1].index("..")
        text = str(Path(os.path.realpath(Path(*parts[:end])), *parts[end:]))
    text = str(Path(text).absolute())
    return text[1:] if os.sep == "/" and text.startswith("//") else text


def file_url(path: AnyPath) -> str:
    """The URL of a file, for `FileSystemTransport`: without a host, percent-encoded.

    Every name comes out right, even one that is not Unicode. A UNC name of Windows gets
    four slashes, because a URL with a host is never answered.
    See RFC 8089, section 2 and appendix E.

    Arguments:
        path: a path, absolute or relative to the current directory. It need not exist.

    Raises:
        TypeError: it is not a path.
        ValueError: it is empty, or no file can have such a name.

    >>> file_url("/srv/docs/100% done?.txt")
    'file:///srv/docs/100%25%20done%3F.txt'
    """
    return f"file://{url_path(absolute(path))}"


def url_path(path: str, *, windows: bool = os.name == "nt") -> str:
    r"""The path of the URL of an absolute path.

    >>> url_path("C:\\Users\\scott", windows=True)
    '/C:/Users/scott'
    >>> url_path("\\\\server\\share\\x", windows=True)
    '//server/share/x'
    """
    if not windows:
        return quote(os.fsencode(path))
    path = path.removeprefix("\\\\?\\").replace("\\", "/")
    if path.upper().startswith("UNC/"):
        path = f"//{path[4:]}"
    if drive := _DRIVE.match(path):
        return f"/{drive[1].upper()}:{quote(path[2:])}"
    return quote(path)
