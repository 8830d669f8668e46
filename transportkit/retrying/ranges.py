"""Downloads that go on after a break: range requests of RFC 9110, section 14.

A `Download` is what the first answer promised: it says what to ask for after a break, and what
continues it. A `Transfer` is a download under way: how much of it has come, and how often it
may still be continued. Neither sends anything.
"""

import logging
import re
from dataclasses import dataclass, replace
from typing import Any

from ..redaction.redaction import REDACTION
from ..wire.library import Request, Response, is_a, library_of
from ..wire.lifecycle import Lifecycle

_logger = logging.getLogger("transportkit.retrying")

_CONTENT_RANGE = r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)"
_STRONG_ETAG = r'"[^"]*"'
# Those that would ask for another part, and conditions that a server may answer with 304.
_DROPPED = (
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"range",
    b"if-range",
)


@dataclass(frozen=True)
class Download:
    """A body that may be continued when it breaks.

    Attributes:
        etag: strong: equal ones mean equal bytes (RFC 9110, section 8.8.1).
        encoding: the Content-Encoding, as ranges are of encoded bytes.
        start: the position in the file of the body's first byte.
        end: the position after its last byte, None while unknown.
        total: the length of the whole file, None while unknown.
    """

    etag: str
    encoding: str
    start: int
    end: int | None
    total: int | None

    def missing(self, received: int) -> int | None:
        """The number of bytes still to come, negative if too many came, None while unknown."""
        return None if self.end is None else self.end - self.start - received

    def request_rest(self, request: Request, received: int) -> Any:  # noqa: ANN401 - of the library at hand
        """A request for what follows the bytes that were received.

        Arguments:
            request: the first request.
            received: the number of bytes that came.
        """
        last = "" if self.end is None else self.end - 1
        kept = [item for item in request.headers.raw if item[0].lower() not in _DROPPED]
        asked = f"bytes={self.start + received}-{last}".encode()
        return library_of(request).Request(
            request.method,
            request.url,
            headers=[*kept, (b"Range", asked), (b"If-Range", self.etag.encode("latin-1"))],
            extensions=dict(request.extensions),
        )

    def continued_by(self, response: Response, received: int) -> "Download | None":
        """The download with what this answer to `request_rest` adds, None if it is another one.

        If the length is unknown so far, this answer fixes it.
        """
        content_range = _content_range(response)
        if content_range is None or _etag(response) != self.etag:
            return None
        if response.headers.get("Content-Encoding", "") != self.encoding:
            return None
        start, end, total = content_range
        expected_end = total if self.end is None else self.end
        if start != self.start + received or end != expected_end or self.total not in (None, total):
            return None
        if _length(response) not in (None, end - start):
            return None
        return replace(self, end=end, total=total)


class Transfer:
    """A download under way.

    Arguments:
        request: what was answered.
        download: what the answer promised.
        max_resumes: how often it may be continued.
        lifecycle: that of the transport; once it is closed, the download is not continued.

    Attributes:
        received: the number of bytes that came.
        is_closed: true once the reader has closed the body: it is not continued either.
    """

    def __init__(
        self, request: Request, download: Download, max_resumes: int, lifecycle: Lifecycle[Any]
    ) -> None:
        self.received: int = 0
        self.is_closed: bool = False
        self._request = request
        self._download = download
        self._resumes_left = max_resumes
        self._lifecycle = lifecycle

    @property
    def is_complete(self) -> bool:
        """True if all that was promised has come."""
        return self._download.missing(self.received) == 0

    def add(self, chunk: bytes) -> bool:
        """Count a chunk; False if it is more than was promised."""
        self.received += len(chunk)
        return (self._download.missing(self.received) or 0) >= 0

    def check_end(self) -> None:
        """Refuse a body that ended before its promised end, or went on after it.

        Raises:
            httpx.RemoteProtocolError: with the request set.
        """
        missing = self._download.missing(self.received) or 0
        if missing:
            ending = "went on" if missing < 0 else "ended"
            raise library_of(self._request).RemoteProtocolError(
                f"the body {ending} at byte {self.received}, against its promise",
                request=self._request,
            )

    def take_resume(self, error: Exception) -> Any | None:  # noqa: ANN401 - of the library at hand
        """Use up one resume.

        Arguments:
            error: what the body ended in.

        Returns:
            The request for the rest, None if the error is to be raised instead.
        """
        missing = self._download.missing(self.received)
        is_possible = is_break(error) and (missing is None or missing > 0)
        if self._resumes_left == 0 or not is_possible or not self._is_wanted():
            return None
        self._resumes_left -= 1
        return self._download.request_rest(self._request, self.received)

    def accept(self, response: Response, error: Exception) -> bool:
        """Go on with the answer to a request for the rest; False if that is not possible.

        Arguments:
            response: the answer.
            error: what the body broke with. A note on it says why it does not go on.
        """
        download = self._download.continued_by(response, self.received)
        if download is None or not self._is_wanted():
            error.add_note(f"transportkit: the rest is not to be had: {response.status_code}")
            self._resumes_left = 0
            return False
        self._download = download
        if _logger.isEnabledFor(logging.INFO):
            url, name = REDACTION.url(self._request.url), type(error).__name__
            _logger.info("Resuming GET %s at byte %d after %s", url, self.received, name)
        return True

    def _is_wanted(self) -> bool:
        return self._lifecycle.is_ready and not self.is_closed


def new_transfer(
    request: Request, response: Response, max_resumes: int, lifecycle: Lifecycle[Any]
) -> Transfer | None:
    """The transfer that a first answer begins, None if it could not be continued.

    Arguments:
        request: what was answered.
        response: the answer.
        max_resumes: how often the body may be continued.
        lifecycle: that of the transport.
    """
    download = promised_download(request, response)
    # The body of a closed response has been read already.
    if download is None or response.is_closed:
        return None
    return Transfer(request, download, max_resumes, lifecycle)


def is_break(error: Exception) -> bool:
    """True for an error of a connection that broke, after which the rest may be asked for."""
    return is_a(error, "NetworkError", "RemoteProtocolError", "ReadTimeout")


def promised_download(request: Request, response: Response) -> Download | None:
    """The download that a first answer promises, None if it could not be continued.

    >>> import httpx
    >>> request = httpx.Request("GET", "https://example.com/file")
    >>> response = httpx.Response(200, headers={"ETag": '"v1"', "Content-Length": "10"})
    >>> promised_download(request, response)
    Download(etag='"v1"', encoding='', start=0, end=10, total=10)
    """
    etag = _etag(response)
    has_body = "Content-Length" in request.headers or "Transfer-Encoding" in request.headers
    if request.method != "GET" or has_body or etag is None:
        return None
    encoding = response.headers.get("Content-Encoding", "")
    if response.headers.get("Accept-Ranges", "").lower() == "none":
        return None
    if response.status_code == 200:
        total = _length(response)
        return Download(etag, encoding, 0, total, total)
    if response.status_code == 206 and "Range" in request.headers:
        content_range = _content_range(response)
        if content_range is not None:
            start, end, _ = content_range
            if _length(response) in (None, end - start):
                return Download(etag, encoding, *content_range)
    return None


def _etag(response: Response) -> str | None:
    etag: str = response.headers.get("ETag", "")
    return etag if re.fullmatch(_STRONG_ETAG, etag) else None


def _length(response: Response) -> int | None:
    # A transfer coding overrides it (RFC 9112, section 6.3).
    if "Transfer-Encoding" in response.headers:
        return None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and len(length) < 20 else None


def _content_range(response: Response) -> tuple[int, int, int | None] | None:
    """The first position, the one after the last, and the total, of a single range."""
    match = re.fullmatch(_CONTENT_RANGE, response.headers.get("Content-Range", ""))
    if response.status_code != 206 or match is None:
        return None
    if response.headers.get("Content-Type", "").lower().startswith("multipart/byteranges"):
        return None
    start, end = int(match[1]), int(match[2]) + 1
    total = None if match[3] == "*" else int(match[3])
    if end <= start or (total is not None and end > total):
        return None
    return start, end, total
