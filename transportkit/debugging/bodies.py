"""Bodies of an exchange: captured as they stream by, and shown decoded, masked and as text."""

import re
from dataclasses import dataclass

from ..redaction.content import decoded
from ..redaction.redaction import Redaction
from ..wire.library import Headers, any_library

# Decoders put out all that their input is worth, and a few bytes can be worth megabytes.
_STEP = 16
_MAX_EXPANSION = 200

# Half of a surrogate pair, or a byte that is not of the charset.
_NO_CHARACTER = "[\ud800-\udfff]"


class BodyCapture:
    """The size of a body, and its first bytes.

    Arguments:
        limit: how many bytes are captured.

    Attributes:
        size: how many bytes have gone over the wire.
        is_ended: True when the body has come to its end.
        decoded_size: the size of the decoded body, where it came decoded; else None.
    """

    __slots__ = ("_captured", "decoded_size", "is_ended", "limit", "size")

    def __init__(self, limit: int = 0) -> None:
        self.limit: int = limit
        self.size: int = 0
        self.is_ended: bool = False
        self.decoded_size: int | None = None
        # Bytes would be copied with every chunk.
        self._captured = bytearray()

    @property
    def length(self) -> int:
        """The number of bytes captured."""
        return len(self._captured)

    @property
    def content(self) -> bytes:
        """The bytes captured."""
        return bytes(self._captured)

    @content.setter
    def content(self, content: bytes) -> None:
        self._captured = bytearray(content)

    def restart(self) -> None:
        """Begin again, as the body is sent again."""
        self.size, self.is_ended, self.content = 0, False, b""

    def add(self, chunk: bytes) -> None:
        """Capture the next piece of the body."""
        room = self.limit - len(self._captured)
        try:
            self.size += len(chunk)
            if room > 0:
                self._captured += chunk[:room]
        except TypeError:
            # It is not bytes, which is for others to complain about.
            self.limit = 0


@dataclass(frozen=True)
class Body:
    """A body that went over the wire, as far as it was captured.

    Attributes:
        size: how many bytes of it went over the wire.
        content: the first of them, decoded where httpx can, and masked. No more than the
            `bodies` of the transport.
        content_type: its Content-Type, "" if it has none.
        is_whole: True if the content is all there was; False if it is truncated, or has never
            come to its end.
        decoded_size: the size of the whole body after decoding; None if not known, as
            it was compressed and not captured to its end.

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
        """The content as text; None if it is binary, or nothing was captured."""
        if not self.content:
            return None if self.size else ""
        found = decoded(self.content, self.content_type)
        if found is None or not found.is_readable:
            return None
        text = found.text.removeprefix("\ufeff")
        try:
            text.encode()
        except UnicodeEncodeError:
            # A character that is truncated at the end is left out.
            text = text if self.is_whole else re.sub(f"{_NO_CHARACTER}+\\Z", "", text)
            return re.sub(_NO_CHARACTER, "\ufffd", text)
        return text


def shown_body(captured: BodyCapture, headers: Headers, redaction: Redaction | None) -> Body:
    """A body as an exchange shows it.

    Arguments:
        captured: what was captured of it.
        headers: those of its message.
        redaction: masks it; None leaves it in the clear.
    """
    content_type = headers.get("content-type", "")
    encoding = headers.get("content-encoding", "identity").strip().lower()
    content, size = captured.content, captured.size
    decoded_size: int | None
    if captured.decoded_size is not None:
        decoded_size = captured.decoded_size
    elif encoding in ("", "identity") or not content:
        decoded_size = size
    else:
        content, decoded_size = decode(content, encoding, captured.limit)
        if not captured.is_ended or captured.length < size:
            decoded_size = None
    is_whole = captured.is_ended and len(content) == decoded_size
    if redaction is not None and content:
        content = redaction.body(content, content_type)
    return Body(size, content, content_type, is_whole, decoded_size)


def decode(content: bytes, encoding: str, limit: int) -> tuple[bytes, int | None]:
    """Encoded content, decoded up to a limit, and the size of all of it.

    What httpx cannot decode is not shown: nobody could read it, or mask the secrets in it.

    Arguments:
        content: encoded bytes, which may end anywhere.
        encoding: the Content-Encoding.
        limit: how many bytes to return.
    """
    pieces = (content[start : start + _STEP] for start in range(0, len(content), _STEP))
    headers = [(b"Content-Encoding", encoding.encode())]
    library = any_library()
    response = library.Response(200, headers=headers, content=pieces)
    output, size = bytearray(), 0
    try:
        for chunk in response.iter_bytes():
            output += chunk[: limit - len(output)]
            size += len(chunk)
            if size > limit + _MAX_EXPANSION * len(content):
                return bytes(output), None
    except library.DecodingError:
        return bytes(output), None
    return (b"", None) if output == content else (bytes(output), size)
