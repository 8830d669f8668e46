"""Read bodies: the one place that knows media types, charsets and multipart bodies.

Masking and showing a body both rely on it, so that text is shown in the charset in which it
was masked. A body may be truncated anywhere.
"""

import codecs
import re
from typing import NamedTuple

FORM = "application/x-www-form-urlencoded"

_PARAMETER = r";\s*([\w*-]++)\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;\s]*)"
# The longer ones first: UTF-16's is how UTF-32's begins.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def media_type(content_type: str) -> str:
    """The type and subtype of a Content-Type, in lower case.

    >>> media_type("Text/HTML; charset=utf-8")
    'text/html'
    """
    return content_type.partition(";")[0].strip().lower()


def parameters(header: str) -> dict[str, str]:
    """The parameters of a Content-Type or Content-Disposition, by names in lower case.

    >>> parameters('form-data; name="city"; filename=a.txt')
    {'name': 'city', 'filename': 'a.txt'}
    """
    return {
        found[1].lower(): re.sub(r"\\(.)", r"\1", found[2].strip('"'))
        for found in re.finditer(_PARAMETER, header)
    }


def charset_of(content: bytes, content_type: str) -> str:
    """The charset that a byte order mark or the Content-Type tells, or else UTF-8.

    UTF-16 and UTF-32 come with their byte order, so that a byte order mark is a character.

    >>> charset_of(b"", "text/html; charset=ISO-8859-1"), charset_of(b"", "text/html")
    ('iso8859-1', 'utf-8')
    """
    declared = parameters(content_type).get("charset", "")
    try:
        codec = codecs.lookup(declared).name if declared else "utf-8"
        b" ".decode(codec, "replace")  # base64 and its like are codecs, but not charsets
    except (LookupError, ValueError):
        codec = "utf-8"
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    return f"{codec}-be" if codec in {"utf-16", "utf-32"} else codec


def has_byte_order_mark(content: bytes) -> bool:
    """True for UTF-16 or UTF-32 that begins with a byte order mark."""
    return content.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS))


class Part(NamedTuple):
    """One part of a multipart body; its three pieces put together are the part.

    Attributes:
        head: its headers as they were written.
        separator: the blank line between head and content; empty if there is none.
        content: the content.
    """

    head: bytes
    separator: bytes
    content: bytes

    @property
    def lines(self) -> list[str]:
        """The headers, each with its line break and the lines that continue it."""
        # RFC 5322, section 2.2.3.
        return re.split(r"(?<=\n)(?![ \t])", self.head.decode("utf-8", "surrogateescape"))


def headers_of(lines: list[str]) -> dict[str, str]:
    """The values of the headers in the lines of a part, by names in lower case."""
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def split_multipart(content: bytes, content_type: str) -> list[bytes]:
    r"""The pieces of a multipart body: what comes first, then each delimiter and what follows it.

    Empty without a boundary. Put together again they are the content.

    >>> split_multipart(b"--x\r\n\r\none\r\n--x--", "multipart/mixed; boundary=x")
    [b'', b'--x\r\n', b'\r\none', b'\r\n--x--', b'']
    """
    boundary = parameters(content_type).get("boundary", "").encode("utf-8", "surrogateescape")
    if not boundary:
        first = re.match(rb"\s*--([^\r\n]{1,200})", content)
        boundary = first[1].rstrip() if first else b""
    if not boundary:
        return []
    delimiter = rb"((?:^|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|$))"
    # Compiled past the cache of `re`: every form has a boundary of its own.
    return re.compile(delimiter).split(content)


def part_of(piece: bytes) -> Part:
    """The part that follows a delimiter."""
    if found := re.search(rb"\r?\n\r?\n", piece):
        return Part(piece[: found.start()], found[0], piece[found.end() :])
    if piece.startswith((b"\r\n", b"\n")):
        return Part(b"", b"", piece)
    return Part(piece, b"", b"")
