"""What a file is over HTTP: its headers, and conditional and range requests (RFC 9110).

Nothing here does I/O or asks what time it is: `describe` takes what `fstat` said, `answer` the
request and the time. Section numbers in comments are those of RFC 9110.
"""

import mimetypes
import os
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

ALLOWED = ("GET", "HEAD")

CONDITIONS = (
    b"range",
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
)
"""The header fields of a request that its answer depends on."""

# Patterns are text here, which `re` compiles and keeps when they are first used: compiling them
# all would take longer than the rest of the import.
_ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\U0010ffff]*"'
_ENTITY_TAGS = rf"[ \t,]*(?:{_ENTITY_TAG}[ \t]*(?:,[ \t,]*|\Z))+"
_RANGE = r"(?i)bytes=[ \t,]*([0-9]*)-([0-9]*)[ \t,]*"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = f"(?:{'|'.join(_DAYS)})"
_LONG_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
# 5.6.7: one form is written, and these three are read.
_HTTP_DATES = (
    rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
    rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
    rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
)

# guess_type parses URLs: what it does with paths has a name of its own since Python 3.13.
_guess_type = getattr(mimetypes, "guess_file_type", mimetypes.guess_type)
# The type of a packed file is that of the packing: nobody asked for it to be unpacked.
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


class Answer(NamedTuple):
    """How a request is answered.

    Attributes:
        status_code: of the response.
        headers: of the response.
        body: the positions of the bytes that are sent.
    """

    status_code: int
    headers: dict[str, str]
    body: range = range(0)


def describe(status: os.stat_result, name: str) -> Representation:
    """What a file is over HTTP.

    Its entity-tag changes with its content: the time of change is in it, because the time
    of modification can be set back.

    Arguments:
        status: what `fstat` says of it.
        name: its file name.
    """
    times = f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"
    etag = f'"{times}-{status.st_size:x}-{status.st_ino:x}"'
    return Representation(status.st_size, etag, status.st_mtime_ns // 10**9, content_type(name))


# Looking it up takes as long as reading a small file.
@lru_cache(maxsize=1024)
def content_type(name: str) -> str:
    """The media type of a file by its name, as `mimetypes` knows it; UTF-8 if it is text.

    What `mimetypes` learns later about a name that was asked for does not count.

    >>> content_type("index.html"), content_type("docs.tar.gz"), content_type("Makefile")
    ('text/html; charset=utf-8', 'application/gzip', 'application/octet-stream')
    """
    # With a slash before it no name looks like a URL, whose query would be cut off.
    kind, packing = _guess_type(f"/{name}")
    if packing is not None:
        return _PACKED.get(packing, "application/octet-stream")
    kind = kind or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def refusal(status_code: int, **headers: str) -> Answer:
    """An answer without a body."""
    return Answer(status_code, {"Content-Length": "0", **headers})


def conditions(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """What an answer depends on, with names in lower case, and lists in one piece.

    Arguments:
        headers: all there are, as in `httpx.Headers.raw`.

    >>> conditions([(b"Host", b"h"), (b"If-Match", b'"a"'), (b"if-match", b'"b"')])
    {'if-match': '"a", "b"'}
    """
    picked: dict[str, str] = {}
    for name, value in headers:
        if (lower := name.lower()) in CONDITIONS:
            key, text = lower.decode("ascii"), value.decode("latin-1")
            picked[key] = f"{picked[key]}, {text}" if key in picked else text
    return picked


def answer(
    representation: Representation, method: str, headers: Mapping[str, str], now: float
) -> Answer:
    """The response to a request for a file that is there (RFC 9110, sections 13 and 14).

    Arguments:
        representation: the file.
        method: GET or HEAD.
        headers: of the request, as `conditions` picks them.
        now: seconds since 1970.
    """
    size, etag, modified, kind = representation
    failed = _failed_precondition(representation, headers, now) if headers else None
    if failed == 304:
        return Answer(304, {"ETag": etag})
    if failed is not None:
        return refusal(failed)
    part = None
    # 14.2: of all methods, only GET has ranges.
    if method == "GET" and "range" in headers and _range_holds(representation, headers, now):
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
    if date := _http_date(min(modified, int(now))):
        described["Last-Modified"] = date
    if part is not None:
        described["Content-Range"] = f"bytes {part[0]}-{part[-1]}/{size}"
    return Answer(200 if part is None else 206, described, body if method == "GET" else range(0))


def _failed_precondition(
    representation: Representation, headers: Mapping[str, str], now: float
) -> int | None:
    """The status if a precondition fails, in the order of 13.2.2."""
    matching = headers.get("if-match")
    unmodified = parse_http_date(headers.get("if-unmodified-since", ""), now)
    if matching is not None:
        if not _matches(matching, representation.etag, weakly=False):
            return 412
    elif unmodified is not None and representation.modified > unmodified:
        return 412
    known = headers.get("if-none-match")
    modified = parse_http_date(headers.get("if-modified-since", ""), now)
    if known is not None:
        if _matches(known, representation.etag, weakly=True):
            return 304
    elif modified is not None and representation.modified <= modified:
        return 304
    return None


def _range_holds(representation: Representation, headers: Mapping[str, str], now: float) -> bool:
    """Whether If-Range, if it is there, lets the Range apply (13.1.5)."""
    validator = headers.get("if-range")
    if validator is None:
        return True
    date = parse_http_date(validator, now)
    if date is None:
        return validator.strip(" \t") == representation.etag
    # 8.8.2.2: within one second it may have changed twice.
    return date == representation.modified and now >= date + 1


def _matches(tags: str, etag: str, *, weakly: bool) -> bool:
    """Whether a list of entity-tags, or `*`, has this strong one in it (8.8.3.2)."""
    tags = tags.strip(" \t")
    if tags == "*":
        return True
    if not re.fullmatch(_ENTITY_TAGS, tags):
        return False
    listed = re.findall(_ENTITY_TAG, tags)
    return etag in listed or (weakly and f"W/{etag}" in listed)


def byte_range(value: str, size: int) -> range | None:
    """The positions that a Range asks for (14.1.2); empty if there are none like it.

    None stands for the whole, when nothing is asked for that is understood: several
    ranges, other units and what is malformed are ignored (14.2).

    Arguments:
        value: the field value.
        size: of the whole, in bytes.

    >>> byte_range("bytes=2-3", 10), byte_range("bytes=-4", 10), byte_range("bytes=10-", 10)
    (range(2, 4), range(6, 10), range(10, 10))
    """
    match = re.fullmatch(_RANGE, value.strip(" \t"))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (digits.lstrip("0") for digits in match.groups())
    if not match[1]:
        if last and not size:
            # It could be satisfied, but no Content-Range can say so.
            return None
        return range(max(0, size - _clamped(last)), size)
    if not match[2]:
        return range(min(_clamped(first), size), size)
    # Compared as texts: they may have more digits than Python makes a number of.
    if (len(last), last) < (len(first), first):
        return None
    return range(min(_clamped(first), size), min(_clamped(last) + 1, size))


def _clamped(digits: str) -> int:
    """A number without leading zeros, or one that is larger than any file."""
    return int(digits[:20] or "0")


def parse_http_date(text: str, now: float) -> int | None:
    """Seconds since 1970 of an HTTP-date (5.6.7), None if it is none.

    Arguments:
        text: one of the three forms.
        now: seconds since 1970; a year of two digits is at most 50 years later.

    >>> parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now=0)
    784111777
    """
    text = text.strip(" \t")
    match = next(filter(None, (re.fullmatch(form, text) for form in _HTTP_DATES)), None)
    if match is None:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = datetime.fromtimestamp(now, UTC).year
        ahead = (year - this_year) % 100
        year = this_year + (ahead if ahead <= 50 else ahead - 100)
    month = _MONTHS.index(match["month"]) + 1
    # A leap second has no number of its own.
    second = 59 if match["second"] == "60" else int(match["second"])
    try:
        date = datetime(
            year,
            month,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            second,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(date.timestamp())


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> str | None:
    """An HTTP-date (5.6.7), None before the year 1 and after 9999."""
    try:
        date = time.gmtime(seconds)
    except (ValueError, OverflowError, OSError):
        return None
    if not 1 <= date.tm_year <= 9999:
        return None
    clock = f"{date.tm_hour:02}:{date.tm_min:02}:{date.tm_sec:02}"
    month = _MONTHS[date.tm_mon - 1]
    return f"{_DAYS[date.tm_wday]}, {date.tm_mday:02} {month} {date.tm_year:04} {clock} GMT"
