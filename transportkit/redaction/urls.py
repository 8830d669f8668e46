"""Mask secrets in URLs, in the parts of URLs and in forms."""

import re

from .names import MASK, Names, without_tokens

# OAuth's authorization code; what is shorter is the code of an error or of a country.
CODES = frozenset(("code", "device_code"))
SHORTEST_CODE = 16

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://")
# Where an authority may begin; the two slashes of a path begin none.
_INNER_SCHEME = re.compile(r"(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]*+://")
_AUTHORITY = re.compile(r"[^/?#]*+")
_INNER_AUTHORITY = re.compile(r"[^/?#&\s]*+")
_INNER_VALUE = re.compile(r"[^&\s]*+")
_HOST = re.compile(r"(?:\[[^\]/]*\]|[^\s:@\[\]\\]*)(?::\d*)?")
_PATH = re.compile(r"[^?#]*+")
_NO_VALUE = re.compile(r"[^?]*+[^=]*+")
# The first of a segment in a path (`/@scope/`), and one whose secret is masked already.
_AT_OF_USERINFO = re.compile(r"(?<!/)(?<!//\*\*\*\*)@")

# A name stands behind these, and not behind another `=`: that belongs to the value.
_URL_PAIR = re.compile(r"(?:^|(?<=[/?&;#]))([^/?&;#=]*+)=")
_IN_PATH = re.compile(r"[^/?&;#]*+")
_IN_QUERY = re.compile(r"[^&#]*+")
_IN_FORM = re.compile(r"[^&]*+")


def mask_url(text: str, names: Names, *, wary: bool = False) -> str:
    """A URL without its secrets, but for those that are percent-encoded.

    Wary, it may be no URL at all, such as that of a proxy whose password has a `/`.
    """
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme else 2 if text.startswith("//") else 0
    text = _without_inner_userinfo(text, start)
    if start:
        end = _userinfo_end(text, start, wary)
        text = f"{text[:start]}{MASK}{text[end:]}" if end >= 0 else text
    elif wary and "@" in text:
        text = MASK + text[text.rfind("@") :]
    return text[:start] + mask_pairs(text[start:], names)


def mask_pairs(text: str, names: Names, *, is_form: bool = False) -> str:
    """The path, query and fragment of a URL, or a form, without the values of secret names."""
    query = 0 if is_form else _end(_PATH, text, 0)
    shown: list[str] = []
    done = 0
    for pair in _URL_PAIR.finditer(text):
        start = pair.end()
        if start <= done:
            continue
        ending = _IN_FORM if is_form else _IN_PATH if start <= query else _IN_QUERY
        is_shown = names.is_shown(pair[1])
        if not (is_shown or names.is_secret(pair[1]) or pair[1] in CODES):
            continue
        end = _end(ending, text, start)
        if pair[1] in CODES and end - start < SHORTEST_CODE:
            continue
        shown += (without_tokens(text[done:start]), text[start:end] if is_shown else MASK)
        done = end
    return "".join((*shown, without_tokens(text[done:])))


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where a pattern that always matches ends."""
    found = pattern.match(text, start)
    assert found is not None
    return found.end()


def _without_inner_userinfo(text: str, start: int) -> str:
    """What stands within goes first: its `@` is not the outer one's."""
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


def _userinfo_end(text: str, start: int, wary: bool) -> int:
    """Where the `@` behind a user name and a password is, -1 without one."""
    end = _end(_AUTHORITY, text, start)
    at = text.rfind("@", start, end)
    if _HOST.fullmatch(text, at + 1 if at >= 0 else start, end) is None:
        # It was torn at a `/` of the password.
        return text.rfind("@", start)
    if wary and at < 0:
        # An `@` in the value of a query is no login's.
        reach = _end(_NO_VALUE, text, start)
    else:
        is_masked = text[start:at] == MASK
        reach = len(text) if wary else end if at < 0 or is_masked else _end(_PATH, text, end)
    found = _AT_OF_USERINFO.finditer(text, end, reach)
    return max((match.start() for match in found), default=at)
