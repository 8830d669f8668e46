"""Mask secrets in JSON, whole or truncated anywhere, one value or several.

The text is parsed, which is fast, and what is masked is then cut out of the text as it was
written: what is not secret keeps its spelling. What cannot be parsed is masked as text.
"""

import json
import re
from functools import lru_cache

from .completion import completed
from .names import MASK, Kind, Names
from .text import mask_text
from .values import is_secret_value, looks_random, mask_value

# An object becomes a tuple of pairs, as two members may have one name; an array is a list.
_decode = json.JSONDecoder(object_pairs_hook=tuple, strict=False).raw_decode

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = rf'(?s)({_STRING}|[^\s{{}}\[\],:"\x1e\ufeff]++)'
_QUOTED_MASK = f'"{MASK}"'
# Between values; RFC 7464 has a separator of its own.
_BETWEEN = r"[\s\x1e\ufeff]*+(?!\Z)"

# Some APIs write an object for each name: `{"name": "password", "value": "..."}`.
_NAMING = frozenset(("name", "key", "id", "field", "header", "path", "type", "method"))
_LONGEST_NAME = 128
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
    if masked is None and (complete := completed(text)):
        whole, added, closing = complete
        masked = _masked(whole, names)
        if masked is not None:
            return text if masked == whole else masked.removesuffix(closing).removesuffix(added)
    # It is only called JSON, or begins like it: an INI file, a template, an error message.
    return mask_text(text, names) if masked is None else masked


def _masked(text: str, names: Names) -> str | None:
    """JSON without its secrets, None if it is not JSON."""
    walk = _Walk(names)
    between = re.compile(_BETWEEN)
    at = 0
    try:
        while begin := between.match(text, at):
            value, at = _decode(text, begin.end())
            walk.value(value, Kind.OTHER, "")
    except (ValueError, RecursionError):
        return None
    if not walk.cuts:
        return text
    # Strings are found in half the time.
    pieces = re.split(_SCALAR if walk.masks_numbers else f"(?s)({_STRING})", text)
    count = walk.strings + walk.others * walk.masks_numbers
    if len(pieces) != 2 * count + 1:
        return None
    for (strings, others), shown in walk.cuts.items():
        index = 2 * (strings + others * walk.masks_numbers) + 1
        pieces[index] = _quoted(shown, pieces[index])
    return "".join(pieces)


def _quoted(text: str, written: str) -> str:
    if text == MASK:
        return _QUOTED_MASK
    # Half of a surrogate pair cannot be encoded otherwise, nor can invalid bytes be escaped.
    return json.dumps(text, ensure_ascii="\\u" in written)


@lru_cache(4096)
def _learned(name: str, names: Names) -> tuple[Kind, str]:
    """The kind of a name, and what is shown for it."""
    return names.kind(name), mask_text(name, names)


class _Walk:
    """Finds what to mask in parsed JSON, reading it once.

    Attributes:
        cuts: what is shown instead of some scalars and names, by how many strings (names among
            them) and how many others come before.
        strings: the number of strings so far.
        others: the number of other scalars so far.
        masks_numbers: True if some of the cuts are numbers.
    """

    def __init__(self, names: Names) -> None:
        self.cuts: dict[tuple[int, int], str] = {}
        self.strings: int = 0
        self.others: int = 0
        self.masks_numbers: bool = False
        self._names = names
        # The same names and values come again and again.
        self._known: dict[str, tuple[Kind, bool]] = {}
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
                self._cut(MASK)
                self.masks_numbers = True
            self.others += 1

    def _cut(self, shown: str) -> None:
        self.cuts[self.strings, self.others] = shown

    def _object(self, members: tuple[tuple[str, object], ...], outer: Kind) -> None:
        # This is where the time goes: what is looked up again and again has a short way.
        known, harmless, other = self._known, self._harmless, Kind.OTHER
        strings, others = self.strings, self.others
        beside: dict[str, object] = {}
        for name, value in members:
            kind, is_special = known.get(name) or self._learn(name)
            if is_special or outer is not other:
                self.strings, self.others = strings, others
                beside = beside or {each.lower(): value for each, value in members}
                kind = self._special(name, kind, beside, outer)
            strings += 1
            if kind <= other:
                if value.__class__ is str:
                    if value in harmless:
                        strings += 1
                        continue
                elif value.__class__ not in _NESTED:
                    others += 1
                    continue
            self.strings, self.others = strings, others
            self.value(value, kind, name)
            strings, others = self.strings, self.others
        self.strings, self.others = strings, others

    def _array(self, items: list[object], kind: Kind, name: str) -> None:
        for item in items:
            if kind <= Kind.OTHER and item.__class__ is str and item in self._harmless:
                self.strings += 1
            elif isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
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
            self._cut(shown)
        self.strings += 1

    def _text(self, value: str) -> str:
        if value not in self._harmless:
            if self._sign(value) and not self._plain(value):
                is_json = value.lstrip()[:1] in {"{", "["}
                shown = (mask_json if is_json else mask_text)(value, self._names)
                if shown != value:
                    return shown
            self._harmless.add(value)
        return value

    def _learn(self, name: str) -> tuple[Kind, bool]:
        learn = _learned if len(name) <= _LONGEST_NAME else _learned.__wrapped__
        kind, shown = learn(name, self._names)
        self._known[name] = known = kind, shown != name or name.lower() in _DEPENDING
        return known

    def _special(self, name: str, kind: Kind, beside: dict[str, object], outer: Kind) -> Kind:
        """The kind of a name that is not the whole truth, as a secret itself, or in a secret."""
        shown = mask_text(name, self._names)
        if shown != name:
            self._cut(shown)
        elif outer >= Kind.COUNTED and looks_random(name):
            self._cut(MASK)
        if name.lower() in _DEPENDING:
            kind = self._depending(name.lower(), kind, beside)
            if kind is Kind.OTHER and outer is Kind.OPAQUE:
                return outer
        if Kind.SHOWN in {kind, outer}:
            return Kind.SHOWN
        if outer is Kind.SECRET:
            return Kind.ABOUT if self._names.is_about(name) else Kind.SECRET
        return Kind.OPAQUE if kind is Kind.OTHER and outer >= Kind.COUNTED else kind

    def _depending(self, name: str, own: Kind, beside: dict[str, object]) -> Kind:
        """The kind of a name that depends on what stands beside it."""
        if name == "token":
            return Kind.OTHER if beside.keys() & _OF_TEXT else own
        if name in _OF_WEB_KEY:
            return Kind.SECRET if "kty" in beside else own
        named = [
            self._names.kind(value)
            for other in _NAMING & beside.keys()
            if isinstance(value := beside[other], str) and len(value) <= _LONGEST_NAME
        ]
        kind = max(named, default=own)
        if name in _NAMED:
            return max(kind, own)
        is_secret = beside.get("kind") == "Secret" or (name == "encoded" and "api_key" in beside)
        return Kind.SECRET if is_secret or kind is Kind.SECRET else own
