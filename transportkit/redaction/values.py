"""Mask values: those of secret names, and those that look like secrets whatever they are called.

Patterns are text here, as in `names`.
"""

import re

from .cookies import cookie_parts
from .names import MASK, Names

# Authorization schemes that are followed by one run of characters, and by a list.
_ONE = "Basic|Bearer|Negotiate|NTLM|Token|ApiKey|Api-Key|DPoP|GenieKey|SSWS|PrivateToken|JWT|Key"
_MANY = r"Digest|OAuth|Hawk|HOBA|Mutual|SharedKey(?:Lite)?|AWS4-HMAC-SHA256|vapid|Signature"
CREDENTIALS = rf"(?i)(?:{_ONE})[ \t]+[^\s,'\"]+"
_SCHEME = rf"(?i)\s*(?:{_ONE}|{_MANY})(?=\s)"

# The prefixes of the keys of well-known services, and what has to follow at least.
_KEYS = r"""
        eyJ(?=[\w-]{8})                                         # a JSON Web Token
      | (?:sk|rk)[-_](?=[\w-]{16}) | whsec_(?=\w{16})
      | gh[opsur]_(?=\w{16}) | github_pat_(?=\w{16}) | glpat-(?=[\w-]{16})
      | xox[a-z]-(?=[\w-]{8}) | xapp-(?=[\w-]{8})
      | (?:AKIA|ASIA|AGPA|AIDA|AROA)(?=[A-Z0-9]{12})
      | AIza(?=[\w-]{24}) | ya29\.(?=[\w-]{8}) | SG\.(?=[\w-]{16})
      | npm_(?=\w{24}) | pypi-(?=[\w-]{24}) | hf_(?=\w{24})
      | dop_v1_(?=\w{24}) | shp(?:at|ss)_(?=\w{16})
"""
# Each begins where a word begins, and takes all it can get: no text makes it try again.
_TOKENS = rf"""(?x)
    (?<![\w-])(?P<prefix>{_KEYS})[\w.-]*+
    | (?P<slack>/services/)(?=T[A-Z0-9]{{6,16}}/B)[\w/-]++
    | (?P<telegram>/bot)(?=\d{{6,16}}:)[\w:-]++
    | (?<![\w-])(?P<bearer>(?i:Bearer)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?!(?i:tokens?|auth|authentication|authorization|scheme)(?![\w.~+/=-]))[\w.~+/-]++=*+
    | (?<![\w-])(?P<basic>(?i:Basic|Negotiate|NTLM)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?=[\w+/-][a-z+/]{{0,256}}[A-Z0-9=])[\w+/-]{{6,}}+=*+
    | (?<![\w-])(?P<digest>(?i:Digest)[ \t]{{1,8}})(?=username=)[^\r\n]*+
    | (?P<pem>-----BEGIN[ ][A-Z0-9 ]{{0,32}}PRIVATE[ ]KEY-----)[^-]*+
"""
# A key that was cut off in the middle, or a password before its `@`.
_TRUNCATED_KEY = r"(?x)(?<![\w-])(?P<prefix>" + re.sub(r"\(\?=[^)]*\)", "", _KEYS) + r")[\w.-]++\Z"
_NO_END = r"(?:[^\s/?#@\"'<>%\\&:]|%(?!23|26|2F|3A|3F|40))"
_TRUNCATED_LOGIN = (
    r"(?i)(?P<prefix>:(?:\\*/){2}|%3A(?:%2F){2})"
    rf"{_NO_END}{{0,256}}(?::|%3A)(?!\d*\Z)(?:{_NO_END}|:|%3A){{1,256}}%?\Z"
)

_COOKIE_ATTRIBUTES = (
    "(?i)domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure|version"
)


def mask_tokens(text: str) -> str:
    """Text without the values that look like secrets.

    >>> mask_tokens("Bearer abc, ghp_0123456789abcdefghij and eyJhbGciOiJIUzI1NiJ9.e30.x_y")
    'Bearer ****, ghp_**** and eyJ****'
    """
    return re.sub(_TOKENS, _mask_match, text)


def mask_truncated(text: str) -> str:
    """Text that may be truncated, without the secret that it ends in the middle of.

    >>> mask_truncated("ghp_01234"), mask_truncated("http://scott:ti")
    ('ghp_****', 'http://****')
    >>> mask_truncated("http://h:80")
    'http://h:80'
    """
    return re.sub(_TRUNCATED_LOGIN, _mask_match, re.sub(_TRUNCATED_KEY, _mask_match, text))


def _mask_match(match: re.Match[str]) -> str:
    prefix = match.lastgroup
    assert prefix is not None
    return match[prefix] + MASK


def mask_value(name: str, value: str, names: Names) -> str:
    """The value of a secret name, as far as it may be shown.

    >>> names = Names((), ())
    >>> mask_value("Proxy-Authorization", "Basic c2NvdHQ6dGlnZXI=", names)
    'Basic ****'
    >>> mask_value("Cookie", "sid=abc; theme=dark", names)
    'sid=****; theme=****'
    >>> mask_value("Set-Cookie", "sid=abc; Path=/; HttpOnly", names)
    'sid=****; Path=/; HttpOnly'
    """
    kind = name.lower().replace("_", "-")
    if kind in {"cookie", "set-cookie"}:
        has_attributes = kind == "set-cookie"
        shown: list[str] = []
        for part in cookie_parts(value):
            # The first part is the cookie itself, even if it is called like an attribute.
            may_be_attribute = has_attributes and not part.begins_cookie
            shown += (part.separator, _mask_cookie(part.text, may_be_attribute, names))
        return "".join(shown)
    scheme = re.match(_SCHEME, value)
    return f"{scheme[0]} {MASK}" if scheme else MASK


def _mask_cookie(text: str, may_be_attribute: bool, names: Names) -> str:
    name, equals, _ = text.partition("=")
    bare = name.strip()
    if not bare or names.is_shown(bare):
        return text
    if may_be_attribute and re.fullmatch(_COOKIE_ATTRIBUTES, bare):
        return text
    return f"{name}={MASK}" if equals else text.replace(bare, MASK, 1)
