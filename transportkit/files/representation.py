"""A file as HTTP sees it: its size, its version and its media type (RFC 9110, section 8)."""

import mimetypes
import os
from functools import lru_cache
from typing import NamedTuple

# guess_type parses URLs; for paths there is a function of its own since Python 3.13.
_guess_type = getattr(mimetypes, "guess_file_type", mimetypes.guess_type)
# The type of a packed file is that of the packing, as it is sent packed.
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


class Representation(NamedTuple):
    """A file at one moment.

    Attributes:
        size: in bytes.
        etag: a strong entity-tag, in its quotes.
        modified: seconds since 1970, rounded down.
        content_type: the media type, with a charset if it is text.
    """

    size: int
    etag: str
    modified: int
    content_type: str


def describe(status: os.stat_result, name: str) -> Representation:
    """The representation of a file.

    Its entity-tag changes with its content: the time of change is in it, because the time
    of modification can be set back.

    Arguments:
        status: the result of `fstat`.
        name: its file name.
    """
    times = f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
    etag = f'"{times}-{status.st_size:x}-{status.st_ino:x}"'
    return Representation(status.st_size, etag, status.st_mtime_ns // 10**9, content_type(name))


# Looking it up takes as long as reading a small file.
@lru_cache(maxsize=1024)
def content_type(name: str) -> str:
    """The media type of a file by its name, as `mimetypes` knows it; UTF-8 if it is text.

    The type of a name is looked up once: what `mimetypes` learns about it later does not count.

    >>> content_type("index.html"), content_type("docs.tar.gz"), content_type("Makefile")
    ('text/html; charset=utf-8', 'application/gzip', 'application/octet-stream')
    """
    # With a slash before it, no name looks like a URL, whose query would be cut off.
    kind, packing = _guess_type(f"/{name}")
    if packing is not None:
        return _PACKED.get(packing, "application/octet-stream")
    kind = kind or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
