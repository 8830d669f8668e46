"""Mask secrets in bodies: forms, JSON, multipart and text, whole or truncated anywhere."""

import codecs
import re

from .content import (
    FORM,
    Part,
    charset_of,
    has_byte_order_mark,
    headers_of,
    media_type,
    parameters,
    part_of,
    split_multipart,
)
from .json import mask_json
from .names import Names
from .text import mask_encoded, mask_header, mask_text
from .urls import mask_pairs
from .values import mask_truncated, mask_value

# Parts in parts in parts; what lies deeper is masked as text.
_MAX_DEPTH = 3

_BINARY = re.compile(r"(?:image|audio|video|font)/(?!svg)")
_TEXT = re.compile(
    r"text/|message/|application/(?:.*\+)?(?:xml|javascript|graphql|yaml)\b|.*\+xml\b"
)
_JSON = re.compile(
    r"(?:application|text)/(?:.*\+)?(?:json|x-ndjson|jsonl|json-seq|jsonlines|x-json)\b"
)


def mask_body(content: bytes, content_type: str, names: Names, depth: int = 0) -> bytes:
    """A body, or as much of it as is there, without its secrets."""
    kind = media_type(content_type)
    if not content or _BINARY.match(kind):
        return content
    if kind.startswith("multipart/") and depth < _MAX_DEPTH:
        return _mask_multipart(content, content_type, names, depth)
    charset = charset_of(content, content_type)
    is_text = kind == FORM or bool(_JSON.match(kind) or _TEXT.match(kind))
    if not is_text and _is_binary(content):
        return content
    whole, charset, errors = _decoded(content, charset)
    text = mask_truncated(whole)
    if kind == FORM:
        masked = mask_pairs(mask_encoded(text, names), names, is_form=True)
    elif _JSON.match(kind) or (not is_text and text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}):
        masked = mask_json(text, names)
    else:
        masked = mask_text(text, names)
    return content if masked == whole else masked.encode(charset, errors)


def _decoded(content: bytes, charset: str) -> tuple[str, str, str]:
    """The text, and the charset and the kind of errors to encode it with again."""
    width = {"utf-16": 2, "utf-32": 4}.get(charset[:6], 1)
    if width > 1 and b"\x00" not in content:
        # The Content-Type was wrong.
        width, charset = 1, "utf-8"
    # The last character may be incomplete.
    whole = content[: len(content) // width * width]
    errors = "surrogatepass" if width > 1 else "surrogateescape"
    try:
        text = whole.decode(charset, errors)
        if text.encode(charset, errors) == whole:
            return text, charset, errors
    except UnicodeError:
        pass
    return content.decode("utf-8", "surrogateescape"), "utf-8", "surrogateescape"


def _is_binary(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # The last character may be incomplete.
        return "\x00" in decoder.decode(content)
    except UnicodeError:
        return not has_byte_order_mark(content)


def _mask_multipart(content: bytes, content_type: str, names: Names, depth: int) -> bytes:
    pieces = split_multipart(content, content_type)
    if not pieces:
        return mask_body(content, "text/plain", names)
    pieces[2::2] = [_mask_part(part_of(piece), names, depth) for piece in pieces[2::2]]
    return b"".join(pieces)


def _mask_part(part: Part, names: Names, depth: int) -> bytes:
    lines = part.lines
    head = "".join([_mask_line(line, names) for line in lines])
    shown = head.encode("utf-8", "surrogateescape") + part.separator
    headers = headers_of(lines)
    name = parameters(headers.get("content-disposition", "")).get("name", "")
    if not part.content or names.is_shown(name):
        return shown + part.content
    if names.is_secret(name):
        value = part.content.decode("utf-8", "surrogateescape")
        return shown + mask_value(name, value, names).encode("utf-8", "surrogateescape")
    return shown + mask_body(part.content, headers.get("content-type", ""), names, depth + 1)


def _mask_line(line: str, names: Names) -> str:
    name, _, value = line.partition(":")
    bare = value.strip()
    if not bare:
        return line
    return f"{name}:{value.replace(bare, mask_header(name.strip(), bare, names), 1)}"
