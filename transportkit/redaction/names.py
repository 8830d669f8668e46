"""Names that hold secrets: of headers, cookies, query parameters, form fields, JSON members.

Patterns are text here, which `re` compiles and caches on first use: a program that masks
nothing does not wait for them.
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


def words(name: str) -> str:
    """The words of a name in lower case, with a space between them.

    >>> words("X-Api-Key"), words("userPassword2"), words("filter[sort.key]"), words("%74oken")
    ('x api key', 'user password', 'filter sort key', 'token')
    """
    parts = re.sub(_BETWEEN, " ", percent_decoded(name)).lower().split()
    return " ".join(part.strip(_DIGITS) or part for part in parts)


def percent_decoded(text: str) -> str:
    """Text without its percent-encoding, even if it was encoded three times."""
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
    """The rules for names: which are masked, which are shown.

    Arguments:
        mask: names to mask in addition to the usual ones.
        show: names to leave in the clear.
    """

    __slots__ = ("_mask", "_show")

    def __init__(self, mask: Iterable[str], show: Iterable[str]) -> None:
        self._mask = frozenset(map(words, mask))
        self._show = frozenset(map(words, show))

    def is_secret(self, name: str) -> bool:
        """True if values of this name are masked."""
        # Anything longer is hardly a name, and not worth caching.
        decide = _is_secret if len(name) <= 128 else _is_secret.__wrapped__
        return decide(name, self._mask, self._show)

    def is_shown(self, name: str) -> bool:
        """True if values of this name are left in the clear, whatever they look like."""
        return bool(self._show) and words(name) in self._show
