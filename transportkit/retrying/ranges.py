"""Whether and how a broken download goes on: range requests of RFC 9110, section 14.

Pure decisions. A `Download` is what the first answer promised; it says what to ask for after
a break, and whether an answer to that continues it.
"""

import re
from dataclasses import dataclass, replace

from ..wire.library import Headers, Request, Response, library_of

_CONTENT_RANGE = r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)"
_STRONG_ETAG = r'"[^"]*"'
# They are for the whole file: a server may answer 304 to them, which continues nothing.
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
        etag: strong, so that equal means byte for byte (RFC 9110, section 8.8.1).
        encoding: the Content-Encoding: ranges are of encoded bytes.
        start: the position in the file of the body's first byte.
        end: the position behind its last byte, None while nobody has told.
        total: the length of the whole file, None while nobody has told.
    """

    etag: str
    encoding: str
    start: int
    end: int | None
    total: int | None

    def missing(self, received: int) -> int | None:
        """How many bytes are still to come, None while nobody has told."""
        return None if self.end is None else self.end - self.start - received

    def is_exceeded(self, received: int) -> bool:
        """Whether more came than was promised."""
        return self.end is not None and self.start + received > self.end

    def check_length(self, received: int, request: Request) -> None:
        """Refuse a body that is longer than was promised, or shorter.

        Arguments:
            received: how many bytes came.
            request: what was answered.

        Raises:
            httpx.RemoteProtocolError: it is or does.
        """
        if self.missing(received) not in (None, 0):
            ending = "went on" if self.is_exceeded(received) else "ended"
            raise library_of(request).RemoteProtocolError(
                f"the body {ending} at byte {received}, against its promise", request=request
            )

    def may_go_on(self, received: int) -> bool:
        """Whether there is anything to ask for."""
        missing = self.missing(received)
        return missing is None or missing > 0

    def headers_for_rest(self, headers: Headers, received: int) -> list[tuple[bytes, bytes]]:
        """The headers that ask for what comes behind the bytes that were received.

        Arguments:
            headers: of the first request.
            received: how many bytes came.
        """
        last = "" if self.end is None else self.end - 1
        kept = [(name, value) for name, value in headers.raw if name.lower() not in _DROPPED]
        asked = f"bytes={self.start + received}-{last}".encode()
        return [*kept, (b"Range", asked), (b"If-Range", self.etag.encode("latin-1"))]

    def continued_by(self, response: Response, received: int) -> "Download | None":
        """The download as the answer to `headers_for_rest` makes it known, None if it is another.

        Where the first answer told no length, this one fixes it.
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
    """What a first answer promises, None if it could not be continued.

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
    """First position, position behind the last, and total, of a single range."""
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
