"""Mask secrets in JSON, whole or truncated anywhere, one value or several.

The text is parsed, which is fast, and what is masked is then cut out of the text as it was
written: what is not secret keeps its spelling. What cannot be parsed is masked as text.
"""

import json
import re

from .names import MASK, Kind, Names
from .text import mask_text
from .values import is_secret_value, looks_random, mask_value

# An object becomes a tuple of pairs, as two members may have one name; an array is a list.
_decode = json.JSONDecoder(object_pairs_hook=tuple, strict=False).raw_decode

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = rf'(?s)({_STRING}|[^\s{{}}\[\],:"\x1e\ufeff]++)'
_QUOTED_MASK = f'"{MASK}"'
# Between values; RFC 7464 has a separator of its own.
_BETWEEN = r"[\s\x1e\ufeff]*+"

# Some APIs write an object for each name: `{"name": "password", "value": "..."}`.
_NAMING = frozenset(("name", "key", "id", "field", "header", "path", "type", "method"))
_NAMED = frozenset(("value", "values", "params"))
_HELD = frozenset(("data", "stringdata", "payload", "encoded"))
# The private members of a JSON Web Key (RFC 7518).
_OF_WEB_KEY = frozenset(("d", "p", "q", "dp", "dq", "qi", "k"))
_NESTED = (tuple, list)
_DEPENDING = _NAMED | _HELD | _OF_WEB_KEY | {"token"}
# What stands beside a token that is a piece of a text.
_OF_TEXT = frozenset(("logprob", "start_offset", "position"))

# A value that hides nothing: a URL with short words only, a date.
_PLAIN = (
    r"https?://(?!\w*hook)[\w.-]++(?::\d++)?(?:/[\w.,~+!*-]{0,10}+(?![\w.,~+!*-]))*+"
    r"|\d{4}-\d\d-\d\d[\d:.TZ+ -]{0,32}+"
)
# One without any of these hides nothing, either.
_SIGN = r"[\s=:<%{@\"']|(?<![\w.-])[\w.-]{11}"


def mask_json(text: str, names: Names) -> str:
    """JSON, or as much of it as is there, without its secrets."""
    masked = _masked(text, names)
    if masked is None and (completed := _completed(text)):
        whole, added, closing = completed
        masked = _masked(whole, names)
        if masked is not None:
            return text if masked == whole else masked.removesuffix(closing).removesuffix(added)
    # It is only called JSON, or begins like it: an INI file, a template, an error message.
    return mask_text(text, names) if masked is None else masked


def _masked(text: str, names: Names) -> str | None:
    """JSON without its secrets, None if it is not JSON."""
    walk = _Walk(names)
    at = 0
    try:
        while (at := _end(_BETWEEN, text, at)) < len(text):
            value, at = _decode(text, at)
            walk.value(value, Kind.OTHER, "")
    except (ValueError, RecursionError):
        return None
    if not walk.cuts:
        return text
    pieces = re.split(_SCALAR, text)
    if len(pieces) != 2 * walk.count + 1:
        return None
    for index, shown in walk.cuts.items():
        pieces[2 * index + 1] = _quoted(shown, pieces[2 * index + 1])
    return "".join(pieces)


def _quoted(text: str, written: str) -> str:
    if text == MASK:
        return _QUOTED_MASK
    # Half of a surrogate pair cannot be encoded otherwise, nor can invalid bytes be escaped.
    return json.dumps(text, ensure_ascii="\\u" in written)


def _end(pattern: str, text: str, start: int) -> int:
    """The end of the match of a pattern that always matches."""
    found = re.compile(pattern).match(text, start)
    assert found is not None
    return found.end()


def _completed(text: str) -> tuple[str, str, str] | None:
    """Truncated JSON with its end: all of it, the end of its last scalar, what follows on that."""
    shape = re.sub(f"(?s){_STRING}", "S", text)
    shape, is_torn, _ = shape.partition('"')
    added = ""
    if is_torn:
        added = '"'
        text = text[: _end_of_whole(text)]
        shape += "S"
    elif torn := re.search(r"[^\s{}\[\],:S]+\Z", shape[-64:]):
        added = _rest(torn[0])
        shape = shape[: len(shape) - len(torn[0])] + "S"
    closing: list[str] = []
    for mark in re.findall(r"[{}\[\]]", shape):
        if mark in "{[":
            closing.append("}" if mark == "{" else "]")
        elif not closing or closing.pop() != mark:
            return None
    in_object = closing[-1:] == ["}"]
    last = re.sub(r"\s", "", shape[-64:])[-2:]
    after = ""
    if last[-1:] == ":" or (last[-1:] == "," and not in_object):
        after = "null"
    elif last[-1:] == ",":
        after = '"":null'
    elif in_object and last in {"{S", ",S"}:
        after = ":null"
    after += "".join(reversed(closing))
    return text + added + after, added, after


def _end_of_whole(text: str) -> int:
    """The end of a text that ends in a string, without an escape that is cut off."""
    torn = re.search(r"\\(?:u[0-9A-Fa-f]{0,3})?\Z", text[-5:])
    if torn is None:
        return len(text)
    end = len(text) - len(torn[0])
    before = text[:end]
    # After an odd number of backslashes, this one is escaped itself.
    return len(text) if (end - len(before.rstrip("\\"))) % 2 else end


def _rest(torn: str) -> str:
    """What is missing of a literal or a number."""
    for literal in ("true", "false", "null"):
        if literal.startswith(torn):
            return literal[len(torn) :]
    return "" if torn[-1].isdigit() else "0"


class _Walk:
    """Finds what to mask in parsed JSON, reading it once.

    Attributes:
        cuts: what is shown instead of some scalars, by their index among all scalars and names.
        count: the number of scalars and names so far.
    """

    def __init__(self, names: Names) -> None:
        self.cuts: dict[int, str] = {}
        self.count: int = 0
        self._names = names
        # The same names and values come again and again.
        self._known: dict[str, tuple[Kind, bool]] = {}
        self._shown_names: dict[str, str] = {}
        self._harmless: set[str] = set()
        self._sign = re.compile(_SIGN).search
        self._plain = re.compile(_PLAIN).fullmatch

    def value(self, value: object, kind: Kind, name: str) -> None:
        """Find what to mask in a value of a name of this kind."""
        if isinstance(value, str):
            self._string(value, kind, name)
        elif isinstance(value, tuple):
            self._object(value, kind)
        elif isinstance(value, list):
            self._array(value, kind, name)
        else:
            is_number = value is not None and not isinstance(value, bool)
            if is_number and is_secret_value(kind, name, str(value)):
                self.cuts[self.count] = MASK
            self.count += 1

    def _object(self, members: tuple[tuple[str, object], ...], outer: Kind) -> None:
        # This is where the time goes: what is looked up again and again has a short way.
        known, harmless, other = self._known, self._harmless, Kind.OTHER
        count = self.count
        for name, value in members:
            kind, is_special = known.get(name) or self._learned(name)
            if is_special or outer is not other:
                self.count = count
                kind = self._special(name, kind, members, outer)
            count += 1
            kind_of_value = value.__class__
            if kind > other or (
                value not in harmless if kind_of_value is str else kind_of_value in _NESTED
            ):
                self.count = count
                self.value(value, kind, name)
                count = self.count
            else:
                count += 1
        self.count = count

    def _array(self, items: list[object], kind: Kind, name: str) -> None:
        for item in items:
            if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
                # Headers are written as a list of pairs as well.
                self._string(item[0], kind, name)
                own = self._names.kind(item[0])
                self.value(item[1], max(own, kind), item[0] if own >= kind else name)
            else:
                self.value(item, kind, name)

    def _string(self, value: str, kind: Kind, name: str) -> None:
        shown = value
        if kind > Kind.OTHER and is_secret_value(kind, name, value):
            shown = mask_value(name, value, self._names)
        elif kind is not Kind.SHOWN:
            shown = self._text(value)
        if shown != value:
            self.cuts[self.count] = shown
        self.count += 1

    def _text(self, value: str) -> str:
        if value not in self._harmless:
            if self._sign(value) and not self._plain(value):
                is_json = value.lstrip()[:1] in {"{", "["}
                shown = (mask_json if is_json else mask_text)(value, self._names)
                if shown != value:
                    return shown
            self._harmless.add(value)
        return value

    def _learned(self, name: str) -> tuple[Kind, bool]:
        """The kind of a name, and True if there is more to it."""
        shown = self._text(name)
        if shown != name:
            self._shown_names[name] = shown
        learned = self._names.kind(name), shown != name or name.lower() in _DEPENDING
        self._known[name] = learned
        return learned

    def _special(
        self, name: str, kind: Kind, members: tuple[tuple[str, object], ...], outer: Kind
    ) -> Kind:
        """The kind of a name that is not the whole truth, as a secret itself, or in a secret."""
        if name in self._shown_names:
            self.cuts[self.count] = self._shown_names[name]
        elif outer >= Kind.COUNTED and looks_random(name):
            self.cuts[self.count] = MASK
        if name.lower() in _DEPENDING:
            kind = self._depending(name.lower(), kind, members)
            if kind is Kind.OTHER and outer is Kind.OPAQUE:
                return outer
        return _nested(kind, outer)

    def _depending(self, name: str, own: Kind, members: tuple[tuple[str, object], ...]) -> Kind:
        """The kind of a name that depends on what stands beside it."""
        beside = {other.lower(): value for other, value in members}
        if name == "token":
            return Kind.OTHER if beside.keys() & _OF_TEXT else own
        if name in _OF_WEB_KEY:
            return Kind.SECRET if "kty" in beside else own
        named = [
            self._names.kind(value)
            for other, value in beside.items()
            if other in _NAMING and isinstance(value, str)
        ]
        kind = max(named, default=own)
        if name in _NAMED:
            return max(kind, own)
        is_secret = beside.get("kind") == "Secret" or (name == "encoded" and "api_key" in beside)
        return Kind.SECRET if is_secret or kind is Kind.SECRET else own


def _nested(own: Kind, outer: Kind) -> Kind:
    """The kind of a name in an object that is itself the value of a name."""
    if outer is Kind.OTHER:
        return own
    if Kind.SHOWN in {own, outer}:
        return Kind.SHOWN
    if outer is Kind.SECRET:
        return own if own is Kind.ABOUT else Kind.SECRET
    if own is Kind.OTHER and outer >= Kind.COUNTED:
        return Kind.OPAQUE
    return own
