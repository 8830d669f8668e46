"""Mask secrets in bodies: forms, JSON, multipart and text, whole or cut off anywhere."""

import codecs
import re

from .json import mask_json
from .names import Names, concealed, without_torn
from .text import mask_header, mask_text, without_encoded
from .urls import mask_pairs

# Parts in parts in parts; what lies deeper is masked as text.
_DEEPEST = 3

_PARAMETER = re.compile(r";\s*([\w*-]++)\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;\s]*)")
_BINARY = re.compile(r"(?:image|audio|video|font)/(?!svg)")
_TEXT = re.compile(
    r"text/|message/|application/(?:.*\+)?(?:xml|javascript|graphql|yaml)\b|.*\+xml\b"
)
_JSON = re.compile(
    r"(?:application|text)/(?:.*\+)?(?:json|x-ndjson|jsonl|json-seq|jsonlines|x-json)\b"
)
_FORM = "application/x-www-form-urlencoded"


# The longer ones first: one is how another begins.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def mask_body(content: bytes, content_type: str, names: Names, depth: int = 0) -> bytes:
    """A body without its secrets, as far as it is here."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content or _BINARY.match(kind):
        return content
    if kind.startswith("multipart/") and depth < _DEEPEST:
        return _mask_multipart(content, content_type, names, depth)
    charset = _charset(content, _parameters(content_type).get("charset", ""))
    is_text = kind == _FORM or bool(_JSON.match(kind) or _TEXT.match(kind))
    if not is_text and _is_binary(content):
        return content
    text, charset, errors = _decoded(content, charset)
    whole = text
    text = without_torn(text)
    if kind == _FORM:
        masked = mask_pairs(without_encoded(text, names), names, is_form=True)
    elif _JSON.match(kind) or (not is_text and text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}):
        masked = mask_json(text, names)
    else:
        masked = mask_text(text, names)
    return content if masked == whole else masked.encode(charset, errors)


def _decoded(content: bytes, charset: str) -> tuple[str, str, str]:
    """The text, and the charset and the kind of errors to write it with again."""
    width = {"utf-16": 2, "utf-32": 4}.get(charset[:6], 1)
    if width > 1 and b"\x00" not in content:
        # It was told the wrong one.
        width, charset = 1, "utf-8"
    # The last character may be torn.
    whole = content[: len(content) // width * width]
    errors = "surrogatepass" if width > 1 else "surrogateescape"
    try:
        text = whole.decode(charset, errors)
        if text.encode(charset, errors) == whole:
            return text, charset, errors
    except UnicodeError:
        pass
    return content.decode("utf-8", "surrogateescape"), "utf-8", "surrogateescape"


def _parameters(header: str) -> dict[str, str]:
    return {
        found[1].lower(): re.sub(r"\\(.)", r"\1", found[2].strip('"'))
        for found in _PARAMETER.finditer(header)
    }


def _charset(content: bytes, told: str) -> str:
    try:
        codec = codecs.lookup(told).name if told else "utf-8"
        b" ".decode(codec, "replace")  # base64 and its like are codecs, but no charsets
    except (LookupError, ValueError):
        codec = "utf-8"
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    return f"{codec}-be" if codec in {"utf-16", "utf-32"} else codec


def _is_binary(content: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # The last character may have been cut off.
        return "\x00" in decoder.decode(content)
    except UnicodeError:
        return not content.startswith(tuple(mark for mark, _ in _MARKS))


def _mask_multipart(content: bytes, content_type: str, names: Names, depth: int) -> bytes:
    boundary = _parameters(content_type).get("boundary", "").encode("utf-8", "surrogateescape")
    if not boundary:
        first = re.match(rb"\s*--([^\r\n]{1,200})", content)
        boundary = first[1].rstrip() if first else b""
    if not boundary:
        return mask_body(content, "text/plain", names)
    delimiter = re.compile(rb"((?:^|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|$))")
    pieces = delimiter.split(content)
    pieces[2::2] = [_mask_part(part, names, depth) for part in pieces[2::2]]
    return b"".join(pieces)


def _mask_part(part: bytes, names: Names, depth: int) -> bytes:
    head, separator, body = _split_head(part)
    headers: dict[str, str] = {}
    lines: list[str] = []
    # A line may go on behind a break (RFC 5322, section 2.2.3).
    for line in re.split(r"(?<=\n)(?![ \t])", head.decode("utf-8", "surrogateescape")):
        name, colon, value = line.partition(":")
        bare = value.strip()
        headers[name.strip().lower()] = bare
        shown = mask_header(name.strip(), bare, names) if bare else ""
        lines.append(name + colon + value.replace(bare, shown, 1) if bare else line)
    shown_head = "".join(lines).encode("utf-8", "surrogateescape") + separator
    disposition = _parameters(headers.get("content-disposition", ""))
    name = disposition.get("name", "")
    if names.is_shown(name):
        return shown_head + body
    if names.is_secret(name):
        text = body.decode("utf-8", "surrogateescape")
        return shown_head + (
            concealed(name, text, names).encode("utf-8", "surrogateescape") if body else body
        )
    return shown_head + mask_body(body, headers.get("content-type", ""), names, depth + 1)


def _split_head(part: bytes) -> tuple[bytes, bytes, bytes]:
    if found := re.search(rb"\r?\n\r?\n", part):
        return part[: found.start()], found[0], part[found.end() :]
    if part.startswith((b"\r\n", b"\n")):
        return b"", b"", part
    return part, b"", b""
