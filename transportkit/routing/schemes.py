"""The schemes that a connection can be made for, straight or through a proxy."""

from ..wire.spelling import near
from .keys import refusal
from .patterns import Pattern

_SPOKEN = ("http", "https", "ws", "wss")
_EVERY = ("any", "every")


def check_scheme(pattern: Pattern) -> None:
    """Refuse a pattern whose URLs no proxy and no connection can take.

    Raises:
        InvalidRoute: the text says which scheme was meant, if that is clear.
    """
    scheme = pattern.scheme
    if scheme in ("", *_SPOKEN):
        return
    meant = ["all"] if scheme in _EVERY else near(scheme, ("all", *_SPOKEN))
    problem = f"proxies and connections speak {', '.join(_SPOKEN)} ('all' is every scheme)"
    # Too much is near to a word of two letters.
    if len(meant) == 1 and len(meant[0]) > 2:
        raise refusal(pattern.key, problem, meant[0] + pattern.key[len(scheme) :])
    if len(meant) > 1:
        raise refusal(pattern.key, f"{problem}: did you mean {' or '.join(meant)}?")
    raise refusal(pattern.key, f"{problem}: give {scheme}:// a transport of its own")
