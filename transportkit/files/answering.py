"""From a request to an open file and the answer to it: all that is not waiting."""

import os
import time
from pathlib import Path

from ..redaction.redaction import REDACTION
from ..wire.library import Request, library_of
from .beneath import open_beneath
from .names import AnyPath, absolute, path_named
from .reading import OpenFile
from .representation import ALLOWED, Answer, answer, conditions, describe, refusal


class Files:
    """A directory and how it is asked: what `FileSystemTransport` and its twin have in common."""

    def __init__(self, root: AnyPath, index: str | None, allow_localhost: bool) -> None:
        self._root = absolute(root, "root")
        _check_root(self._root)
        if index is not None:
            _check_index(index)
        if not isinstance(allow_localhost, bool):
            raise TypeError(
                f"allow_localhost must be True or False, not {type(allow_localhost).__name__}"
            )
        self._index = index
        self._hosts = (b"", b"localhost") if allow_localhost else (b"",)

    def open(self, request: Request, file: OpenFile, size: int) -> tuple[Answer, bytes]:
        """The answer to a request, and the first bytes of its body.

        Arguments:
            request: of any URL.
            file: what reads the rest of the body.
            size: how many bytes to read at most.

        Raises:
            httpx.UnsupportedProtocol: the URL is no file URL, or has a host.
            OSError: opening or reading failed on account of the system, not of the file.
        """
        self._check(request)
        if request.method not in ALLOWED:
            return refusal(405, Allow=", ".join(ALLOWED)), b""
        if (path := path_named(request.url.raw_path)) is None:
            return refusal(404), b""
        try:
            name, descriptor, status = self._find(path)
        except (FileNotFoundError, IsADirectoryError):
            return refusal(404), b""
        except PermissionError:
            return refusal(403), b""
        try:
            asked = conditions(request.headers.raw)
            answered = answer(describe(status, name), request.method, asked, time.time())
        except BaseException:
            os.close(descriptor)
            raise
        return answered, file.start(descriptor, answered.body, size)

    def _check(self, request: Request) -> None:
        url = request.url
        if url.scheme != "file":
            raise library_of(request).UnsupportedProtocol(
                f"FileSystemTransport was handed {REDACTION.url(url)!r}, which is no file URL: mount "
                "it on 'file://', not on 'all://'",
                request=request,
            )
        if url.raw_host not in self._hosts or url.userinfo or url.port is not None:
            raise library_of(request).UnsupportedProtocol(
                f"{REDACTION.url(url)!r} names a host, a port or a user. FileSystemTransport answers "
                "URLs without them only, because a redirect from a server always gets one: so no "
                "server can make a client read a file. Write three slashes, 'file:///', and the "
                "absolute path; or, for 'file://localhost/', see allow_localhost",
                request=request,
            )

    def _find(self, path: str) -> tuple[str, int, os.stat_result]:
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
        raise ValueError(f"root {root!r} is no directory: {advice}")


def _check_index(index: str) -> None:
    if not isinstance(index, str):
        raise TypeError(f"index must be a file name or None, not {type(index).__name__}")
    if index in ("", ".", "..") or any(character in index for character in "/\\\0"):
        raise ValueError(f"index {index!r} is no file name: write one such as 'index.html'")
