"""Which names hold secrets, and which values are secrets whatever they are called.

Patterns are text here, which `re` compiles and keeps when they are first used: a program
that masks nothing does not wait for them.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

MASK = "****"

# Between the words of a name: anything but letters and digits, and the humps of camelCase, but
# for those of `DPoP` (RFC 9449).
_BETWEEN = r"[\W_]+|(?<=[a-z0-9])(?<!DPo)(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?!PoP)"
_DIGITS = "0123456789"

# One whole word in lower case. Names that are run together (`apikey`, `phpsessid`) are one word.
_WORD = r"""(?x)
    \w*passw\w* | pass | pw | pwd | \w*passphrases? | passcodes?
    | \w*(?:token|secret|credential|signature)s? | creds?
    | (?:api|access|account|app|auth|client|encryption|host|license|master|private|secret|
        service|session|shared|signing|ssh|storage|subscription|user)?keys? | secretid | psk
    | (?:app|asp|auth|http|j|login|php|user|web)?sess(?:ion)?(?:id)?s? | sid
    | (?:basic|http|o|proxy|user|x)?auth | authorization | authentication | bearer | jwt | dpop
    | assertion | verifier | saml | cookies? | csrf | xsrf | sig | hmac
    | otp | totp | pin | cvv | cvc
"""
# What is counted, sorted by or shown to everybody.
_HARMLESS = (
    r"\b(?:"
    r"(?:cache|foreign|idempotency|partition|primary|public|sort|surrogate|web ?socket) keys?"
    r"|(?:audio|cached|completion|image|input|max|min|output|prediction|prompt|reasoning"
    r"|text|thinking|total) tokens"
    r")\b"
)
# The last word of a name that tells something about a secret, not the secret.
_ABOUT = (
    "algorithm|count|enabled|endpoint|error|exception|expiration|expires|expiry|length|limit"
    "|method|required|ttl|type|version"
)

# Authorization schemes that are followed by one run of characters, and by a list.
_ONE = "Basic|Bearer|Negotiate|NTLM|Token|ApiKey|Api-Key|DPoP|GenieKey|SSWS|PrivateToken|JWT|Key"
_MANY = r"Digest|OAuth|Hawk|HOBA|Mutual|SharedKey(?:Lite)?|AWS4-HMAC-SHA256|vapid|Signature"
CREDENTIALS = rf"(?i)(?:{_ONE})[ \t]+[^\s,'\"]+"
_SCHEME = rf"(?i)\s*(?:{_ONE}|{_MANY})(?=\s)"

# How the keys of well-known services begin, and how they go on at least.
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
_LOOKS = rf"""(?x)
    (?<![\w-])(?P<kept>{_KEYS})[\w.-]*+
    | (?P<slack>/services/)(?=T[A-Z0-9]{{6,16}}/B)[\w/-]++
    | (?P<telegram>/bot)(?=\d{{6,16}}:)[\w:-]++
    | (?<![\w-])(?P<bearer>(?i:Bearer)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?!(?i:tokens?|auth|authentication|authorization|scheme)(?![\w.~+/=-]))[\w.~+/-]++=*+
    | (?<![\w-])(?P<basic>(?i:Basic|Negotiate|NTLM)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?=[\w+/-][a-z+/]{{0,256}}[A-Z0-9=])[\w+/-]{{6,}}+=*+
    | (?<![\w-])(?P<digest>(?i:Digest)[ \t]{{1,8}})(?=username=)[^\r\n]*+
    | (?P<pem>-----BEGIN[ ][A-Z0-9 ]{{0,32}}PRIVATE[ ]KEY-----)[^-]*+
"""
# What was cut off in the middle of a key, or of a password before the `@`.
_TORN_KEY = r"(?x)(?<![\w-])(?P<kept>" + re.sub(r"\(\?=[^)]*\)", "", _KEYS) + r")[\w.-]++\Z"
_NO_END = r"(?:[^\s/?#@\"'<>%\\&:]|%(?!23|26|2F|3A|3F|40))"
_TORN_LOGIN = (
    r"(?i)(?P<kept>:(?:\\*/){2}|%3A(?:%2F){2})"
    rf"{_NO_END}{{0,256}}(?::|%3A)(?!\d*\Z)(?:{_NO_END}|:|%3A){{1,256}}%?\Z"
)


def words(name: str) -> str:
    """The words of a name in lower case, with a space between them.

    >>> words("X-Api-Key"), words("userPassword2"), words("filter[sort.key]"), words("%74oken")
    ('x api key', 'user password', 'filter sort key', 'token')
    """
    parts = re.sub(_BETWEEN, " ", decoded(name)).lower().split()
    return " ".join(part.strip(_DIGITS) or part for part in parts)


def decoded(text: str) -> str:
    """Text without its percent-encoding, were it thrice."""
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text, errors="surrogateescape")
    return text


@lru_cache(1024)
def _is_secret(name: str, mask: frozenset[str], show: frozenset[str]) -> bool:
    own = words(name)
    if own in show:
        return False
    if any(f" {one} " in f" {own} " for one in mask):
        return True
    parts = re.sub(_HARMLESS, "", own).split()
    if not parts or re.fullmatch(_ABOUT, parts[-1]):
        return False
    return any(re.fullmatch(_WORD, part) for part in parts)


class Names:
    """Which names are masked and which are shown.

    Arguments:
        mask: names to mask as well.
        show: names to leave in clear.
    """

    __slots__ = ("_mask", "_show")

    def __init__(self, mask: Iterable[str], show: Iterable[str]) -> None:
        self._mask = frozenset(map(words, mask))
        self._show = frozenset(map(words, show))

    def is_secret(self, name: str) -> bool:
        # What is longer is no name, and is not to be kept.
        decide = _is_secret if len(name) <= 128 else _is_secret.__wrapped__
        return decide(name, self._mask, self._show)

    def is_shown(self, name: str) -> bool:
        return bool(self._show) and words(name) in self._show


def _mask_match(match: re.Match[str]) -> str:
    kept = match.lastgroup
    assert kept is not None
    return match[kept] + MASK


def without_tokens(text: str) -> str:
    """Text without the values that are secrets by their looks.

    >>> without_tokens("Bearer abc, ghp_0123456789abcdefghij and eyJhbGciOiJIUzI1NiJ9.e30.x_y")
    'Bearer ****, ghp_**** and eyJ****'
    """
    return re.sub(_LOOKS, _mask_match, text)


def without_torn(text: str) -> str:
    """Text that may be cut off, without the secret that it was cut off in.

    >>> without_torn("ghp_01234"), without_torn("http://scott:ti"), without_torn("http://h:80")
    ('ghp_****', 'http://****', 'http://h:80')
    """
    return re.sub(_TORN_LOGIN, _mask_match, re.sub(_TORN_KEY, _mask_match, text))


def concealed(name: str, value: str, names: Names) -> str:
    """What may be shown of the value of a secret name.

    >>> names = Names((), ())
    >>> concealed("Proxy-Authorization", "Basic c2NvdHQ6dGlnZXI=", names)
    'Basic ****'
    >>> concealed("Cookie", "sid=abc; theme=dark", names)
    'sid=****; theme=****'
    >>> concealed("Set-Cookie", "sid=abc; Path=/; HttpOnly", names)
    'sid=****; Path=/; HttpOnly'
    """
    kind = name.lower().replace("_", "-")
    if kind in {"cookie", "set-cookie"}:
        parts = re.split(_COOKIE_PARTS, value)
        # What stands first is the cookie itself, be it called like an attribute.
        are_attributes = [kind == "set-cookie" and mark == ";" for mark in ["", *parts]]
        return "".join(
            _cookie(part, is_attribute, names)
            for part, is_attribute in zip(parts, are_attributes, strict=False)
        )
    scheme = re.match(_SCHEME, value)
    return f"{scheme[0]} {MASK}" if scheme else MASK


# Several Set-Cookie headers are put together with commas; a comma also stands in a date.
_COOKIE_PARTS = r"(;|,(?=[ \t]*[^\s;,=]{1,256}=))"
_ATTRIBUTES = (
    "(?i)domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure|version"
)


def _cookie(part: str, attributes: bool, names: Names) -> str:
    name, equals, _ = part.partition("=")
    bare = name.strip()
    if not bare or part in {";", ","}:
        return part
    if (attributes and re.fullmatch(_ATTRIBUTES, bare)) or names.is_shown(bare):
        return part
    return f"{name}={MASK}" if equals else part.replace(bare, MASK, 1)
