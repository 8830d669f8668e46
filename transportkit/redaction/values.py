"""Decide about values: which of those that a secret name has are secrets, and how they are shown."""

import re

from .cookies import cookie_parts
from .names import MASK, Kind, Names
from .tokens import SHORTEST_KEY, mask_tokens

# OAuth's codes; a shorter one is the code of an error or of a country.
_SHORTEST_CODE = 16

# Authorization schemes that are followed by one run of characters, and by a list.
_ONE = (
    "Basic|Bearer|Negotiate|NTLM|Token|ApiKey|Api-Key|Bot|DPoP|GenieKey|SSWS|Splunk|PrivateToken"
    "|JWT|Key"
)
_MANY = (
    "Digest|OAuth|Hawk|HOBA|Mutual|SharedKey(?:Lite)?|SharedAccessSignature|AWS4-HMAC-SHA256|vapid"
    "|Signature|Sentry|UsernameToken"
)
CREDENTIALS = re.compile(rf"(?i)(?:{_ONE})[ \t]+[^\s,'\"]+")
_SCHEME = re.compile(rf"(?i)\s*(?:{_ONE}|{_MANY})(?=\s)")

# Nobody writes anything else into these.
_ALWAYS = ("authorization", "cookie")
# Not there, masked already, or filled in later.
_NOTHING = re.compile(
    r"(?i)(?:[*.\u2022-]+|x{3,}|none|null|nil|true|false|yes|no|undefined|read|write"
    r"|<?\[?(?:redacted|filtered|masked|hidden|removed|omitted|secret)\]?>?|\$?\{\{.*\}\}|\$\{.*\}|\$\w+|<\w[\w .-]*>|%\w+%)"
)
# What people write about a secret: `must not be blank`.
_PROSE = re.compile(
    r"(?i)(?=\S++\s++\S)(?s:.*?)\b(?:is|are|was|were|be|must|may|can|cannot|can't|could|should"
    r"|shall|will|does|doesn't|isn't|has|have|not|your|this|the|required|missing|invalid|expired|incorrect|contain"
    r"|enter|at least|of)\b(?s:.*)"
)
# `^1.4.6`, under the name of a package.
_VERSION = re.compile(
    r"(?:[~^<>=v]{1,3} ?\d{1,6}|\d{1,6}\.\d{1,6})(?:\.(?:\d{1,6}|x|\*)){1,3}(?:[-+][\w.]+)?"
)
# A date, a duration, an enumeration's constant, a URL, a path.
_SURELY_ELSE = re.compile(
    r"(?x)\d{4}-\d\d-\d\d(?:[T ][\d:.+Z-]+)?|(?:\d{1,6}(?:\.\d+)?(?:ms|s|m|h|d)){1,4}"
    r"|[ -/:-@\[-`{-~]*|[A-Z]{4,20}|[A-Z]{2,}(?:_[A-Z]{2,})+|(?i:https?|urn|arn):\S+|\#/\S+"
    r"|\.{0,2}/[\w./-]*|sha\d+-\S+"
    r"|\[[A-Z]+\]|[MS]M[0-9a-f]{32}|\d{4}-\d{4}|[A-Za-z][a-z',.]*+(?:[ ][A-Za-z',.]++)+"
    r"|(?i:ok|on|off|enabled?|disabled?|success|succeeded|fail(?:ed|ure)|open(?:ed)?|closed?|active"
    r"|inactive|anonymous|basic|bearer|digest|negotiate|ntlm|oauth2?|oidc|saml|jwt|ldap|local"
    r"|email|default|optional|preferred|unknown|empty|present|absent|string|object)"
)
_COUNT = re.compile(r"[\d.,]+")
_PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
# The shortest that can be told from a name or a number; of a longer one the beginning will do.
_SHORTEST_OPAQUE, _LOOKED_AT = 12, 128
_HEX = re.compile(r"(?i)(?=.*\d)(?=.*[a-f])[0-9a-f]{32,}")
_IDENTIFIER = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d.*")


def looks_random(value: str) -> bool:
    """True for what no person would have written: many small pieces of letters and digits.

    >>> [looks_random(value) for value in ("q7Zt3LmX9vKc2RbW", "photos/2026/cat.jpg", "ED-1042")]
    [True, False, False]
    """
    value = value[:_LOOKED_AT].strip()
    if len(value) < _SHORTEST_OPAQUE or re.search(r"\s", value):
        return False
    if _HEX.fullmatch(value):
        return True
    pieces = _PIECE.findall(value)
    letters = sum(len(piece) for piece in pieces if not piece.isdigit())
    length = sum(map(len, pieces))
    if not 0.15 * length < letters < length or _DATE.match(value):
        return False
    return length >= _SHORTEST_OPAQUE and length < 2.7 * len(pieces)


def is_secret_value(kind: Kind, name: str, value: str) -> bool:
    """True if a value is masked whose name is of this kind.

    >>> is_secret_value(Kind.VALUE, "token", "8xLOxBtZp8"), is_secret_value(Kind.OPAQUE, "key", "mit")
    (True, False)
    """
    if kind <= Kind.OTHER or name.lower().endswith(_ALWAYS):
        return kind > Kind.OTHER
    if kind >= Kind.VALUE and len(value) >= _SHORTEST_OPAQUE and _is_mixed(value):
        return True  # As most are.
    bare = value.strip()
    if not value or _NOTHING.fullmatch(bare):
        return False
    if kind is Kind.OPAQUE:
        return looks_random(bare) and not _IDENTIFIER.fullmatch(bare)
    if kind in {Kind.CARD, Kind.CODE}:
        return _is_card(bare, name) if kind is Kind.CARD else _is_code(bare)
    return not (
        _is_said(bare, name)
        or (kind is Kind.COUNTED and _COUNT.fullmatch(bare))
        or (kind is not Kind.SECRET and _SURELY_ELSE.fullmatch(bare))
    )


def _is_said(value: str, name: str) -> bool:
    """True for what people write about a secret, and for what programs do that use it."""
    is_label = value.isalpha() and len(value) > 3 and value.lower() in name.lower()
    is_prose = " " in value and _PROSE.match(value[:_LOOKED_AT])
    return bool(is_label or is_prose or _VERSION.fullmatch(value))


def _is_mixed(value: str) -> bool:
    return value.isalnum() and not value.isalpha()


def _is_code(value: str) -> bool:
    if len(value) < _SHORTEST_CODE or re.search(r"\s", value):
        return False
    # Errors have codes of words: `invalid_request_error`.
    return not re.fullmatch(r"[A-Za-z]+(?:[_.: -][A-Za-z]+)+", value)


def _is_card(value: str, name: str) -> bool:
    digits = re.sub(r"[ -]", "", value)
    if not digits.isdecimal() or len(digits) > 19:
        return False
    if "account" in name.lower():
        return len(digits) > 6
    return len(digits) > 12 and _luhn(digits) == 0


def _luhn(digits: str) -> int:
    """The check of ISO/IEC 7812-1, annex B: 0 for the number of a card."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10


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
        return mask_cookies(value, names, has_attributes=kind == "set-cookie")
    scheme = _SCHEME.match(value) if " " in value or "\t" in value else None
    return f"{scheme[0]} {MASK}" if scheme else MASK


_COOKIE_ATTRIBUTES = (
    "(?i)domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure|version"
)


def mask_cookies(header: str, names: Names, *, has_attributes: bool) -> str:
    """A Cookie or Set-Cookie header without the values of its cookies."""
    shown: list[str] = []
    for part in cookie_parts(header):
        # The first part is the cookie itself, even if it is called like an attribute.
        may_be_attribute = has_attributes and not part.begins_cookie
        shown += (part.separator, _mask_cookie(part.text, may_be_attribute, names))
    return "".join(shown)


def _mask_cookie(text: str, may_be_attribute: bool, names: Names) -> str:
    name, equals, _ = text.partition("=")
    bare = name.strip()
    if not bare or names.is_shown(bare):
        return text
    if may_be_attribute and re.fullmatch(_COOKIE_ATTRIBUTES, bare):
        return mask_tokens(text)
    if not equals:
        return text.replace(bare, MASK, 1)
    # Most names are too short to be a key, and there may be many.
    return f"{mask_tokens(name) if len(bare) >= SHORTEST_KEY else name}={MASK}"
