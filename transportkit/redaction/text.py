"""Mask secrets in text of any kind: log lines, error texts, reprs, headers.

Text is read once, from left to right. Of a pair that is not secret only the name is passed
over, so that a name in its value is found as well; one that is secret is passed over whole.
Every pattern begins where something begins and gives nothing back, so the time grows with the
length of the text, whatever it holds; and what was masked once stays as it is.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import quote

from .markup import mask_markup
from .names import MASK, Kind, Names, percent_decoded
from .tokens import mask_tokens
from .urls import mask_url
from .values import CREDENTIALS, is_secret_value, mask_value

T = TypeVar("T", str, bytes)

# Twice is enough for what people write; this is for what was written to deceive.
_MAX_PASSES = 8
# URLs in URLs in URLs; what is nested deeper is masked whole.
_MAX_DEPTH = 3

_ENCODED_RUN = re.compile(r"[^\s&=?#;\"'<>]++")
_WORTH_DECODING = re.compile(r"%(?:25)*(?:3[ADad]|40|22)")

# Without one of these there is no name and no URL.
_SIGN = re.compile(r"[=:<%]|[\"'][ \t\]]*+,|--?[uU\w]")
_URL_OR_PAIR = re.compile(
    r"""
    (?P<escape>(?<![\w%.$+\[\]-]) | \\[nrt]) (?:
        (?P<option>--[a-z][\w-]*+|-[uU])[ \t]++(?=[^\s-])
      | (?<!:)(?P<urn>[au]rn:[\w:./+*-]++)
      | (?P<url>[A-Za-z][\w+.-]*+:(?:\\*/){2})
      | (?P<name>[\w%.$+\[\]-]++)
        (?P<quote>\\*["'])?\]?[ \t]*+(?P<separator>=>|={1,3}|[:,])[ \t+]*+
    )
    """,
    re.VERBOSE,
)
_TRAILING = "'\")]},;:.!\\"
_OPENS_PAIR = re.compile(r"(?:\(|[\[,]\s?\[)[bu]?\\*[\"']$")
_LINE_START = re.compile(r"(?:\n|\\n)[ \t<>*-]*$")
_OPENING = re.compile(r"[bBuUrRfF]{0,2}(?P<delimiter>\\*[\"'])")
_CLOSING = {mark: re.compile(rf"\n|(?<!\\)\\*+{mark}") for mark in "\"'"}
_END_OF_RUN = re.compile(r"[\s&\"<>]|\Z")
# In a repr, the end of a line is written out.
_END_OF_URL = re.compile(r"[\s<>]|(?<!=)\"|\\r\\n|\Z")
_END_OF_LINE = re.compile(r"[\r\n]|\\r\\n|\Z")
_LOGIN = re.compile(r"[^\s\"'<>@/]{1,128}+@(?=[\w\[])(?!sha\d)")
_LOGIN_OPTIONS = frozenset(("-u", "-U", "--user", "--proxy-user"))
_LOGIN_VALUE = r"(?!\d+:\d+$)[^\s:/]+:[^/]"
# `mailto:scott@example.com` is an address, not a login.
_NOT_LOGIN = frozenset(
    ("acct", "bcc", "cc", "email", "from", "mail", "mailto", "pkg", "sip", "to", "user", "xmpp")
)
_BRACKETS = frozenset("[({")
_NOTHING = frozenset(("none", "null", "true", "false", "undefined", MASK))
_PART = re.compile(r"[\[({]|[\])}]|[^\s\[\](){},:=\"'\\]++|[\s,:=\\]++|.", re.DOTALL)
_IS_KEY = re.compile(r"\s{0,8}[:=]")


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
    if "<" in text:
        text = mask_markup(text, names)
    shown: list[str] = []
    done = 0
    for start, end, replacement in _findings(text, names):
        shown += (mask_tokens(text[done:start]), replacement)
        done = end
    return "".join((*shown, mask_tokens(text[done:])))


def _findings(text: str, names: Names) -> Iterator[tuple[int, int, str]]:
    """The secrets in a text: start, end and replacement of each."""
    done = 0
    # Brackets in brackets are looked into once for each kind.
    searched: dict[Kind, int] = {}
    for match in _URL_OR_PAIR.finditer(text):
        if match.start() < done:
            continue
        if match["url"] is not None:
            done = _start(_END_OF_URL, text, match.end())
            run = text[match.start() : done].replace("\\/", "/")
            url = run.rstrip(_TRAILING)
            yield match.start(), done, mask_url(url, names) + run[len(url) :]
            continue
        if match["urn"] is not None:
            done = match.end()
            yield match.start(), done, mask_tokens(match[0])
            continue
        if match["option"] is not None:
            name, start = match["option"], match.end()
            end = _start(_END_OF_RUN, text, start)
            value = text[start:end].strip("\"'")
            is_login = name in _LOGIN_OPTIONS and re.match(_LOGIN_VALUE, value)
            if is_login or is_secret_value(names.kind(name), name, value):
                done = end
                yield start, end, text[start:end].replace(value, MASK)
            continue
        name = _name(match, names)
        kind = names.kind(name)
        if Kind.SHOWN < kind <= Kind.OTHER:
            if match[0][-1] == ":" and name.lower() not in _NOT_LOGIN:
                if login := _LOGIN.match(text, match.end()):
                    done = login.end()
                    yield match.start("name"), done, f"{MASK}@"
            continue
        if match["separator"] == ":" and text[max(0, match.start() - 1)] == "<":
            continue  # The prefix of an XML element.
        start = match.end()
        opening = text[start : start + 1]
        if opening in _BRACKETS:
            if opening == "{" and Kind.OPAQUE < kind < Kind.SECRET:
                kind = Kind.OPAQUE
            if any(start < end for other, end in searched.items() if other >= kind):
                continue
        found = _value(text, match, start, name, _masker(kind, name, names))
        if found is None:
            continue
        end, replacement = found
        if kind is Kind.SHOWN or replacement != text[start:end]:
            done = end
            yield start, end, replacement
        elif opening in _BRACKETS:
            searched[kind] = end


def _masker(kind: Kind, name: str, names: Names) -> Callable[[str], str]:
    def mask(value: str) -> str:
        if kind is Kind.SHOWN or not is_secret_value(kind, name, value):
            return value
        return mask_value(name, value, names)

    return mask


def _name(match: re.Match[str], names: Names) -> str:
    # `\\token` in a path is one word, `\\ncookie` in a repr is a line break and a name.
    whole = match["escape"][1:] + match["name"]
    return whole if names.is_secret(whole) and not names.is_secret(match["name"]) else match["name"]


def _value(
    text: str, match: re.Match[str], start: int, name: str, mask: Callable[[str], str]
) -> tuple[int, str] | None:
    """The end of the value of a secret name, and the replacement; None if it is not a pair."""
    opening = _OPENING.match(text, start)
    if match["separator"] == ",":
        quote_at = match.start("name")
        before = text[max(0, quote_at - 16) : quote_at]
        is_option = name.startswith("--") and len(name) > 2
        if opening is None or match["quote"] is None:
            return None
        if not is_option and _OPENS_PAIR.search(before) is None:
            return None
    if opening is not None:
        return _quoted(text, opening, mask)
    if text[start : start + 1] in _BRACKETS:
        return _container(text, start, mask)
    end = _end_of_unquoted(text, match, start, name)
    return (end, mask(text[start:end]))


def _end_of_unquoted(text: str, match: re.Match[str], start: int, name: str) -> int:
    kind = name.lower().replace("_", "-")
    if match["separator"] == ":":
        at = match.start()
        before = text[max(0, at - 16) : at]
        before = before if at > 16 else f"\n{before}"
        if _LINE_START.search(before + match["escape"]) or kind.endswith("cookie"):
            return _start(_END_OF_LINE, text, start)
        if kind.endswith("authorization"):
            credentials = CREDENTIALS.match(text, start)
            return credentials.end() if credentials else _start(_END_OF_LINE, text, start)
    return start + len(text[start : _start(_END_OF_RUN, text, start)].rstrip(_TRAILING))


def _start(pattern: re.Pattern[str], text: str, start: int) -> int:
    """The start of the next match of a pattern that always matches, if only at the end."""
    found = pattern.search(text, start)
    assert found is not None
    return found.start()


def _quoted(text: str, opening: re.Match[str], mask: Callable[[str], str]) -> tuple[int, str]:
    delimiter = opening["delimiter"]
    depth = len(delimiter)
    end = len(text)
    for found in _CLOSING[delimiter[-1]].finditer(text, opening.end()):
        if found[0] == "\n":
            end = found.start()
            break
        # Twice as many and one more belong to a quote within; even more, to one deeper.
        if len(found[0]) % (2 * depth) == depth:
            end = found.end() - depth
            break
    value = text[opening.end() : end]
    return (end, opening[0] + mask(value))


def _container(text: str, start: int, mask: Callable[[str], str]) -> tuple[int, str]:
    """The values in brackets, up to the closing one."""
    shown: list[str] = []
    depth = 0
    position = start
    while position < len(text):
        if opening := _OPENING.match(text, position):
            end, replacement = _quoted(text, opening, mask)
            closing = opening["delimiter"] if text.startswith(opening["delimiter"], end) else ""
            is_key = _IS_KEY.match(text, end + len(closing))
            shown += (mask_tokens(text[position:end]) if is_key else replacement, closing)
            position = end + len(closing)
            continue
        part = _PART.match(text, position)
        assert part is not None
        piece = part[0]
        position = part.end()
        depth += (piece in {"[", "(", "{"}) - (piece in {"]", ")", "}"})
        plain = not piece[0].strip("[](){},:=\\") or piece[0].isspace() or piece.lower() in _NOTHING
        shown.append(piece if plain or _IS_KEY.match(text, position) else mask(piece))
        if depth == 0:
            break
    return (position, "".join(shown))


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
