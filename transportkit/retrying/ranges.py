"""Downloads that go on after a break: range requests of RFC 9110, section 14.

A `Download` is what the first answer promised: it says what to ask for after a break, and
whether an answer to that continues it.
"""

import email.utils
import re
from dataclasses import dataclass, replace
from typing import Any

from ..wire.library import Request, Response, library_of

_CONTENT_RANGE = r"(?i:bytes) ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)"
_STRONG_ETAG = r'"[^"]*"'
# So much older than its response a date has to be, as the clocks of servers differ.
_CLOCK_SKEW = 60
# Those that would ask for another part, and conditions that a server may answer with 304.
_DROPPED = (b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"range", b"if-range")


@dataclass(frozen=True)
class Download:
    """A body that may be continued when it breaks.

    Attributes:
        validator: a strong one: equal ones mean equal bytes (RFC 9110, section 8.8.1). An ETag, or
            else a Last-Modified.
        encoding: the Content-Encoding, as ranges are of encoded bytes.
        start: the position in the file of the body's first byte.
        end: the position after its last byte, None while unknown.
        total: the length of the whole file, None while unknown.
    """

    validator: str
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
        if not self.encoding:
            # A server that may encode might, and then has no such range to give.
            kept = [item for item in kept if item[0].lower() != b"accept-encoding"]
            kept.append((b"Accept-Encoding", b"identity"))
        asked = f"bytes={self.start + received}-{last}".encode()
        return library_of(request).Request(
            request.method,
            request.url,
            headers=[*kept, (b"Range", asked), (b"If-Range", self.validator.encode("latin-1"))],
            extensions=dict(request.extensions),
        )

    def continued_by(self, response: Response, received: int) -> "tuple[Download, int] | None":
        """The download with what an answer to `request_rest` adds, None if it is another one.

        If the length is unknown so far, this answer fixes it.

        Returns:
            The download, and the number of bytes that have come when the answer has: a server may
            give less than it was asked for.
        """
        content_range = _content_range(response)
        if content_range is None or not self._is_of(response):
            return None
        start, end, total = content_range
        last = total if self.end is None else self.end
        if start != self.start + received or last is None or end > last:
            return None
        if self.total not in (None, total) or _length(response) not in (None, end - start):
            return None
        return replace(self, end=last, total=total), end - self.start

    def _is_of(self, response: Response) -> bool:
        """True if an answer is about the same bytes."""
        if _encoding(response) != self.encoding:
            return False
        etag = response.headers.get("ETag", "")
        if self.validator.startswith('"'):
            return etag == self.validator
        # It has no need to say again what it was asked with (RFC 9110, section 15.3.7).
        return not etag and response.headers.get("Last-Modified", self.validator) == self.validator


def promised_download(  # noqa: PLR0911 - each says another reason
    request: Request, response: Response
) -> "Download | str":
    """The download that a first answer promises, or why it could not be continued.

    >>> import httpx
    >>> request = httpx.Request("GET", "https://example.com/file")
    >>> response = httpx.Response(200, headers={"ETag": '"v1"', "Content-Length": "10"})
    >>> promised_download(request, response)
    Download(validator='"v1"', encoding='', start=0, end=10, total=10)
    >>> promised_download(request, httpx.Response(200, headers={"ETag": 'W/"v1"'}))
    'its ETag is weak'
    """
    if request.method != "GET":
        return f"a {request.method} cannot be asked for in part"
    if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
        return "a GET with a body cannot be asked for in part"
    if response.headers.get("Accept-Ranges", "").lower() == "none":
        return "the server gives no ranges"
    encoding = _encoding(response)
    validator = _validator(response)
    if not re.fullmatch(_STRONG_ETAG, validator) and (encoding or validator.startswith("W/")):
        return f"it was encoded as {encoding} on the fly" if encoding else "its ETag is weak"
    if not validator:
        return "it has neither an ETag nor a Last-Modified that is certain enough"
    if response.status_code == 200:
        total = _length(response)
        return Download(validator, encoding, 0, total, total)
    if "Range" in request.headers and (content_range := _content_range(response)) is not None:
        start, end, total = content_range
        if _length(response) in (None, end - start):
            return Download(validator, encoding, start, end, total)
    return "it is not one range that was asked for"


def _validator(response: Response) -> str:
    """The ETag, or a Last-Modified that is strong (RFC 9110, section 8.8.2.2), or nothing."""
    headers = response.headers
    # Section 13.1.5: a date is for those that have no ETag at all.
    if "ETag" in headers:
        etag = headers["ETag"]
        return etag if re.fullmatch(_STRONG_ETAG, etag) else "W/"
    try:
        date, modified = (
            email.utils.parsedate_to_datetime(headers[name]).timestamp()
            for name in ("Date", "Last-Modified")
        )
    except (KeyError, ValueError, OverflowError):
        return ""
    return headers["Last-Modified"] if date - modified >= _CLOCK_SKEW else ""


def _encoding(response: Response) -> str:
    encoding: str = response.headers.get("Content-Encoding", "")
    return "" if encoding.lower() == "identity" else encoding


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
