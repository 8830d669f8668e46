"""Mask secrets in text of any kind: log lines, error texts, reprs, headers.

Every pattern begins where something begins and gives nothing back, so the time grows with the
length of the text, whatever it holds; and what was masked once stays as it is.
"""

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from .markup import mask_markup
from .names import MASK, Kind, Names, percent_decoded
from .pairs import findings
from .tokens import mask_tokens
from .urls import mask_url
from .values import is_secret_value, mask_value

T = TypeVar("T", str, bytes)

# Twice is enough for what people write; this is for what was written to deceive.
_MAX_PASSES = 8
# URLs in URLs in URLs; what is nested deeper is masked whole.
_MAX_DEPTH = 3

_ENCODED_RUN = re.compile(r"[^\s&=?#;\"'<>]++")
_WORTH_DECODING = re.compile(r"%(?:25)*(?:3[ADad]|40|22)")

# Without one of these there is no name and no URL.
_SIGN = re.compile(r"[=:<%]|[\"'][ \t\]]*+,|--?\w|[ \t][\w+/=.-]{12}")


def mask_encoded(text: str, names: Names, depth: int = 0) -> str:
    """Text without the secrets in its percent-encoded parts: a URL in the query of another."""
    if _WORTH_DECODING.search(text) is None:
        return text

    def replaced(match: re.Match[str]) -> str:
        run = match[0]
        if _WORTH_DECODING.search(run) is None:
            return run
        if depth >= _MAX_DEPTH:
            return MASK
        plain = percent_decoded(run)
        masked = _mask_once(plain, names, depth + 1)
        safe = "*" + "".join(mark for mark in "/:@,!$()+" if mark in run)
        return run if masked == plain else quote(masked, safe, errors="surrogateescape")

    return _ENCODED_RUN.sub(replaced, text)


def settled(shown: T, mask: Callable[[T], T]) -> T:
    """The result of masking until nothing is left to mask: one secret may have hidden another."""
    for _ in range(_MAX_PASSES):
        before, shown = shown, mask(shown)
        if shown == before:
            break
    return shown


def mask_text(text: str, names: Names) -> str:
    """Text without its secrets."""
    masked = _mask_once(text, names)
    return text if masked == text else settled(masked, lambda text: _mask_once(text, names))


def _mask_once(text: str, names: Names, depth: int = 0) -> str:
    if _SIGN.search(text) is None:
        return mask_tokens(text)
    text = mask_encoded(text, names, depth)
    low = text.lower()
    if not (names.may_be_in(low) or "@" in low or "-u" in low):
        return mask_tokens(text)
    text = mask_markup(text, names)
    shown: list[str] = []
    done = 0
    for start, end, replacement in findings(text, names):
        shown += (mask_tokens(text[done:start]), replacement)
        done = end
    return "".join((*shown, mask_tokens(text[done:])))


_POLICIES = r"(?i).*-policy(?:-report-only)?"
_URL_HEADERS = frozenset(("location", "content-location", "referer", "origin", "sourcemap"))


def mask_header(name: str, value: str, names: Names) -> str:
    """The value of a header without its secrets."""
    kind = names.kind(name)
    if kind is Kind.SHOWN:
        return value
    if is_secret_value(kind, name, value):
        return mask_value(name, value, names)
    if re.fullmatch(_POLICIES, name):
        return mask_tokens(value)
    if name.lower() in _URL_HEADERS:
        return mask_encoded(mask_url(value, names), names)
    return mask_text(value, names)
