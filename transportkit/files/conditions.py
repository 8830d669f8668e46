"""Conditional and range requests (RFC 9110, sections 13 and 14), as decisions about a file.

Section numbers in comments are those of RFC 9110.
"""

import re
from collections.abc import Iterable, Mapping

from .dates import parse_http_date
from .representation import Representation

_CONDITIONS = (
    b"range",
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
)

# Patterns are text here, which `re` compiles and keeps when they are first used: compiling them
# all would take longer than the rest of the import.
_ENTITY_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\U0010ffff]*"'
_ENTITY_TAGS = rf"[ \t,]*(?:{_ENTITY_TAG}[ \t]*(?:,[ \t,]*|\Z))+"
_RANGE = r"(?i)bytes=[ \t,]*([0-9]*)-([0-9]*)[ \t,]*"


def conditions(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers that an answer depends on, with names in lower case and lists in one piece.

    Arguments:
        headers: of a request, as in `httpx.Headers.raw`.

    >>> conditions([(b"Host", b"h"), (b"If-Match", b'"a"'), (b"if-match", b'"b"')])
    {'if-match': '"a", "b"'}
    """
    picked: dict[str, str] = {}
    for name, value in headers:
        if (lower := name.lower()) in _CONDITIONS:
            key, text = lower.decode("ascii"), value.decode("latin-1")
            picked[key] = f"{picked[key]}, {text}" if key in picked else text
    return picked


def failed_precondition(
    representation: Representation, headers: Mapping[str, str], now: float
) -> int | None:
    """The status code if a precondition fails, in the order of 13.2.2; else None.

    Arguments:
        representation: the file.
        headers: of the request, as `conditions` picks them.
        now: seconds since 1970.
    """
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


def range_applies(representation: Representation, headers: Mapping[str, str], now: float) -> bool:
    """True if there is no If-Range, or one that lets the Range apply (13.1.5).

    The arguments are those of `failed_precondition`.
    """
    validator = headers.get("if-range")
    if validator is None:
        return True
    date = parse_http_date(validator, now)
    if date is None:
        return validator.strip(" \t") == representation.etag
    # 8.8.2.2: within one second it may have changed twice.
    return date == representation.modified and now >= date + 1


def _matches(tags: str, etag: str, *, weakly: bool) -> bool:
    """True if this strong entity-tag is in a list of them, or the list is `*` (8.8.3.2)."""
    tags = tags.strip(" \t")
    if tags == "*":
        return True
    if not re.fullmatch(_ENTITY_TAGS, tags):
        return False
    listed = re.findall(_ENTITY_TAG, tags)
    return etag in listed or (weakly and f"W/{etag}" in listed)


def byte_range(value: str, size: int) -> range | None:
    """The positions that a Range asks for (14.1.2); empty if it cannot be satisfied.

    None stands for the whole file: several ranges, other units and what is malformed are
    ignored (14.2).

    Arguments:
        value: the field value.
        size: of the whole file, in bytes.

    >>> byte_range("bytes=2-3", 10), byte_range("bytes=-4", 10), byte_range("bytes=10-", 10)
    (range(2, 4), range(6, 10), range(10, 10))
    """
    match = re.fullmatch(_RANGE, value.strip(" \t"))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = (digits.lstrip("0") for digits in match.groups())
    if not match[1]:
        if last and not size:
            # It can be satisfied, but no Content-Range can say so.
            return None
        return range(max(0, size - _clamped(last)), size)
    if not match[2]:
        return range(min(_clamped(first), size), size)
    # Compared as texts: they may have more digits than Python converts to a number.
    if (len(last), last) < (len(first), first):
        return None
    return range(min(_clamped(first), size), min(_clamped(last) + 1, size))


def _clamped(digits: str) -> int:
    """A number without leading zeros, or one that is larger than any file."""
    return int(digits[:20] or "0")
