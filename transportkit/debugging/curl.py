"""`CurlLog`: requests as commands that can be pasted into a shell.

A command sends what the request sent, the same way. So a header that curl would add by itself, and
that the request did not have, is removed.
"""

import re
from collections.abc import Iterator

from ..wire.advising import advising
from ..wire.arguments import check_flag
from .arguments import check_write
from .console import Write, enabled
from .exchange import Exchange
from .record import origin_of

# An argument of a command line cannot be much longer (MAX_ARG_STRLEN of Linux: 128 KiB).
_LONGEST_ARGUMENT = 100_000
# From this size on, some versions of curl first ask the server if it wants the body.
_EXPECTING = 1024

# Compiled when they are first needed: most programs never write a command.
_USERINFO = r"(?<=://)[^/?#]*@"
_NETLOC = r"://([^/?#]*)"
_SOCKS = r"^socks5://"
_DOTS = r"(?i)/(?:\.|%2e){1,2}(?:[/?]|$)"
_GLOBS = r"[][{}]"
_WORD = r"[A-Za-z0-9_-]+"
_NOT_IN_FORMAT = rb"^-|[^ -~]|['\\]"
# For one connection, and so not for HTTP/2 (RFC 9113, section 8.2.2).
_OF_HTTP1 = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")

_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "'": r"\'", "\\": r"\\", "!": r"\041"}


@advising(bodies="DebuggingTransport(transport, CurlLog(), bodies=4096)")
class CurlLog:
    r"""Writes each request as one curl command, when it is over.

    The command is for a POSIX shell, such as bash. Arguments with control characters are
    written as `$'...'`, which bash, zsh, ksh and POSIX since 2024 know; a binary body comes
    from `printf` through a pipe. The body is there if the transport captures it: give it a
    `bodies` as large as what you send. A comment says if a body is missing or truncated. A proxy,
    and that certificates were not verified, are in the command if the transport inside tells, as
    those that are made from arguments do; the credentials of a proxy are always masked.

    Secrets are masked, and the command then sends the masks. A body with a Content-Encoding is
    decoded for that, or left out if it cannot be. The content of a file that is compressed
    itself, such as an upload of application/gzip, is not masked.

    Arguments:
        write: called with each command: `print`, or `logger.debug`. Default: `print`.
        show_secrets: leave the secrets in the command, so that it works. Default: False.

    Raises:
        TypeError: `write` cannot be called, or `show_secrets` is neither True nor False.

    >>> import httpx
    >>> from transportkit import DebuggingTransport
    >>> answer = httpx.MockTransport(lambda request: httpx.Response(200))
    >>> transport = DebuggingTransport(answer, CurlLog(), bodies=10_000)
    >>> request = httpx.Request("PUT", "https://example.com/?token=abc", json="it's me")
    >>> response = transport.handle_request(request)  # doctest: +NORMALIZE_WHITESPACE
    curl 'https://example.com/?token=****' -X PUT -H 'Content-Type: application/json'
    -H 'User-Agent:' -H 'Accept:' --data-raw '"it'\''s me"'
    """

    def __init__(self, write: Write = print, show_secrets: bool = False) -> None:
        check_write(write)
        check_flag("show_secrets", show_secrets)
        self._write = write
        self._is_enabled = enabled(write)
        self._shows_secrets = show_secrets

    def __call__(self, exchange: Exchange) -> None:
        if self._is_enabled():
            self._write(command(exchange.unmasked if self._shows_secrets else exchange))


def command(exchange: Exchange) -> str:
    """The request of an exchange, as a command for a shell."""
    url = exchange.url if exchange.target is None else origin_of(exchange._record.url) + "/"
    url = re.sub(_USERINFO, "", url, count=1).partition("#")[0]
    content, remark, is_decoded = _content(exchange)
    words = ["curl", _quoted(url.encode()), *_options(exchange, url)]
    if exchange.method == "HEAD" and content is None:
        words.append("--head")
    elif exchange.method != ("GET" if content is None else "POST"):
        is_word = re.fullmatch(_WORD, exchange.method)
        words += ["-X", exchange.method if is_word else _quoted(exchange.method.encode())]
    for header in _headers(exchange, url, content, is_decoded):
        words += ["-H", _quoted(header)]
    if content is None:
        return remark + " ".join(words)
    if len(content) > _LONGEST_ARGUMENT or b"\0" in content or not _is_utf8(content):
        return f"{remark}printf {_format(content)} | {' '.join(words)} --data-binary @-"
    return f"{remark}{' '.join(words)} --data-raw {_quoted(content)}"


def _content(exchange: Exchange) -> tuple[bytes | None, str, bool]:
    """The body to send, None for none; a comment on it; True if it was decoded."""
    captured = exchange._record.sent
    names = {name.lower() for name, _ in exchange.request_headers}
    if not captured.size and not captured.length:
        has_body = bool(names & {"content-length", "transfer-encoding"})
        return (b"" if has_body else None), "", False
    if not captured.length:
        return None, f"# Its body of {captured.size:,} bytes was not captured: see bodies=\n", False
    content = captured.content
    is_whole = captured.is_ended and len(content) == captured.size
    if exchange._is_masked:
        content, is_whole = exchange.request_body.content, exchange.request_body.is_whole
    is_decoded = exchange._is_masked and "content-encoding" in names
    if is_decoded and not content:
        return None, "# Its body cannot be decoded, and so the secrets in it not be masked\n", False
    remark = f"# Its body is truncated after {len(content):,} bytes: see bodies=\n"
    return content, "" if is_whole else remark, is_decoded


def _options(exchange: Exchange, url: str) -> Iterator[str]:
    if re.search(_GLOBS, url):
        yield "--globoff"
    if re.search(_DOTS, url):
        yield "--path-as-is"
    if exchange.target is not None:
        yield "--request-target"
        to_proxy = url.startswith("http:") and (exchange.proxy or "").startswith("http")
        # An HTTP proxy gets the absolute form (RFC 9112, section 3.2.2).
        before = url.removesuffix("/") if to_proxy and exchange.target.startswith("/") else ""
        yield _quoted((before + exchange.target).encode("latin-1"))
    if exchange.proxy is not None:
        yield "-x"
        # httpx lets a SOCKS proxy look names up.
        yield _quoted(re.sub(_SOCKS, "socks5h://", exchange.proxy, count=1).encode())
    if not exchange.verify:
        yield "-k"
    if exchange.http_version == "HTTP/2":
        yield "--http2" if url.startswith("https:") else "--http2-prior-knowledge"
    elif exchange.http_version is not None and url.startswith("https:"):
        yield "--http1.1"
    if exchange.server_address is not None and exchange.server_address.startswith("/"):
        yield "--unix-socket"
        yield _quoted(exchange.server_address.encode())
    if any(name.lower() == "accept-encoding" for name, _ in exchange.request_headers):
        # The header is the request's own; this is for reading the answer.
        yield "--compressed"


def _headers(
    exchange: Exchange, url: str, content: bytes | None, is_decoded: bool
) -> Iterator[bytes]:
    """The headers that curl does not send by itself, then those that it must not send."""
    is_http2 = exchange.http_version == "HTTP/2"
    netloc = re.search(_NETLOC, url)
    by_itself = {"accept": "*/*", "host": netloc[1] if netloc else ""}
    names = [name.lower() for name, _ in exchange.request_headers]
    raw_headers = exchange._record.request_headers
    for (name, value), (_, raw) in zip(exchange.request_headers, raw_headers, strict=True):
        lower = name.lower()
        if (
            lower == "content-length"
            or (by_itself.get(lower) == value and names.count(lower) == 1)
            or (is_http2 and lower in _OF_HTTP1)
            or (is_decoded and lower == "content-encoding")
        ):
            continue
        text = f"{name}: {value}" if value else f"{name};"
        yield text.encode("utf-8" if _is_utf8(raw) else "latin-1")
    unwanted = ["User-Agent", "Accept"]
    if exchange.proxy is not None and url.startswith("http:"):
        unwanted.append("Proxy-Connection")
    if content is not None:
        unwanted.append("Content-Type")
        if len(content) > _EXPECTING and not is_http2:
            unwanted.append("Expect")
        if is_http2:
            unwanted.append("Content-Length")
    for name in unwanted:
        if name.lower() not in names:
            yield f"{name}:".encode()


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _quoted(content: bytes) -> str:
    r"""Bytes as one word of a shell.

    >>> print(_quoted(b"it's"), _quoted(b"two\nlines"))
    'it'\''s' $'two\nlines'
    """
    text = content.decode("utf-8", "surrogateescape")
    if text.isprintable():
        return "'" + text.replace("'", r"'\''") + "'"
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def _format(content: bytes) -> str:
    r"""Bytes as the format of a `printf`.

    >>> print(_format(b"\x89 100%"))
    '\211 100%%'
    """
    text = re.sub(_NOT_IN_FORMAT, lambda match: b"\\%03o" % ord(match[0]), content)
    return "'" + text.replace(b"%", b"%%").decode("ascii") + "'"
