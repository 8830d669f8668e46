"""Mask secrets in JSON, whole or cut off anywhere.

It is read token by token instead of parsed: what is no secret keeps its spelling, and what was
cut off is masked as far as it came.
"""

import json
import re
from dataclasses import dataclass

from .names import MASK, Names, concealed
from .text import mask_text
from .urls import CODES, SHORTEST_CODE

_JSON_TOKEN = re.compile(
    r"(?P<space>\s++)|(?P<string>\")|(?P<mark>[{}\[\],:])|(?P<scalar>[^\s{}\[\],:\"]++)"
)
_END_OF_STRING = re.compile(r"(?<!\\)(?:\\\\)*\"")
# A number or literal, which may be cut off.
_BARE = re.compile(r"-?[\d.eE+-]*+\Z|tr?u?e?\Z|fa?l?s?e?\Z|nu?l?l?\Z")
_LITERALS = frozenset(("true", "false", "null"))
_TORN_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9A-Fa-f]{0,3})?$")
# Some write an object for each name: `{"name": "password", "value": "..."}`.
_NAMING = frozenset(("name", "key", "id", "field", "header"))


def mask_json(text: str, names: Names) -> str:
    """JSON without its secrets, as far as it is here."""
    return _Masker(names).mask(text)


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


class _Masker:
    """Goes through JSON once, from left to right."""

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
        # What is only called JSON or begins like it: an INI file, a template, an error's text.
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

    def _take_for_name(self, level: _Level, token: str) -> None:
        # `{"key": "password", "value": "..."}`: `key` itself may be a secret's name.
        if level.opening != "{" or level.key.lower() not in _NAMING or not token.startswith('"'):
            return
        plain = _plain(token)
        if self._names.is_secret(plain):
            level.named = plain
            if level.value >= 0:
                self._shown[level.value] = self._concealed(plain, self._shown[level.value])

    def _scalar(self, token: str) -> None:
        level = self._levels[-1]
        if level.opening == "{" and self._names.is_shown(level.key):
            self._shown.append(token)
            return
        self._is_json &= token.startswith('"') or _BARE.match(token) is not None
        if name := self._secret_name():
            self._take_for_name(level, token)
            self._shown.append(self._concealed(name, token))
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
            self._take_for_name(level, token)
        elif level.opening and level.items == 0 and self._levels[-2].opening == "[":
            # Headers are written as a list of pairs, too.
            level.named = plain if self._names.is_secret(plain) else ""

    def _concealed(self, name: str, token: str) -> str:
        if token in _LITERALS:
            return token
        if not token.startswith('"'):
            return f'"{MASK}"'
        return _quoted(concealed(name, _plain(token), self._names), token)


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
