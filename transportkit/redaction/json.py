"""Mask secrets in JSON, whole or truncated anywhere.

It is read token by token instead of parsed: what is not secret keeps its spelling, and what is
truncated is masked as far as it goes.
"""

import json
import re
from dataclasses import dataclass

from .names import MASK, Names
from .text import mask_text
from .urls import CODES, SHORTEST_CODE
from .values import mask_value

_JSON_TOKEN = re.compile(
    r"(?P<space>\s++)|(?P<string>\")|(?P<mark>[{}\[\],:])|(?P<scalar>[^\s{}\[\],:\"]++)"
)
_END_OF_STRING = re.compile(r"(?<!\\)(?:\\\\)*\"")
# A number or literal, which may be truncated.
_BARE = re.compile(r"-?[\d.eE+-]*+\Z|tr?u?e?\Z|fa?l?s?e?\Z|nu?l?l?\Z")
_LITERALS = frozenset(("true", "false", "null"))
_TRUNCATED_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9A-Fa-f]{0,3})?$")
# Some APIs write an object for each name: `{"name": "password", "value": "..."}`.
_NAMING = frozenset(("name", "key", "id", "field", "header"))


def mask_json(text: str, names: Names) -> str:
    """JSON, or as much of it as is there, without its secrets."""
    return _Masker(names).mask(text)


@dataclass
class _Level:
    """An object or array that has not ended yet.

    Attributes:
        opening: `{` or `[`.
        name: the secret name that everything within belongs to, "" without one.
        key: the last key of an object.
        named: the secret name that is itself a value: of a member such as `name`, or the first
            of an array.
        value: the index of a `value` member that may turn out to belong to such a name.
        items: the number of commas so far.
    """

    opening: str
    name: str = ""
    key: str = ""
    named: str = ""
    value: int = -1
    items: int = 0


class _Masker:
    """Masks one JSON text, reading it once from left to right."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._levels = [_Level("")]
        self._shown: list[str] = []
        self._awaits_value = True
        self._is_json = True

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
                self._levels[-1].key = _plain(piece) if token["string"] else piece
                self._is_json &= bool(token["string"])
                self._shown.append(piece)
            else:
                self._scalar(piece)
        masked = "".join(self._shown)
        # It is only called JSON, or begins like it: an INI file, a template, an error message.
        return masked if self._is_json else mask_text(masked, self._names)

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
        """The secret name of a value at this place, "" without one."""
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

    def _note_name(self, level: _Level, token: str) -> None:
        # `{"key": "password", "value": "..."}`: `key` itself may be a secret's name.
        if level.opening != "{" or level.key.lower() not in _NAMING or not token.startswith('"'):
            return
        plain = _plain(token)
        if self._names.is_secret(plain):
            level.named = plain
            if level.value >= 0:
                self._shown[level.value] = self._mask_value(plain, self._shown[level.value])

    def _scalar(self, token: str) -> None:
        level = self._levels[-1]
        if level.opening == "{" and self._names.is_shown(level.key):
            self._shown.append(token)
            return
        self._is_json &= token.startswith('"') or _BARE.match(token) is not None
        if name := self._secret_name():
            self._note_name(level, token)
            self._shown.append(self._mask_value(name, token))
            return
        in_object = level.opening == "{"
        if in_object and level.key.lower() == "value":
            level.value = len(self._shown)
        if not token.startswith('"'):
            self._shown.append(token)
            return
        plain = _plain(token)
        is_code = in_object and level.key in CODES and len(plain) >= SHORTEST_CODE
        masked = MASK if is_code else mask_text(plain, self._names)
        self._shown.append(token if masked == plain else _quoted(masked, token))
        if in_object:
            self._note_name(level, token)
        elif level.opening and level.items == 0 and self._levels[-2].opening == "[":
            # Headers are written as a list of pairs as well.
            level.named = plain if self._names.is_secret(plain) else ""

    def _mask_value(self, name: str, token: str) -> str:
        if token in _LITERALS:
            return token
        if not token.startswith('"'):
            return f'"{MASK}"'
        return _quoted(mask_value(name, _plain(token), self._names), token)


def _is_whole(token: str) -> bool:
    return len(token) > 1 and token.endswith('"') and not _TRUNCATED_ESCAPE.search(token[:-1])


def _plain(token: str) -> str:
    """The text of a JSON string, as far as it goes."""
    inner = token[1:-1] if _is_whole(token) else _TRUNCATED_ESCAPE.sub(r"\1", token[1:])
    if "\\" not in inner:
        return inner
    try:
        plain: str = json.loads(f'"{inner}"', strict=False)
    except ValueError:
        return inner
    return plain


def _quoted(text: str, token: str) -> str:
    """Text as a JSON string, truncated if the token was."""
    # Half of a surrogate pair cannot be encoded otherwise, nor can invalid bytes be escaped.
    quoted = json.dumps(text, ensure_ascii="\\u" in token)
    return quoted if _is_whole(token) else quoted[:-1]
