"""Names that hold secrets: of headers, cookies, query parameters, form fields, JSON members.

Patterns are text here, which `re` compiles and caches on first use: a program that masks
nothing does not wait for them.
"""

import re
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from urllib.parse import unquote

MASK = "****"


class Kind(IntEnum):
    """The secrecy of the values of a name: the higher, the more of them are masked.

    Attributes:
        SHOWN: nothing is masked, whatever it looks like: somebody has said so.
        ABOUT: they describe a secret, such as its type or its expiry.
        OTHER: nothing in particular.
        OPAQUE: secret if it looks random, as under a bare `key`.
        CARD: secret if it is the number of a card.
        CODE: secret if it is as long as OAuth's codes.
        COUNTED: secret if it is not a number, as under `tokens`.
        VALUE: secret, but for what is surely something else.
        SECRET: secret, and so is whatever is nested in it.
    """

    SHOWN = 0
    ABOUT = 1
    OTHER = 2
    OPAQUE = 3
    CARD = 4
    CODE = 5
    COUNTED = 6
    VALUE = 7
    SECRET = 8


# Between the words of a name: anything but letters and digits, and the humps of camelCase, but
# for those of `DPoP` (RFC 9449).
_BETWEEN = r"[\W_]+|(?<=[a-z0-9])(?<!DPo)(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])(?!PoP)"
_DIGITS = "0123456789"
# A name without any of these is not secret, and most are without.
_STEMS = (
    *("key", "pass", "auth", "token", "sess", "code", "secret", "cred", "pin", "sid", "sig", "pw"),
    *("cookie", "number", "jwt", "otp", "cvv", "cvc", "psk", "pan", "saml", "csrf", "xsrf", "hmac"),
    *("bearer", "dpop", "crumb", "assertion", "verifier", "ticket", "answer"),
)

# What a key is of that opens something. Names may be run together: `apikey`, `phpsessid`.
_KEYS = (
    "api|access|account|app|application|auth|client|consumer|customer|deploy|encryption"
    "|integration|license|master|pass|private|secret|secret ?access|server|service|session|shared"
    "|signing|ssh|storage|stream|subscription|unseal|user"
)
_SECRET = rf"""(?x)\b(?:
    \w*passw\w* | pwd | pw | \w*passphrases? | passcodes?
    | \w*(?:secret|credential)s? | creds? | psk | (?:{_KEYS})[ ]?keys?
    | authorization | security[ ]answers? | bearer | jwt | dpop | verifier | saml | cookies?
    | csrf | xsrf | hmac
)\b"""
_VALUE = r"""(?x)\b(?:
    \w*(?:token|signature) | sig | session[ ]?ids? | \w{1,4}sess(?:ion)?ids? | sess(?:id)? | session
    | \w{0,5}auth | authentication | assertion | pins? | t?otps? | cv[vc] | crumb
    | (?:2fa|backup|challenge|confirmation|factor|login|mfa|otp|pass|recovery|scratch|security|sms
        |time|token|totp|verification|verify)[ ]?codes?
)\b"""
_COUNTED = r"\b(?:\w*(?:token|signature|assertion|session)s|sess|pass)\b"
_OPAQUE = r"\b(?:keys?|sids?|sign|\w*tickets?)\b"
_CODE = "(?:access |auth |authorization |device )?code"
_CARD = r"\bnumber$|\bpan$"

# Parts of names that hide nothing: they are public, or say where to go on, or how much.
_HARMLESS = (
    r"\b(?:"
    r"(?:cache|foreign|idempotency|partition|primary|public|publishable|resident|row|sort"
    r"|surrogate|web ?socket) ?keys?"
    r"|(?:audio|cached|completion|image|input|max|min|output|prediction|prompt|reasoning"
    r"|thinking|total|budget|bos|eos|pad|unk|sep|cls|mask|stop|special|new) tokens?"
    r"|(?:continuation|cursor|next|page|pagination|resume|start|sync) tokens?"
    r"|public ?key credentials?|time signature"
    r")\b"
)
# The first or the last word of a name that tells something about a secret, not the secret.
_FIRST = (
    "(?:accept|accepted|allow|allows|disable|enable|enabled|has|hide|is|max|min|minimum|num"
    "|require|requires|show|supports|uses?) "
)
_LAST = r"""(?x).*\b(?:(?:
    action|address|age|alg|algorithm|alias|allowed|arn|association|at|attempt|attribute|audience
    |behaviou?r|bucket|changed|check|class|color|config|configuration|consent|context|count|created
    |date|decoder|description|device|(?<!password[ ])digest|dir|disabled|display|domain|duration
    |enabled|encoding|endpoint|error|event|exception|exists|exp|expiration|expired|expires|expiry
    |field|file|filter|fingerprint|flow|format|goal|group|hint|in|index|(?<!authentication[ ])info
    |input|integrity|interval|issuer|kind|kty|label|layout|length|level|\w*lifetime|limit|link|list
    |location|maintainer|manager|max|maximum|message|metadata|method|min|minimum|mode|model|module
    |name|offset|on|option|origin|owner|param|parameter|path|placeholder|plugin|policy|policies
    |position|prefix|protection|protocol|provider|purpose|rate|realm|reason|ref|reference|region
    |required|requirement|result|role|rotation|rule|samesite|scanning|schema|scheme|scope|secure
    |second|service|set|setting|size|source|spec|stage|standard|start|state|status|strategy|strength
    |style|support|supported|symbol|tag|time|timeout|title|total|ttl|type|ur[il]|usage|use|used|user
    |username|validity|version|(?:key|token|credential|pin)[ ]?id|per[ ]\w+|as[ ]string
    )s?|py|java|js|ts|go|rb|rs|php|cs|kt|rate[ ]?limit[ ].*
)"""


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


def _usual_kind(own: str) -> Kind:
    """The kind of a name, from its words."""
    if re.fullmatch(_LAST, own) or re.match(_FIRST, own):
        return Kind.ABOUT
    if re.fullmatch(_CODE, own):
        return Kind.CODE
    own = re.sub(_HARMLESS, "", own)
    for pattern, kind in (
        (_SECRET, Kind.SECRET),
        (_VALUE, Kind.VALUE),
        (_COUNTED, Kind.COUNTED),
        (_CARD, Kind.CARD),
        (_OPAQUE, Kind.OPAQUE),
    ):
        if re.search(pattern, own):
            return kind
    return Kind.OTHER


class Names:
    """The rules for names: which are masked, which are shown.

    Arguments:
        mask: names to mask in addition to the usual ones.
        show: names to leave in the clear.
    """

    __slots__ = ("_kinds", "_mask", "_show")

    _MOST = 4096

    def __init__(self, mask: Iterable[str], show: Iterable[str]) -> None:
        self._mask = frozenset(map(words, mask))
        self._show = frozenset(map(words, show))
        self._kinds: dict[str, Kind] = {}

    def kind(self, name: str) -> Kind:
        """The secrecy of the values of this name."""
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kind(name)
            # Anything longer is hardly a name, and not worth keeping.
            if len(name) <= 128:
                if len(self._kinds) >= self._MOST:
                    self._kinds.clear()
                self._kinds[name] = kind
        return kind

    def is_secret(self, name: str) -> bool:
        """True if values of this name are masked, all or some."""
        return self.kind(name) > Kind.OTHER

    def is_shown(self, name: str) -> bool:
        """True if values of this name are left in the clear, whatever they look like."""
        return bool(self._show) and self.kind(name) is Kind.SHOWN

    def may_be_in(self, text: str) -> bool:
        """False if there surely is no name in a text in lower case whose values are masked."""
        if self._mask or self._show or "%" in text:
            return True
        for stem in _STEMS:  # noqa: SIM110 - any() takes twice as long, and this is asked often
            if stem in text:
                return True
        return False

    def is_about(self, name: str) -> bool:
        """True if a name describes something else, which need not be a secret."""
        return self.kind(name) is Kind.ABOUT or re.fullmatch(_LAST, words(name)) is not None

    def _kind(self, name: str) -> Kind:
        if not self.may_be_in(name.lower()):
            return Kind.OTHER
        own = words(name)
        if own in self._show:
            return Kind.SHOWN
        if any(f" {one} " in f" {own} " for one in self._mask):
            return Kind.SECRET
        return _usual_kind(own)


@lru_cache(16)
def names_of(mask: frozenset[str], show: frozenset[str]) -> Names:
    """The rules for these names, which remember the names that they have seen."""
    return Names(mask, show)
