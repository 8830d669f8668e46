"""Mask secrets in text of any kind: log lines, error texts, reprs, headers.

Text is read once, from left to right. Of a pair that is not secret only the name is passed
over, so that a name in its value is found as well; one that is secret is passed over whole.
Every pattern begins where something begins and gives nothing back, so the time grows with the
length of the text, whatever it holds; and what was masked once stays as it is.
"""

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from .names import MASK, Names, percent_decoded
from .urls import mask_url
from .values import CREDENTIALS, mask_tokens, mask_value

# URLs in URLs in URLs; what is nested deeper is masked whole.
_MAX_DEPTH = 3

_ENCODED_RUN = re.compile(r"[^\s&=?#;\"'<>]++")
_WORTH_DECODING = re.compile(r"%(?:25)*(?:3[ADad]|40|22)")

_ELEMENT = re.compile(
    r"<(?P<name>[\w:.-]+)(?P<rest>(?:\s[^<>]*+)?>\s*+(?:<!\[CDATA\[)?)"
    r"(?P<value>(?<=\[CDATA\[)[^\]]*+(?:\](?!\]>)[^\]]*+)*|[^<]*+)"
)
_FIELD = re.compile(r"<(?:input|meta)\s[^<>]*+", re.IGNORECASE)
_FIELD_NAME = re.compile(r"\s(?:name|id)\s{0,8}=\s{0,8}[\"']?([^\s\"'>]++)", re.IGNORECASE)
_FIELD_VALUE = re.compile(
    r"(?P<name>\s(?:value|content)\s{0,8}=\s{0,8})(?P<value>\"[^\"]*+|'[^']*+|[^\s\"'>]++)",
    re.IGNORECASE,
)

# Without one of these there is no name and no URL.
_SIGN = re.compile(r"[=:<%]|[\"'][ \t\]]*+,")
_URL_OR_PAIR = re.compile(
    r"""
    (?<![\w+.-])(?P<url>[A-Za-z][\w+.-]*+:(?:\\*/){2})
    | (?P<escape>\\[nrt] | (?<![\w%.$+\[\]-]))(?P<name>[\w%.$+\[\]-]++)
      (?P<quote>\\*["'])?\]?[ \t]*+(?P<separator>=>|={1,3}|[:,])[ \t+]*+
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
_LOGIN = re.compile(r"[^\s\"'<>@/]{1,128}+@(?=[\w\[])")
# `mailto:scott@example.com` is an address, not a login.
_NOT_LOGIN = frozenset(
    ("acct", "bcc", "cc", "email", "from", "mail", "mailto", "pkg", "sip", "to", "user", "xmpp")
)
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
        masked = mask_text(plain, names, depth=depth + 1)
        safe = "*" + "".join(mark for mark in "/:@,!$()+" if mark in run)
        return run if masked == plain else quote(masked, safe, errors="surrogateescape")

    return _ENCODED_RUN.sub(replaced, text)


def mask_text(text: str, names: Names, *, depth: int = 0) -> str:
    """Text without its secrets."""
    if _SIGN.search(text) is None:
        return mask_tokens(text)
    text = mask_encoded(text, names, depth)
    if "<" in text:
        text = _FIELD.sub(lambda match: _field(match[0], names), text)
        text = _ELEMENT.sub(lambda match: _element(match, names), text)
    shown: list[str] = []
    done = 0
    for start, end, replacement in _findings(text, names):
        shown += (mask_tokens(text[done:start]), replacement)
        done = end
    return "".join((*shown, mask_tokens(text[done:])))


def _element(match: re.Match[str], names: Names) -> str:
    value = match["value"]
    if not value.strip() or not names.is_secret(match["name"].rpartition(":")[2]):
        return match[0]
    return f"<{match['name']}{match['rest']}{MASK}"


def _field(tag: str, names: Names) -> str:
    name = _FIELD_NAME.search(tag)
    return tag if name is None or not names.is_secret(name[1]) else _FIELD_VALUE.sub(_masked, tag)


def _masked(match: re.Match[str]) -> str:
    opening = match["value"][0]
    return match["name"] + (opening if opening in {'"', "'"} else "") + MASK


def _findings(text: str, names: Names) -> Iterator[tuple[int, int, str]]:
    """The secrets in a text: start, end and replacement of each."""
    done = 0
    for match in _URL_OR_PAIR.finditer(text):
        if match.start() < done:
            continue
        if match["url"] is not None:
            done = _start(_END_OF_URL, text, match.end())
            run = text[match.start() : done].replace("\\/", "/")
            url = run.rstrip(_TRAILING)
            yield match.start(), done, mask_url(url, names) + run[len(url) :]
            continue
        name = _name(match, names)
        if names.is_shown(name):
            mask: Callable[[str], str] = str
        elif names.is_secret(name):
            mask = _masker(name, names)
        else:
            if match[0][-1] == ":" and name.lower() not in _NOT_LOGIN:
                if login := _LOGIN.match(text, match.end()):
                    done = login.end()
                    yield match.start("name"), done, f"{MASK}@"
            continue
        start = match.end()
        found = _value(text, match, start, name, mask)
        if found is not None:
            done, replacement = found
            yield start, done, replacement


def _masker(name: str, names: Names) -> Callable[[str], str]:
    return lambda value: mask_value(name, value, names)


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
        if opening is None or match["quote"] is None or _OPENS_PAIR.search(before) is None:
            return None
    if opening is not None:
        return _quoted(text, opening, mask)
    if text[start : start + 1] in {"[", "(", "{"}:
        return _container(text, start, mask)
    end = _end_of_unquoted(text, match, start, name)
    value = text[start:end]
    if not value.strip() or value.lower() in _NOTHING:
        return (end, value)
    return (end, mask(value))


def _end_of_unquoted(text: str, match: re.Match[str], start: int, name: str) -> int:
    kind = name.lower().replace("_", "-")
    if match["separator"] == ":":
        at = match.start()
        before = text[max(0, at - 16) : at]
        before = before if at > 16 else f"\n{before}"
        if _LINE_START.search(before + match["escape"]) or kind.endswith("cookie"):
            return _start(_END_OF_LINE, text, start)
        if kind.endswith("authorization"):
            credentials = re.compile(CREDENTIALS).match(text, start)
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
            shown += (text[position:end] if is_key else replacement, closing)
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


_URL_HEADERS = frozenset(("location", "content-location", "referer", "origin", "sourcemap"))


def mask_header(name: str, value: str, names: Names) -> str:
    """The value of a header without its secrets."""
    if names.is_shown(name):
        return value
    if names.is_secret(name):
        return mask_value(name, value, names)
    if name.lower() in _URL_HEADERS:
        return mask_encoded(mask_url(value, names), names)
    return mask_text(value, names)
