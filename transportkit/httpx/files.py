"""`FileSystemTransport` and `AsyncFileSystemTransport`: file:// URLs in a stock client."""

from functools import partial

import httpx

from ..files.answering import Files
from ..files.names import AnyPath
from ..files.reading import AsyncFileBody, FileBody, OpenFile
from ..wire.advising import advising
from ..wire.arguments import check_request
from ..wire.io import async_piece_sizes, async_run_in_thread, piece_sizes, run_in_thread
from ..wire.stack import Stacked


class FileStream(FileBody, httpx.SyncByteStream):
    """A response body that is read from a file."""


class AsyncFileStream(AsyncFileBody, httpx.AsyncByteStream):
    """A response body that is read from a file."""


@advising(directory="root=...", path="root=...")
class FileSystemTransport(Stacked, httpx.BaseTransport):
    """Answers file URLs with the files beneath one directory, and with nothing else.

    httpx takes a URL without a host for a relative one, so `client.get("file:///a.txt")` does
    not reach a transport mounted on `file://` by itself. Two ways do:

    - `httpx.Client(base_url="file:///", mounts={"file://": FileSystemTransport(root)})`, or
      `transport=Mounts({"file://": ...})`. URLs with a host work in that client as before, but
      *every* URL without one is the path of a file: `/a.txt` and `http:///a.txt`, too. Use it
      only where the URLs that it is given come from you.
    - `client.send(httpx.Request("GET", "file:///a.txt"))` in any client with that mount.

    `file_url` makes the URL of a path. A URL names its absolute path, and is answered when
    that path, with every symlink followed, lies beneath `root`. Anything else does not exist
    (404), no matter who moves files or swaps symlinks meanwhile. A query is not part of the name.

    No redirect from a server can read a file: httpx puts the server's host into a `Location`
    without one, and URLs with a host are refused.

    GET and HEAD are answered, with conditional requests and with ranges (RFC 9110, sections
    13 and 14); a request for several ranges gets the whole file. The entity-tag is strong. The
    status is 404 for a directory, and 403 for what cannot be read or is not a file: a FIFO, a
    socket, a device. The body is read as it is consumed. The file is closed at its end, or with
    the response. If it becomes shorter meanwhile, that is an `httpx.ReadError`; if it grows, the
    body is as long as its Content-Length.

    Arguments:
        root: a directory, relative to the current one or absolute; `"/"` for every file.
        index: the name of the file that a directory is answered with, such as `"index.html"`.
            Default: None, a directory is not found.
        allow_localhost: answer `file://localhost/...`, too. That opens a way in: httpx follows
            a redirect there as it stands, so any server that the client talks to can make it
            read any file beneath `root`. Default: False.

    Raises:
        TypeError: an argument of the wrong type.
        ValueError: `root` is not a directory, or `index` not a file name.
        httpx.UnsupportedProtocol: when it is handed a URL that is not a file URL, or has a host.
        httpx.ReadError: when the system fails to open or read a file that is there.

    >>> from pathlib import Path
    >>> from transportkit import file_url
    >>> size = Path("a.txt").write_text("Hello")
    >>> files = FileSystemTransport(".")
    >>> with httpx.Client(base_url="file:///", mounts={"file://": files}) as client:
    ...     response = client.get(file_url("a.txt"), headers={"Range": "bytes=1-"})
    >>> response.status_code, response.text, response.headers["Content-Range"]
    (206, 'ello', 'bytes 1-4/5')
    """

    def __init__(
        self, root: AnyPath, *, index: str | None = None, allow_localhost: bool = False
    ) -> None:
        self._files = Files(root, index, allow_localhost)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if type(request) is not httpx.Request:
            check_request(request, type(self))
        file = OpenFile()
        sizes = piece_sizes()
        try:
            answered, first = run_in_thread(partial(self._files.open, request, file, next(sizes)))
            if file.is_at_end:
                stream: httpx.SyncByteStream = httpx.ByteStream(first)
            else:
                stream = FileStream(file, first, sizes, request)
            return httpx.Response(answered.status_code, headers=answered.headers, stream=stream)
        except BaseException:
            file.close()
            raise

    def _settings(self) -> str:
        return self._files.settings()


@advising(directory="root=...", path="root=...")
class AsyncFileSystemTransport(Stacked, httpx.AsyncBaseTransport):
    """Answers file URLs with the files beneath one directory, and with nothing else.

    The same as `FileSystemTransport`, for `httpx.AsyncClient`. Files are opened and read in
    worker threads, in pieces that grow from 64 KiB to 4 MiB.

    >>> files = AsyncFileSystemTransport(".", index="index.html")
    >>> client = httpx.AsyncClient(base_url="file:///", mounts={"file://": files})
    """

    def __init__(
        self, root: AnyPath, *, index: str | None = None, allow_localhost: bool = False
    ) -> None:
        self._files = Files(root, index, allow_localhost)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if type(request) is not httpx.Request:
            check_request(request, type(self))
        file = OpenFile()
        sizes = async_piece_sizes()
        try:
            answered, first = await async_run_in_thread(
                partial(self._files.open, request, file, next(sizes))
            )
            if file.is_at_end:
                stream: httpx.AsyncByteStream = httpx.ByteStream(first)
            else:
                stream = AsyncFileStream(file, first, sizes, request)
            return httpx.Response(answered.status_code, headers=answered.headers, stream=stream)
        except BaseException:
            file.close()
            raise

    def _settings(self) -> str:
        return self._files.settings()
