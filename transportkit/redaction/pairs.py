"""Find secrets in text by what stands beside them: names, options of commands, URLs.

Text is read once, from left to right. Of a pair that is not secret only the name is passed
over, so that a name in its value is found as well; one that is secret is passed over whole.
"""

import re
from collections.abc import Callable, Iterator

from .names import MASK, Kind, Names
from .tokens import mask_tokens
from .urls import mask_url
from .values import CREDENTIALS, is_secret_value, looks_random, mask_value

# Where a secret starts, where it ends, what is shown instead.
_Finding = tuple[int, int, str]

_URL_OR_PAIR = re.compile(
    r"""
    (?P<escape>(?<![\w%.$+\[\]-]) | \\[nrt]) (?:
        (?P<option>--[a-z][\w-]*+|-[uUp])[ \t]++(?=[^\s-])
      | (?<!:)(?P<urn>[au]rn:[\w:./+*-]++)
      | (?P<url>[A-Za-z][\w+.-]*+:(?:\\*/){2})
      | (?P<name>[\w%.$+\[\]-]++)
        (?P<quote>\\*["'])?\]?[ \t]*+
        (?: (?P<separator>=>|={1,3}|[:,])[ \t+]*+ | (?<=[ \t])(?=[\w+/=.-]{12}) )
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
_LONGEST_COMMAND = 100
_LOGIN_COMMAND = r"\b(?:sshpass|login)\b[^\n]*$"
_LOGIN_VALUE = r"(?!\d+:\d+$)[^\s:/]+:[^/]"
# `mailto:scott@example.com` is an address, not a login.
_NOT_LOGIN = frozenset(
    ("acct", "bcc", "cc", "email", "from", "mail", "mailto", "pkg", "sip", "to", "user", "xmpp")
)
_PHRASE = re.compile(r"[A-Za-z]{2,}+ [a-z]{2}")
_BRACKETS = frozenset("[({")
_NOTHING = frozenset(("none", "null", "true", "false", "undefined", MASK))
_PART = re.compile(r"[\[({]|[\])}]|[^\s\[\](){},:=\"'\\]++|[\s,:=\\]++|.", re.DOTALL)
_IS_KEY = re.compile(r"\s{0,8}[:=]")


def findings(text: str, names: Names) -> Iterator[_Finding]:
    """The secrets in a text, from left to right."""
    done = 0
    # Brackets in brackets are looked into once for each kind.
    searched: dict[Kind, int] = {}
    for match in _URL_OR_PAIR.finditer(text):
        if match.start() < done:
            continue
        found: _Finding | None
        if match["url"] is not None:
            found = _url(text, match, names)
        elif match["urn"] is not None:
            found = match.start("urn"), match.end(), mask_tokens(match["urn"])
        elif match["option"] is not None:
            found = _argument(text, match, names)
        else:
            found = _pair(text, match, names, searched)
        if found is not None:
            done = found[1]
            yield found


def _url(text: str, match: re.Match[str], names: Names) -> _Finding:
    start, end = match.start("url"), _start(_END_OF_URL, text, match.end())
    run = text[start:end].replace("\\/", "/")
    url = run.rstrip(_TRAILING)
    return start, end, mask_url(url, names) + run[len(url) :]


def _argument(text: str, match: re.Match[str], names: Names) -> _Finding | None:
    """The argument of an option, such as `--password x` or `-u scott:tiger`."""
    option, start = match["option"], match.end()
    end = _start(_END_OF_RUN, text, start)
    value = text[start:end].strip("\"'")
    if option == "-p":
        before = text[max(0, start - _LONGEST_COMMAND) : start]
        is_secret = re.search(_LOGIN_COMMAND, before) is not None
    elif option in _LOGIN_OPTIONS:
        is_secret = re.match(_LOGIN_VALUE, value) is not None
    else:
        is_secret = is_secret_value(names.kind(option), option, value)
    return (start, end, text[start:end].replace(value, MASK)) if is_secret and value else None


def _pair(
    text: str, match: re.Match[str], names: Names, searched: dict[Kind, int]
) -> _Finding | None:
    """A name and its value."""
    name = _name(match, names)
    kind = names.kind(name)
    start, separator = match.end(), match["separator"]
    if Kind.SHOWN < kind <= Kind.OTHER:
        return _login(text, match, name)
    if separator is None:
        # `token q7Zt3LmX9vKc expired`
        value = text[start : _start(_END_OF_RUN, text, start)].rstrip(_TRAILING)
        is_secret = kind >= Kind.COUNTED and looks_random(value)
        return (start, start + len(value), MASK) if is_secret else None
    opening = text[start : start + 1]
    if opening == "{" and Kind.OPAQUE < kind < Kind.SECRET:
        kind = Kind.OPAQUE
    is_searched = opening in _BRACKETS and any(
        start < end for other, end in searched.items() if other >= kind
    )
    # The name of an XML element follows a prefix, a phrase follows the name of a logger.
    is_prefix = separator == ":" and (
        text[max(0, match.start() - 2) : match.start()].rstrip("/").endswith("<")
        or (Kind.SHOWN < kind < Kind.SECRET and _PHRASE.match(text, start) is not None)
    )
    if is_searched or is_prefix:
        return None
    found = _value(text, match, start, name, _masker(kind, name, names))
    if found is None:
        return None
    end, shown = found
    if kind is Kind.SHOWN or shown != text[start:end]:
        return start, end, shown
    if opening in _BRACKETS:
        searched[kind] = end
    return None


def _login(text: str, match: re.Match[str], name: str) -> _Finding | None:
    """A user name and a password before an `@`, where there is no scheme."""
    if match[0][-1] != ":" or name.lower() in _NOT_LOGIN:
        return None
    login = _LOGIN.match(text, match.end())
    return None if login is None else (match.start("name"), login.end(), f"{MASK}@")


def _masker(kind: Kind, name: str, names: Names) -> Callable[[str], str]:
    def mask(value: str) -> str:
        if kind is Kind.SHOWN or not is_secret_value(kind, name, value):
            return value
        return mask_value(name, value, names)

    return mask


def _name(match: re.Match[str], names: Names) -> str:
    name, escape = match["name"], match["escape"]
    if not escape:
        return name
    # `\\token` in a path is one word, `\\ncookie` in a repr is a line break and a name.
    whole = escape[1:] + name
    return whole if names.is_secret(whole) and not names.is_secret(name) else name


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
