"""Read bodies: the one place that knows media types, charsets and multipart bodies.

Masking and showing a body both rely on it, so that nothing is shown that was not seen when it
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
_BEGINNINGS = (
    (rb"[ -~\s]\0\0\0", "utf-32-le"),
    (rb"\0\0\0[ -~\s]", "utf-32-be"),
    (rb"[\[{\"\s]\0[ -~\s]\0", "utf-16-le"),
    (rb"\0[\[{\"\s]\0[ -~\s]", "utf-16-be"),
)
_WIDTHS = {"utf-16": 2, "utf-32": 4}
# Those of browsers (https://encoding.spec.whatwg.org/#names-and-labels), as Python calls them.
# An origin must not choose another: that of punycode takes the square of its length to read.
_CHARSETS = frozenset(
    (
        *("utf-8", "utf-8-sig", "ascii", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman"),
        *(f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))),
        *(f"cp{page}" for page in range(1250, 1259)),
        *("gbk", "gb2312", "gb18030", "big5", "big5hkscs", "euc_jp", "iso2022_jp", "shift_jis"),
        *("cp932", "euc_kr", "cp949", "mac-cyrillic"),
    )
)

_GZIP = b"\x1f\x8b"
_BINARY = r"(?:image|audio|video|font)/(?!.*\+xml\b)"
_JSON = r"(?:application|text)/(?:.*\+)?(?:json|x-ndjson|jsonl|json-seq|jsonlines|x-json)"
_TEXT = rf"text/|message/|.*\+xml\b|application/(?:.*\+)?(?:xml|javascript|graphql|yaml)\b|{FORM}|{_JSON}"


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
    if ";" not in header:
        return {}
    return {
        found[1].lower(): re.sub(r"\\(.)", r"\1", found[2].strip('"'))
        for found in re.finditer(_PARAMETER, header)
    }


def is_json(kind: str) -> bool:
    """True for the media type of JSON, or of a sequence of it."""
    return re.fullmatch(_JSON, kind) is not None


def is_like_json(text: str) -> bool:
    """True for text that begins like JSON: servers forget the Content-Type."""
    return text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}


class Text(NamedTuple):
    """A body as text.

    Attributes:
        text: the text; an invalid byte is a surrogate in it.
        charset: the charset in which it came, as Python calls it.
        errors: how to encode it again.
        is_readable: False for what is masked to be on the safe side, but not shown as text.
    """

    text: str
    charset: str
    errors: str
    is_readable: bool

    def encoded(self, text: str) -> bytes:
        """Other text in the charset of this."""
        return text.encode(self.charset, self.errors)


def decoded(content: bytes, content_type: str) -> Text | None:
    r"""A body as text, by what is in it and what its Content-Type tells; None if it is binary.

    >>> decoded(b"hello", "text/plain; charset=latin-1").charset
    'iso8859-1'
    >>> decoded(b"\x89PNG", "image/png") is None
    True
    """
    kind = media_type(content_type)
    if re.match(_BINARY, kind) or content.startswith(_GZIP):
        return None
    charset = _charset(content, content_type)
    width = _WIDTHS.get(charset[:6], 1)
    # The last character may be incomplete.
    whole = content[: len(content) // width * width]
    errors = "surrogatepass" if width > 1 else "surrogateescape"
    text = _reversible(whole, charset, errors)
    if text is None:
        charset, errors = "utf-8", "surrogateescape"
        text = content.decode(charset, errors)
    is_utf8 = charset == "utf-8"
    is_text = re.match(_TEXT, kind) is not None or "charset" in parameters(content_type)
    if not is_text and is_utf8 and _is_binary(content):
        return None
    is_readable = kind != "application/octet-stream" and not (is_utf8 and "\0" in text)
    return Text(text, charset, errors, is_readable)


def _reversible(content: bytes, charset: str, errors: str) -> str | None:
    """Content as text, None if the same bytes would not come of it again."""
    try:
        text = content.decode(charset, errors)
        return text if text.encode(charset, errors) == content else None
    except UnicodeError:
        return None


def _charset(content: bytes, content_type: str) -> str:
    """The charset that a byte order mark, the Content-Type or JSON's first bytes tell, or UTF-8.

    UTF-16 and UTF-32 come with their byte order, so that a byte order mark is a character.
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    declared = parameters(content_type).get("charset", "")
    try:
        codec = codecs.lookup(declared).name if declared else ""
    except (LookupError, ValueError):
        codec = ""
    if codec[:6] in _WIDTHS and b"\0" in content:
        return f"{codec}-be" if codec in _WIDTHS else codec
    if b"\0" in content[:4]:
        # RFC 4627, section 3: the first two characters of JSON are ASCII.
        for beginning, name in _BEGINNINGS:
            if re.match(beginning, content):
                return name
    return codec if codec in _CHARSETS else "utf-8"


def _is_binary(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # The last character may be incomplete.
        return "\0" in decoder.decode(content)
    except UnicodeError:
        return True


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
