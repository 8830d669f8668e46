# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`FileSystemTransport` and `AsyncFileSystemTransport`: file:// URLs in a stock client."""

from collections.abc import AsyncIterator, Iterator
from functools import partial

import httpx2

from ..files.answering import Files
from ..files.names import AnyPath
from ..files.reading import OpenFile
from ..redaction.redaction import REDACTION
from ..wire.io import (
    async_piece_sizes,
    async_run_in_thread,
    async_shield,
    piece_sizes,
    run_in_thread,
    shield,
)


def _read_error(error: OSError, request: httpx2.Request) -> httpx2.ReadError:
    url = REDACTION.url(request.url)
    return httpx2.ReadError(f"reading {url!r} failed: {error}", request=request)


class FileStream(httpx2.SyncByteStream):
    """The body of a response: the rest of an open file, behind the bytes read already."""

    def __init__(
        self, file: OpenFile, first: bytes, sizes: Iterator[int], request: httpx2.Request
    ) -> None:
        self._file = file
        self._first = first
        self._sizes = sizes
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        piece, self._first = self._first, b""
        yield piece
        while not self._file.is_at_end:
            try:
                piece = run_in_thread(partial(self._file.read, next(self._sizes)))
            except OSError as error:
                raise _read_error(error, self._request) from error
            yield piece

    def close(self) -> None:
        if self._file.is_at_end:
            return
        try:
            with shield():
                run_in_thread(self._file.close)
        finally:
            # A task's own cancel() goes through the shield: then the thread never started.
            self._file.close()


class AsyncFileStream(httpx2.AsyncByteStream):
    """The body of a response: the rest of an open file, behind the bytes read already."""

    def __init__(
        self, file: OpenFile, first: bytes, sizes: Iterator[int], request: httpx2.Request
    ) -> None:
        self._file = file
        self._first = first
        self._sizes = sizes
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece, self._first = self._first, b""
        yield piece
        while not self._file.is_at_end:
            try:
                piece = await async_run_in_thread(partial(self._file.read, next(self._sizes)))
            except OSError as error:
                raise _read_error(error, self._request) from error
            yield piece

    async def aclose(self) -> None:
        if self._file.is_at_end:
            return
        try:
            with async_shield():
                await async_run_in_thread(self._file.close)
        finally:
            # A task's own cancel() goes through the shield: then the thread never started.
            self._file.close()


class FileSystemTransport(httpx2.BaseTransport):
    """Answers file URLs with the files beneath one directory, and with nothing else.

    httpx2 takes a URL without a host for a relative one, so `client.get("file:///a.txt")` does
    not reach a transport mounted on `file://` by itself. Two ways do:

    - `httpx2.Client(base_url="file:///", mounts={"file://": FileSystemTransport(root)})`, or
      `transport=Mounts({"file://": ...})`. URLs with a host work in that client as before, but
      *every* URL without one is the path of a file: `/a.txt` and `http:///a.txt` as well. Use
      it only where the URLs it is given come from you.
    - `client.send(httpx2.Request("GET", "file:///a.txt"))` in any client with that mount.

    `file_url` makes the URL of a path. A URL names its absolute path, and is answered when
    that path, with every symlink followed, lies beneath `root`. Anything else does not exist
    (404), no matter who moves files or swaps symlinks meanwhile. A query is no part of the name.

    No redirect from a server can read a file: httpx2 puts the server's host into a `Location`
    without one, and URLs with a host are refused.

    GET and HEAD are answered, with conditional requests and with ranges (RFC 9110, sections
    13 and 14); of several ranges the whole file comes. The entity-tag is strong. 403 stands
    for what cannot be read, and for what is no file: a FIFO, a socket, a device; 404 for a
    directory. The body is read as it is consumed, from a file that is closed at its end, or
    with the response. If it becomes shorter meanwhile, that is an `httpx2.ReadError`; of one
    that grows comes what Content-Length says.

    Arguments:
        root: a directory, relative to the current one or absolute; `"/"` for every file.
        index: the name of a file that a directory is answered with, such as `"index.html"`.
            Default: none.
        allow_localhost: answer `file://localhost/...` too. That opens a way in: httpx2 follows
            a redirect there as it stands, so any server that the client talks to can make it
            read any file beneath `root`. Default: False.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: `root` is no directory, `index` no file name.
        httpx2.UnsupportedProtocol: when it is handed a URL that is no file URL, or has a host.
        httpx2.ReadError: when the system fails to open or read a file that is there.

    >>> from pathlib import Path
    >>> from transportkit.httpx2 import file_url
    >>> size = Path("a.txt").write_text("Hello")
    >>> files = FileSystemTransport(".")
    >>> with httpx2.Client(base_url="file:///", mounts={"file://": files}) as client:
    ...     response = client.get(file_url("a.txt"), headers={"Range": "bytes=1-"})
    >>> response.status_code, response.text, response.headers["Content-Range"]
    (206, 'ello', 'bytes 1-4/5')
    """

    def __init__(
        self, root: AnyPath, *, index: str | None = None, allow_localhost: bool = False
    ) -> None:
        self._files = Files(root, index, allow_localhost)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        file = OpenFile()
        sizes = piece_sizes()
        try:
            answered, first = run_in_thread(partial(self._files.open, request, file, next(sizes)))
        except OSError as error:
            file.close()
            raise _read_error(error, request) from error
        except BaseException:
            file.close()
            raise
        if file.is_at_end:
            stream: httpx2.SyncByteStream = httpx2.ByteStream(first)
        else:
            stream = FileStream(file, first, sizes, request)
        return httpx2.Response(answered.status_code, headers=answered.headers, stream=stream)


class AsyncFileSystemTransport(httpx2.AsyncBaseTransport):
    """Answers file URLs with the files beneath one directory, and with nothing else.

    The same as `FileSystemTransport`, for `httpx2.AsyncClient`. Files are opened and read in
    worker threads, in pieces that grow from 64 KiB to 4 MiB.

    >>> files = AsyncFileSystemTransport(".", index="index.html")
    >>> client = httpx2.AsyncClient(base_url="file:///", mounts={"file://": files})
    """

    def __init__(
        self, root: AnyPath, *, index: str | None = None, allow_localhost: bool = False
    ) -> None:
        self._files = Files(root, index, allow_localhost)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        file = OpenFile()
        sizes = async_piece_sizes()
        try:
            answered, first = await async_run_in_thread(
                partial(self._files.open, request, file, next(sizes))
            )
        except OSError as error:
            file.close()
            raise _read_error(error, request) from error
        except BaseException:
            file.close()
            raise
        if file.is_at_end:
            stream: httpx2.AsyncByteStream = httpx2.ByteStream(first)
        else:
            stream = AsyncFileStream(file, first, sizes, request)
        return httpx2.Response(answered.status_code, headers=answered.headers, stream=stream)
