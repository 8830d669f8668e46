"""Mask secrets in bodies: forms, JSON, multipart and text, whole or truncated anywhere."""

from .content import (
    FORM,
    Part,
    decoded,
    headers_of,
    is_json,
    is_like_json,
    media_type,
    parameters,
    part_of,
    split_multipart,
)
from .json import mask_json
from .names import Names
from .text import mask_encoded, mask_header, mask_text, settled
from .tokens import mask_torn
from .urls import mask_pairs
from .values import is_secret_value, mask_value

# Parts in parts in parts; what lies deeper is masked as text.
_MAX_DEPTH = 3


def mask_body(content: bytes, content_type: str, names: Names, depth: int = 0) -> bytes:
    """A body, or as much of it as is there, without its secrets."""
    kind = media_type(content_type)
    if kind.startswith("multipart/") and depth < _MAX_DEPTH:
        return _mask_multipart(content, content_type, names, depth)
    found = decoded(content, content_type)
    if found is None:
        return content
    text = mask_torn(found.text)
    if kind == FORM:
        text = settled(
            text, lambda text: mask_pairs(mask_encoded(text, names), names, is_form=True)
        )
    elif is_json(kind) or is_like_json(text):
        text = mask_json(text, names)
    else:
        text = mask_text(text, names)
    return content if text == found.text else found.encoded(text)


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
    value = part.content.decode("utf-8", "surrogateescape")
    if is_secret_value(names.kind(name), name, value):
        return shown + mask_value(name, value, names).encode("utf-8", "surrogateescape")
    return shown + mask_body(part.content, headers.get("content-type", ""), names, depth + 1)


def _mask_line(line: str, names: Names) -> str:
    name, _, value = line.partition(":")
    bare = value.strip()
    if not bare:
        return line
    return f"{name}:{value.replace(bare, mask_header(name.strip(), bare, names), 1)}"
