"""What never reaches an output: credentials in URLs and proxies.

Every repr, log line and error text of this library passes through here.
"""

import re
from dataclasses import dataclass

import httpx

MASK = "****"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUERY_PAIR = re.compile(r"(?<=[?&])[^&#]+")
# Some servers take a ';' for the end of a pair, so a name may stand behind one too.
_QUERY_NAME = re.compile(r"(?:^|;)([^=;]*)=")
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|passphrase|pwd|session|signature|\bsig\b|auth|credential",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Redaction:
    """Masks what is secret and leaves the rest as it was.

    Masked are the userinfo of a URL and the query values whose name holds `key`,
    `token`, `secret`, `passw`, `passphrase`, `pwd`, `session`, `signature`, `auth`
    or `credential`, or is `sig`.

    >>> Redaction().url("http://scott:tiger@db.example/?page=2&api_key=abc")
    'http://****@db.example/?page=2&api_key=****'
    """

    def url(self, url: httpx.URL | str) -> str:
        """A URL as text that may be shown.

        Text that is no URL is masked as well, up to its last `@`: a password that
        breaks the URL it stands in is still a password.

        Arguments:
            url: a parsed URL, or any text that was meant to be one.
        """
        if isinstance(url, httpx.URL):
            userinfo = url.userinfo.decode("ascii")
            text = str(url)
            text = text.replace(f"{userinfo}@", f"{MASK}@", 1) if userinfo else text
        else:
            text = self._without_userinfo(url)
        return _QUERY_PAIR.sub(self._query_pair, text)

    def proxy(self, proxy: httpx.Proxy) -> str:
        """A proxy as text that may be shown.

        >>> Redaction().proxy(httpx.Proxy("http://scott:tiger@proxy.example:8080"))
        'http://****@proxy.example:8080'
        """
        url = self.url(proxy.url)
        return url if proxy.auth is None else url.replace("://", f"://{MASK}@", 1)

    def _without_userinfo(self, text: str) -> str:
        userinfo, at, rest = text.rpartition("@")
        if not at:
            return text
        scheme = _SCHEME.match(userinfo + at)
        return f"{scheme.group() if scheme else ''}{MASK}@{rest}"

    def _query_pair(self, match: re.Match[str]) -> str:
        pair = match.group()
        for name in _QUERY_NAME.finditer(pair):
            if _SECRET_NAME.search(name[1]):
                return pair[: name.end()] + MASK
        return pair


REDACTION = Redaction()
