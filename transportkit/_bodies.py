"""Mask secrets in bodies: forms, JSON, multipart and text, whole or cut off anywhere.

JSON is read token by token instead of parsed: what is no secret keeps its spelling, and
what was cut off is masked as far as it came.
"""

import codecs
import json
import re
from dataclasses import dataclass

from ._masking import mask_header, mask_text, without_encoded
from ._secrets import MASK, Names, concealed, without_torn
from ._urls import CODE, SHORTEST_CODE, mask_pairs

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

_JSON_TOKEN = re.compile(
    r"(?P<space>\s++)|(?P<string>\")|(?P<mark>[{}\[\],:])|(?P<scalar>[^\s{}\[\],:\"]++)"
)
_END_OF_STRING = re.compile(r"(?<!\\)(?:\\\\)*\"")
_LITERALS = frozenset(("true", "false", "null"))
_TORN_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9A-Fa-f]{0,3})?$")
# Some write an object for each name: `{"name": "password", "value": "..."}`.
_NAMING = frozenset(("name", "key", "id", "field", "header"))


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
        masked = _JSONMasker(names).mask(text)
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
    for line in head.decode("utf-8", "surrogateescape").splitlines(keepends=True):
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


@dataclass
class _Level:
    """An object or array that is open.

    Attributes:
        opening: `{` or `[`.
        name: the secret name that all within belongs to, "" for none.
        key: the last key of an object.
        named: the secret name that an object tells in a member of its own, or an array first.
        value: where the member of such an object stands that came before its name.
        items: how many commas there were.
    """

    opening: str
    name: str = ""
    key: str = ""
    named: str = ""
    value: int = -1
    items: int = 0


class _JSONMasker:
    """Goes through JSON once, from left to right."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._levels = [_Level("")]
        self._shown: list[str] = []
        self._awaits_value = True

    def mask(self, text: str) -> str:
        position = 0
        while position < len(text):
            token = _JSON_TOKEN.match(text, position)
            assert token is not None
            position = token.end()
            if token["string"]:
                end = _END_OF_STRING.search(text, position)
                position = end.end() if end else len(text)
            piece = text[token.start() : position]
            if token["mark"]:
                self._mark(piece)
            elif token["space"]:
                self._shown.append(piece)
            elif self._levels[-1].opening == "{" and not self._awaits_value:
                self._levels[-1].key = _plain(piece)
                self._shown.append(piece)
            else:
                self._scalar(piece)
        return "".join(self._shown)

    def _mark(self, mark: str) -> None:
        self._shown.append(mark)
        level = self._levels[-1]
        if mark in {"{", "["}:
            self._levels.append(_Level(mark, self._secret_name()))
            self._awaits_value = mark == "["
        elif mark in {"}", "]"}:
            if len(self._levels) > 1:
                self._levels.pop()
            self._awaits_value = False
        elif mark == ":":
            self._awaits_value = True
        else:
            level.items += 1
            self._awaits_value = level.opening != "{"

    def _secret_name(self) -> str:
        """The secret name that a value at this place has, "" for none."""
        level = self._levels[-1]
        if level.opening == "{" and self._names.is_shown(level.key):
            return ""
        if level.name:
            return level.name
        if level.opening == "{":
            if self._names.is_secret(level.key):
                return level.key
            return level.named if level.key.lower() == "value" else ""
        return level.named if level.items == 1 else ""

    def _scalar(self, token: str) -> None:
        level = self._levels[-1]
        if level.opening == "{" and self._names.is_shown(level.key):
            self._shown.append(token)
            return
        name = self._secret_name()
        if level.opening == "{" and level.key.lower() == "value":
            level.value = len(self._shown)
        plain = _plain(token) if token.startswith('"') else ""
        if name:
            self._shown.append(self._concealed(name, token))
            return
        is_code_here = level.opening == "{" and level.key == CODE and len(plain) >= SHORTEST_CODE
        self._shown.append(_quoted(MASK, token) if is_code_here else self._text(token, plain))
        if not plain or not self._names.is_secret(plain):
            return
        if level.opening == "{" and level.key.lower() in _NAMING:
            level.named = plain
            if level.value >= 0:
                self._shown[level.value] = self._concealed(plain, self._shown[level.value])
        elif level.opening == "[" and level.items == 0 and self._levels[-2].opening == "[":
            # Headers are written as a list of pairs, too.
            level.named = plain

    def _concealed(self, name: str, token: str) -> str:
        if token in _LITERALS:
            return token
        if not token.startswith('"'):
            return f'"{MASK}"'
        return _quoted(concealed(name, _plain(token), self._names), token)

    def _text(self, token: str, plain: str) -> str:
        masked = mask_text(plain, self._names)
        return token if masked == plain else _quoted(masked, token)


def _is_whole(token: str) -> bool:
    return len(token) > 1 and token.endswith('"') and not _TORN_ESCAPE.search(token[:-1])


def _plain(token: str) -> str:
    """What a JSON string says, as far as it came."""
    inner = token[1:-1] if _is_whole(token) else _TORN_ESCAPE.sub(r"\1", token[1:])
    if "\\" not in inner:
        return inner
    try:
        plain: str = json.loads(f'"{inner}"', strict=False)
    except ValueError:
        return inner
    return plain


def _quoted(text: str, token: str) -> str:
    """Text as a JSON string that is whole where the token was."""
    # Half a pair of surrogates has no encoding, and invalid bytes have no other.
    quoted = json.dumps(text, ensure_ascii="\\u" in token)
    return quoted if _is_whole(token) else quoted[:-1]
