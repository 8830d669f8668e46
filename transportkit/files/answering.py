"""Answers to requests for files: decided by `answer`, and found on the disk by `Files`.

Section numbers in comments are those of RFC 9110.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..redaction.redaction import REDACTION
from ..wire.arguments import check_flag
from ..wire.library import Request, library_of
from .beneath import open_beneath
from .conditions import byte_range, conditions, failed_precondition, range_applies
from .dates import http_date
from .names import AnyPath, absolute, path_named
from .reading import OpenFile, read_error
from .regular import Descriptor
from .representation import Representation, describe

_METHODS = ("GET", "HEAD")


class Answer(NamedTuple):
    """An answer to a request, without the bytes of its body.

    Attributes:
        status_code: of the response.
        headers: of the response.
        body: the positions of the bytes that are sent.
    """

    status_code: int
    headers: dict[str, str]
    body: range = range(0)


def refusal(status_code: int, **headers: str) -> Answer:
    """An answer without a body."""
    return Answer(status_code, {"Content-Length": "0", **headers})


def answer(
    representation: Representation, method: str, headers: Mapping[str, str], now: float
) -> Answer:
    """The answer to a request for a file that is there (RFC 9110, sections 13 and 14).

    Arguments:
        representation: the file.
        method: GET or HEAD.
        headers: of the request, as `conditions` picks them.
        now: seconds since 1970.
    """
    size, etag, modified, kind = representation
    failed = failed_precondition(representation, headers, now) if headers else None
    if failed == 304:
        return Answer(304, {"ETag": etag})
    if failed is not None:
        return refusal(failed)
    part = None
    # 14.2: of all methods, only GET has ranges.
    if method == "GET" and "range" in headers and range_applies(representation, headers, now):
        part = byte_range(headers["range"], size)
    if part is not None and not part:
        unsatisfied = {"Content-Range": f"bytes */{size}", "ETag": etag, "Accept-Ranges": "bytes"}
        return refusal(416, **unsatisfied)
    body = range(size) if part is None else part
    described = {
        "Content-Length": str(len(body)),
        "Content-Type": kind,
        "ETag": etag,
        "Accept-Ranges": "bytes",
    }
    # 8.8.2.1: never later than now.
    if date := http_date(min(modified, int(now))):
        described["Last-Modified"] = date
    if part is not None:
        described["Content-Range"] = f"bytes {part[0]}-{part[-1]}/{size}"
    return Answer(200 if part is None else 206, described, body if method == "GET" else range(0))


class Files:
    """The files beneath a directory, for `FileSystemTransport` and its twin.

    Arguments:
        root: the directory.
        index: the name of the file that a directory is answered with; None for 404.
        allow_localhost: True if URLs with the host `localhost` are answered, too.

    Raises:
        TypeError, ValueError: the text names the argument.
    """

    def __init__(self, root: AnyPath, index: str | None, allow_localhost: bool) -> None:
        self._root = absolute(root, "root")
        _check_root(self._root)
        if index is not None:
            _check_index(index)
        check_flag("allow_localhost", allow_localhost)
        self._index = index
        self._hosts = (b"", b"localhost") if allow_localhost else (b"",)

    def settings(self) -> str:
        """The directory, and what else differs from the defaults."""
        index = f", index={self._index!r}" if self._index is not None else ""
        localhost = ", allow_localhost=True" if len(self._hosts) > 1 else ""
        return f"{str(self._root)!r}{index}{localhost}"

    def open(self, request: Request, file: OpenFile, size: int) -> tuple[Answer, bytes]:
        """The answer to a request, and the first bytes of its body.

        Arguments:
            request: for any URL.
            file: reads the rest of the body.
            size: the number of bytes to read now, at most.

        Raises:
            httpx.UnsupportedProtocol: the URL is not a file URL, or has a host.
            httpx.ReadError: the system failed to open or to read a file that is there.
        """
        self._check_url(request)
        try:
            return self._open(request, file, size)
        except OSError as error:
            raise read_error(error, request) from error

    def _open(self, request: Request, file: OpenFile, size: int) -> tuple[Answer, bytes]:
        if request.method not in _METHODS:
            return refusal(405, Allow=", ".join(_METHODS)), b""
        if (path := path_named(request.url.raw_path)) is None:
            return refusal(404), b""
        try:
            name, descriptor, status = self._open_path(path)
        except (FileNotFoundError, IsADirectoryError):
            return refusal(404), b""
        except PermissionError:
            return refusal(403), b""
        try:
            asked = conditions(request.headers.raw)
            answered = answer(describe(status, name), request.method, asked, time.time())
        except BaseException:
            descriptor.close()
            raise
        return answered, file.start(descriptor, answered.body, size)

    def _check_url(self, request: Request) -> None:
        url = request.url
        if url.scheme != "file":
            raise library_of(request).UnsupportedProtocol(
                f"FileSystemTransport was handed {REDACTION.url(url)!r}, which is not a file URL: "
                "mount it on 'file://', not on 'all://'",
                request=request,
            )
        if url.raw_host not in self._hosts or url.userinfo or url.port is not None:
            raise library_of(request).UnsupportedProtocol(
                f"{REDACTION.url(url)!r} names a host, a port or a user. FileSystemTransport answers "
                "only URLs without them: a redirect from a server always names a host, so no server "
                "can make a client read a file. Write three slashes, 'file:///', and the absolute "
                "path; or, for 'file://localhost/', see allow_localhost",
                request=request,
            )

    def _open_path(self, path: str) -> tuple[str, Descriptor, os.stat_result]:
        try:
            return path.rpartition(os.sep)[2], *open_beneath(self._root, path)
        except IsADirectoryError:
            if self._index is None:
                raise
            path = f"{path.rstrip(os.sep)}{os.sep}{self._index}"
            return self._index, *open_beneath(self._root, path)


def _check_root(root: str) -> None:
    try:
        is_directory = Path(root).is_dir()
    except OSError as error:
        raise ValueError(f"root {root!r} cannot be looked at: {error.strerror}") from error
    if not is_directory:
        if Path(root).is_file():
            raise ValueError(f"root {root!r} is a file: write the directory with the files")
        advice = "write os.path.expanduser(root)" if "~" in root else "write one that is there"
        raise ValueError(f"root {root!r} is not a directory: {advice}")


def _check_index(index: str) -> None:
    if not isinstance(index, str):
        raise TypeError(f"index must be a file name or None, not {type(index).__name__}")
    if index in ("", ".", "..") or any(character in index for character in "/\\\0"):
        raise ValueError(f"index {index!r} is not a file name: write one such as 'index.html'")
