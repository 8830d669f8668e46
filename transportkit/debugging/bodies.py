"""What is kept of a body as it streams by, and how it is shown: decoded, as text, masked."""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

from ..redaction.redaction import Redaction
from ..wire.library import Headers, any_library, is_a

# Decoders put out all that their input is worth, and a few bytes can be worth megabytes.
_STEP = 16
_MOST_EXPANDED = 200

# Compiled when they are first needed: most programs never look into a body.
_CHARSET = r"(?i);\s*charset\s*=\s*\"?([^\s\";]+)"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = r"(?i)(?:image|audio|video|font)/(?!.*\+xml)|application/octet-stream"
_GZIP = b"\x1f\x8b"
_SURELY_TEXT = r"(?i)text/|.*[/+](?:json|xml|javascript|x-www-form-urlencoded)\b"


class Kept:
    """The size of a body, and its first bytes.

    Arguments:
        limit: how many bytes are kept.
    """

    __slots__ = ("_kept", "decoded_size", "is_ended", "limit", "size")

    def __init__(self, limit: int = 0) -> None:
        self.limit: int = limit
        self.size: int = 0
        # Bytes would be copied with every chunk.
        self._kept = bytearray()
        self.is_ended: bool = False
        # Set where the content comes decoded already.
        self.decoded_size: int | None = None

    @property
    def length(self) -> int:
        """How many bytes are kept."""
        return len(self._kept)

    @property
    def content(self) -> bytes:
        """The first bytes."""
        return bytes(self._kept)

    @content.setter
    def content(self, content: bytes) -> None:
        self._kept = bytearray(content)

    def restart(self) -> None:
        """The body is sent again, from its beginning."""
        self.size, self.is_ended, self.content = 0, False, b""

    def add(self, chunk: bytes) -> None:
        """Another piece of the body went by."""
        room = self.limit - len(self._kept)
        if room > 0:
            self._kept += chunk[:room]
        self.size += len(chunk)


@dataclass(frozen=True)
class Body:
    """A body that went over the wire, as far as it was kept.

    Attributes:
        size: how many bytes of it went over the wire.
        content: the first of them, decoded where httpx can, and masked. No more than the
            `bodies` of the transport.
        content_type: its Content-Type, "" if it has none.
        is_whole: whether the content is all there was; False if it was cut off, or has
            never come to its end.
        decoded_size: the size of the whole body after decoding; None where nobody knows, as
            it was compressed and not kept to its end.

    >>> Body(5, b"hello", "text/plain", True, 5).text
    'hello'
    """

    size: int
    content: bytes
    content_type: str
    is_whole: bool
    decoded_size: int | None

    @property
    def text(self) -> str | None:
        """The content as text; None if it is binary, or nothing was kept."""
        if not self.content:
            return None if self.size else ""
        # Servers forget the Content-Encoding.
        if re.match(_NO_TEXT, self.content_type) or self.content.startswith(_GZIP):
            return None
        charset = charset_of(self.content, self.content_type)
        is_text = bool(
            re.match(_SURELY_TEXT, self.content_type) or re.search(_CHARSET, self.content_type)
        )
        if charset == "utf-8" and b"\0" in self.content:
            return None
        # A character that was cut in two at the end is left out.
        with suppress(LookupError, UnicodeError):
            decoder = codecs.getincrementaldecoder(charset)("replace" if is_text else "strict")
            return decoder.decode(self.content, self.is_whole)
        return None


def charset_of(content: bytes, content_type: str) -> str:
    """The charset that was declared, or that a byte order mark tells, or UTF-8.

    >>> charset_of(b"", "text/html; charset=ISO-8859-1")
    'iso-8859-1'
    """
    declared = re.search(_CHARSET, content_type)
    if declared is not None:
        # Some codecs are no charsets: base64 makes bytes of bytes, idna takes no body.
        with suppress(LookupError, ValueError):
            content.decode(declared[1], "replace")
            return declared[1].lower()
    return next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")


def shown_body(kept: Kept, headers: Headers, redaction: Redaction | None) -> Body:
    """A body as an exchange shows it.

    Arguments:
        kept: what was seen of it.
        headers: those beside it.
        redaction: what masks it; None for in clear.
    """
    content_type = headers.get("content-type", "")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    content, size = kept.content, kept.size
    decoded_size: int | None
    if kept.decoded_size is not None:
        decoded_size = kept.decoded_size
    elif encoding in ("", "identity") or not content:
        decoded_size = size
    else:
        content, decoded_size = decode(content, encoding, kept.limit)
        if not kept.is_ended or len(kept.content) < size:
            decoded_size = None
    is_whole = kept.is_ended and len(content) == decoded_size
    if redaction is not None and content:
        content = redaction.body(content, content_type)
    return Body(size, content, content_type, is_whole, decoded_size)


def decode(content: bytes, encoding: str, limit: int) -> tuple[bytes, int | None]:
    """What was encoded, up to a limit, and how much it is in all.

    What httpx cannot decode is not shown: nobody could read it, nor mask what is secret in it.

    Arguments:
        content: encoded bytes, which may end anywhere.
        encoding: the Content-Encoding.
        limit: how many bytes to return.
    """
    pieces = (content[start : start + _STEP] for start in range(0, len(content), _STEP))
    headers = [(b"Content-Encoding", encoding.encode())]
    response = any_library().Response(200, headers=headers, content=pieces)
    decoded, size = bytearray(), 0
    try:
        for chunk in response.iter_bytes():
            decoded += chunk[: limit - len(decoded)]
            size += len(chunk)
            if size > limit + _MOST_EXPANDED * len(content):
                return bytes(decoded), None
    except Exception as error:
        if not is_a(error, "DecodingError"):
            raise
        return bytes(decoded), None
    return (b"", None) if decoded == content else (bytes(decoded), size)
