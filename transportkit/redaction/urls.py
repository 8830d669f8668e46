"""Mask secrets in URLs, in the parts of URLs and in forms."""

import re
from urllib.parse import unquote

from .names import MASK, Kind, Names
from .tokens import mask_tokens
from .values import is_secret_value

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://")
# What an authority may follow; the two slashes of a path do not count.
_INNER_SCHEME = re.compile(r"(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]*+://")
_AUTHORITY = re.compile(r"[^/?#]*+")
_INNER_AUTHORITY = re.compile(r"[^/?#&\s]*+")
_INNER_VALUE = re.compile(r"[^&\s]*+")
_HOST = re.compile(r"(?:\[[^\]/]*\]|[^\s:@\[\]\\]*)(?::\d*)?")
_PATH = re.compile(r"[^?#]*+")
_NO_VALUE = re.compile(r"[^?]*+[^=]*+")
# Neither the first character of a path segment (`/@scope/`), nor one after a masked login.
_AT_OF_USERINFO = re.compile(r"(?<!/)(?<!//\*\*\*\*)@")

# A name follows one of these, and not another `=`: that belongs to the value.
_URL_PAIR = re.compile(r"(?:^|(?<=[/?&;#]))([^/?&;#=]*+)=")
_IN_PATH = re.compile(r"[^/?&;#]*+")
_IN_QUERY = re.compile(r"[^&#]*+")
_IN_FORM = re.compile(r"[^&]*+")


def mask_url(text: str, names: Names, *, may_be_malformed: bool = False) -> str:
    """A URL without its secrets, except for percent-encoded ones.

    Arguments:
        text: the URL.
        names: the rules for names.
        may_be_malformed: True for text that nobody has parsed, such as the URL of a proxy
            whose password has a `/`: then an `@` further on ends a password as well.
    """
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme else 2 if text.startswith("//") else 0
    text = _mask_inner_userinfo(text, start)
    if start:
        end = _userinfo_end(text, start, may_be_malformed)
        text = f"{text[:start]}{MASK}{text[end:]}" if end >= 0 else text
    elif may_be_malformed and "@" in text:
        text = MASK + text[text.rfind("@") :]
    return text[:start] + mask_pairs(text[start:], names)


def mask_pairs(text: str, names: Names, *, is_form: bool = False) -> str:
    """The path, query and fragment of a URL, or a form, without the values of secret names."""
    query = _end(_PATH, text, 0)
    shown: list[str] = []
    done = 0
    for pair in _URL_PAIR.finditer(text):
        start = pair.end()
        if start <= done:
            continue
        ending = _IN_FORM if is_form else _IN_PATH if start <= query else _IN_QUERY
        kind = names.kind(pair[1])
        if Kind.SHOWN < kind <= Kind.OTHER:
            continue
        end = _end(ending, text, start)
        is_shown = kind is Kind.SHOWN
        if not is_shown and not is_secret_value(kind, pair[1], unquote(text[start:end])):
            continue
        shown += (mask_tokens(text[done:start]), text[start:end] if is_shown else MASK)
        done = end
    return "".join((*shown, mask_tokens(text[done:])))


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """The end of the match of a pattern that always matches."""
    found = pattern.match(text, start)
    assert found is not None
    return found.end()


def _mask_inner_userinfo(text: str, start: int) -> str:
    """The URL without the userinfo of URLs inside it, whose `@` would be taken for its own."""
    pieces: list[str] = []
    done = 0
    searched = 0
    for scheme in _INNER_SCHEME.finditer(text, start):
        begin = scheme.end()
        end = _end(_INNER_AUTHORITY, text, begin)
        at = text.rfind("@", begin, end)
        if at < 0 and begin >= searched and _HOST.fullmatch(text, begin, end) is None:
            searched = _end(_INNER_VALUE, text, begin)
            at = text.rfind("@", begin, searched)
        if at >= 0 and begin >= done:
            pieces += (text[done:begin], MASK)
            done = at
    return "".join((*pieces, text[done:]))


def _userinfo_end(text: str, start: int, may_be_malformed: bool) -> int:
    """The index of the `@` after a user name and a password, -1 without one."""
    end = _end(_AUTHORITY, text, start)
    at = text.rfind("@", start, end)
    if _HOST.fullmatch(text, at + 1 if at >= 0 else start, end) is None:
        # A `/` in the password has cut the authority short.
        return text.rfind("@", start)
    if may_be_malformed and at < 0:
        # An `@` in the value of a query does not end a login.
        reach = _end(_NO_VALUE, text, start)
    else:
        is_masked = text[start:at] == MASK
        reach = (
            len(text)
            if may_be_malformed
            else end
            if at < 0 or is_masked
            else _end(_PATH, text, end)
        )
    found = _AT_OF_USERINFO.finditer(text, end, reach)
    return max((match.start() for match in found), default=at)
