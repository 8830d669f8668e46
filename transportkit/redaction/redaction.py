"""`Redaction`: keeps secrets in URLs, headers, bodies and text out of every output.

Every repr, log line and error text of this library passes through here. The patterns are
compiled when they are first needed: a program that masks nothing pays for none of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ..wire.advising import advising
from ..wire.library import URL, Proxy
from .names import MASK, Names, names_of, words


@advising(hide="mask=[...]", secrets="mask=[...]", names="mask=[...]", allow="show=[...]")
@dataclass(frozen=True)
class Redaction:
    """Masks what is secret and leaves the rest as it was.

    In URLs, headers, bodies and any text it masks:

    - the userinfo of a URL, also of one in the query of another;
    - the values of secret names: in a query, a fragment, a path parameter, a form, JSON, a
      part of a multipart body, an XML element, a header, a `name=value` or `name: value`, the
      argument of a `--name`, and the `value` beside a `name` or `path` that is secret;
    - every cookie's value;
    - what looks like a secret, wherever it stands, be it as a name: `Bearer ...`, JSON Web Tokens
      (`eyJ...`), the keys of well-known services (`ghp_...`, `sk-...`, `AKIA...`), the paths of
      webhooks, private keys in PEM.

    A name is secret because of one of its words. Words are separated by anything but letters
    and digits, and by the humps of camelCase; digits at their ends do not count, and the plural
    is the same. What is masked depends on the word, and on the value:

    - what holds `passw`, ends with `secret` or `credential`, or is `pass`, `pwd`, `authorization`,
      `cookie`, `csrf`, `jwt`, `psk`..., a key that opens something, run together or not (`api_key`,
      `apikey`, `secretaccesskey`): all values, and all that is nested in them;
    - what ends with `token`, `signature`, `session`, `auth`, and `sig`, `assertion`, `otp`, `pin`,
      `cvc`, `mfa_code`...: all but numbers under a plural (`tokens`), dates, durations, constants
      (`USDC`), URLs, paths and phrases;
    - `key`, `sid`, `ticket`: what looks random;
    - `code`, `device_code`: what is as long as OAuth's, 16 characters;
    - `number`: the number of a card.

    Under none of them is `true`, `null`, a version, what stands for a secret (`${TOKEN}`,
    `<redacted>`) or what people write about one (`must not be blank`). A name is harmless all the
    same if it tells something about a secret: if its last word is `type`, `expires`, `url`,
    `count`, `error`..., or its first one `has`, `max`, `allow`... So are keys and tokens that hide
    nothing (`public_key`, `Idempotency-Key`, `next_page_token`), and rate limits.

    What was masked once stays as it is. It takes time that grows with the length alone.

    Arguments:
        mask: names to mask as well; a name is masked if it has all words of one of these, in
            this order and next to each other.
        show: names to leave in the clear although they would be masked: these names as a
            whole. Neither case nor the separators between words matter, so that `session_id`
            stands for `Session-Id` and `sessionId` too.

    Raises:
        TypeError: one string in place of several names, no names at all, or a name that is not
            a string.
        ValueError: a name without a letter or digit, or one both to mask and to show.

    >>> Redaction().url("http://scott:tiger@db.example/?page=2&api_key=abc")
    'http://****@db.example/?page=2&api_key=****'
    >>> Redaction(mask=["tenant"], show=["pin"]).url("/?tenant_id=7&pin=8&otp=9")
    '/?tenant_id=****&pin=8&otp=****'
    """

    mask: Iterable[str] = field(default=())
    show: Iterable[str] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", _checked("mask", self.mask))
        object.__setattr__(self, "show", _checked("show", self.show))
        if self.mask and self.show:
            if both := set(map(words, self.mask)) & set(map(words, self.show)):
                raise ValueError(f"{min(both)!r} is in mask and in show: leave it out of one")

    @cached_property
    def _names(self) -> Names:
        return names_of(frozenset(self.mask), frozenset(self.show))

    def is_secret(self, name: str) -> bool:
        """True if values of this name are masked, all of them or some.

        >>> [Redaction().is_secret(name) for name in ("X-Api-Key", "userPassword", "keyboard")]
        [True, True, False]
        """
        return self._names.is_secret(name)

    def url(self, url: URL | str) -> str:
        """A URL as text, masked.

        Text that is not a URL is masked as well, up to its last `@`: a password that breaks
        the URL it stands in is still a password. An `@` after a host is taken for the end of
        one, unless a path segment begins with it (`/@scope/name`) or it stands in the value of
        a query.

        Arguments:
            url: a parsed URL, or any text that was meant to be one.
        """
        from .text import mask_encoded, settled
        from .urls import mask_url

        names, text = self._names, str(url)
        is_text = isinstance(url, str)
        if not isinstance(url, str) and (userinfo := url.userinfo.decode("ascii")):
            text = text.replace(f"//{userinfo}@", f"//{MASK}@", 1)
        return settled(
            text, lambda text: mask_encoded(mask_url(text, names, may_be_malformed=is_text), names)
        )

    def proxy(self, proxy: Proxy) -> str:
        """A proxy as text, masked.

        >>> import httpx
        >>> Redaction().proxy(httpx.Proxy("http://scott:tiger@proxy.example:8080"))
        'http://****@proxy.example:8080'
        """
        url = self.url(proxy.url)
        return url if proxy.auth is None else url.replace("://", f"://{MASK}@", 1)

    def header(self, name: str, value: str) -> str:
        """The value of a header, masked.

        >>> Redaction().header("Authorization", "Bearer abc")
        'Bearer ****'
        >>> Redaction().header("Set-Cookie", "sid=abc; Path=/; HttpOnly")
        'sid=****; Path=/; HttpOnly'
        >>> Redaction().header("Location", "/welcome?token=abc&page=2")
        '/welcome?token=****&page=2'
        """
        from .text import mask_header, settled

        return settled(value, lambda value: mask_header(name, value, self._names))

    def body(self, content: bytes, content_type: str) -> bytes:
        """A body, masked: a form, JSON, a multipart body or text.

        What is binary is returned as it is, except for a part of a multipart body that has a
        secret name.

        Arguments:
            content: the body, without its Content-Encoding. It may be truncated anywhere.
            content_type: its Content-Type, `""` without one.

        >>> Redaction().body(b'{"user": "scott", "password": "tig', "application/json")
        b'{"user": "scott", "password": "****'
        """
        from .bodies import mask_body

        return mask_body(content, content_type, self._names)

    def text(self, text: str) -> str:
        r"""Any text, masked: a line of a log, an error message, a repr.

        >>> Redaction().text("GET http://scott:tiger@h/?token=abc&page=2 failed, auth=('a', 'b')")
        "GET http://****@h/?token=****&page=2 failed, auth=('****', '****')"
        >>> Redaction().text("Authorization: Basic c2NvdHQ6dGlnZXI=\r\nAccept: */*")
        'Authorization: Basic ****\r\nAccept: */*'
        """
        from .text import mask_text

        return mask_text(text, self._names)


def _checked(argument: str, names: Iterable[str]) -> frozenset[str]:
    if isinstance(names, (str, bytes)):
        raise TypeError(f"{argument} takes several names: write {argument}=({echoed(names)},)")
    if not isinstance(names, Iterable):
        raise TypeError(
            f"{argument} must be names, not {echoed(names)}: write {argument}=['X-Tenant']"
        )
    checked = tuple(names)
    for name in checked:
        if not isinstance(name, str):
            raise TypeError(f"{argument}: a name is a string, not {type(name).__name__}")
        if not any(letter.isalnum() for letter in name):
            raise ValueError(
                f"{argument}: {echoed(name)} is not a name: it has neither letter nor digit"
            )
    return frozenset(checked)


__all__ = ["MASK", "REDACTION", "Redaction", "echoed"]

REDACTION = Redaction()
"""The default: no secret gets out, and nothing harmless is lost with it."""


def echoed(value: object) -> str:
    """The repr of a wrong argument without addresses, masked: it may be a secret.

    >>> echoed({"Authorization": "Bearer abc"}), echoed(object())
    ("{'Authorization': 'Bearer ****'}", '<object object>')
    """
    return REDACTION.text(re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value)))
