"""Downloads that go on after a break: range requests of RFC 9110, section 14.

A `Download` is what the first answer promised: it says what to ask for after a break, and
whether an answer to that continues it.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from ..wire.library import Request, Response, library_of

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
