"""Read cookies: the one place that knows how Cookie and Set-Cookie headers are written.

See RFC 6265, section 4. Several Set-Cookie headers may have been joined with commas, while a
comma also stands in the date of an `Expires`.
"""

import re
from typing import NamedTuple

_SEPARATOR = r"(;|,(?=[ \t]*[^\s;,=]{1,256}=))"


class CookiePart(NamedTuple):
    """One `name=value` of a Cookie or Set-Cookie header, or one attribute.

    Attributes:
        separator: what stands before it: ";", "," between joined headers, "" at the start.
        text: the part as it is written, spaces included.
    """

    separator: str
    text: str

    @property
    def name(self) -> str:
        return self.text.partition("=")[0].strip()

    @property
    def value(self) -> str:
        return self.text.partition("=")[2].strip()

    @property
    def begins_cookie(self) -> bool:
        """True for the cookie itself in a Set-Cookie header, False for its attributes."""
        return self.separator != ";"


def cookie_parts(header: str) -> list[CookiePart]:
    """The parts of a Cookie or Set-Cookie header; put together again they are the header.

    >>> [(part.name, part.value) for part in cookie_parts("sid=abc; Path=/; HttpOnly")]
    [('sid', 'abc'), ('Path', '/'), ('HttpOnly', '')]
    """
    first, *rest = re.split(_SEPARATOR, header)
    return [CookiePart("", first), *map(CookiePart, rest[::2], rest[1::2])]
