"""One exchange as an entry of a HAR file (HTTP Archive 1.2).

See http://www.softwareishard.com/blog/har-12-spec/. Readers refuse a whole file for one number
that is missing or not finite, whatever became of the request, so every number is there and -1
stands for what is not known. Firefox needs `cache` and an address that is one, Chrome shows
"undefined" for a body without `text`. Names that begin with `_` are not HAR's own; those that
browsers write and read are spelled as they do.

Everything comes from the masked side of the exchange.
"""

import base64
import json
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import parse_qsl

from .exchange import Body, Exchange, Timings

Headers = Iterable[tuple[str, str]]

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BOUNDARY = re.compile(r'; *boundary="?([^\s";]+)', re.IGNORECASE)
_ABOUT_FIELD = re.compile(r'\b(name|filename|content-type)(?:="|: *)([^"\r\n]*)', re.IGNORECASE)


def line_of(exchange: Exchange) -> bytes:
    """An exchange as one line of JSON, in UTF-8, with its newline."""
    text = _encode(entry_of(exchange))
    try:
        line = text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair is no character: strict readers would refuse the file.
        line = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return line + b"\n"


def entry_of(exchange: Exchange) -> dict[str, object]:
    """An exchange as an entry of `log.entries`."""
    timings = timings_of(exchange.timings)
    phases = ("blocked", "connect", "send", "wait", "receive")
    entry: dict[str, object] = {
        "startedDateTime": _date(exchange.started_at.astimezone(UTC)),
        # The sum by definition; ssl is a part of connect.
        "time": round(sum(max(timings[phase], 0) for phase in phases), 3),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": timings,
        **_server(exchange.server_address),
    }
    if exchange.tls_version is not None:
        entry |= {"_securityState": "secure", "_tlsVersion": exchange.tls_version}
    if exchange.stream_id is not None:
        entry["_streamId"] = exchange.stream_id
    if exchange.attempts:
        entry["_attempts"] = [
            {
                "outcome": outcome
                if isinstance(outcome, int)
                else f"{type(outcome).__name__}: {outcome}",
                "waited": _milliseconds(waited, 0),
            }
            for outcome, waited in exchange.attempts
        ]
    return entry


def timings_of(timings: Timings) -> dict[str, float]:
    """The phases in milliseconds: -1 for what did not happen, where HAR allows that.

    >>> timings_of(Timings(connect=0.003, tls=0.011, wait=0.03, total=0.044))["connect"]
    14.0
    """
    ssl = _milliseconds(timings.tls, -1)
    connect = _milliseconds(timings.connect, -1)
    return {
        "blocked": _milliseconds(timings.blocked, -1),
        "dns": -1,
        "connect": connect if ssl < 0 else round(max(connect, 0) + ssl, 3),
        "ssl": ssl,
        "send": _milliseconds(timings.send, 0),
        "wait": _milliseconds(timings.wait, 0),
        "receive": _milliseconds(timings.receive, 0),
    }


def _milliseconds(seconds: float | None, missing: float) -> float:
    if seconds is None or not math.isfinite(seconds * 1000):
        return missing
    return max(round(seconds * 1000, 3), 0)


def _request(exchange: Exchange) -> dict[str, object]:
    body = exchange.request_body
    url = exchange.url.partition("#")[0]
    request: dict[str, object] = {
        "method": exchange.method,
        "url": url,
        "httpVersion": exchange.http_version or "",
        "cookies": [
            _named(name, value)
            for header in _values(exchange.request_headers, "cookie")
            for name, value in _pairs(header)
        ],
        "headers": _headers(exchange.request_headers),
        "queryString": _parameters(url.partition("?")[2]),
        "headersSize": -1,
        "bodySize": body.size,
    }
    if body.content:
        request["postData"] = _post_data(body)
    return request


def _post_data(body: Body) -> dict[str, object]:
    text = body.text
    data: dict[str, object] = {"mimeType": body.content_type}
    if text is None:
        # HAR says nothing of binary uploads.
        data |= {"text": base64.b64encode(body.content).decode(), "_encoding": "base64"}
    else:
        data["text"] = text
    kind = body.content_type.partition(";")[0].strip().lower()
    # As browsers do, beside the text, although HAR has the one exclude the other.
    if kind == _FORM and text is not None:
        data["params"] = _parameters(text)
    elif kind == _MULTIPART:
        data["params"] = list(_fields(body))
    return data | _cut_off(body)


def _fields(body: Body) -> Iterator[dict[str, object]]:
    """The fields of a multipart form; of a file its name and type."""
    boundary = _BOUNDARY.search(body.content_type)
    if boundary is None:
        return
    for part in body.content.split(f"--{boundary[1]}".encode())[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            continue
        about = {
            match[1].lower(): match[2]
            for match in _ABOUT_FIELD.finditer(head.decode(errors="replace"))
        }
        field: dict[str, object] = {"name": about.get("name", "")}
        if "filename" in about:
            field["fileName"] = about["filename"]
            field["contentType"] = about.get("content-type", "text/plain")
        else:
            field["value"] = content.removesuffix(b"\r\n").decode(errors="replace")
        yield field


def _response(exchange: Exchange) -> dict[str, object]:
    body = exchange.response_body
    response: dict[str, object] = {
        "status": exchange.status or 0,
        "statusText": exchange.reason,
        "httpVersion": exchange.http_version or "",
        "cookies": [
            _set_cookie(header) for header in _values(exchange.response_headers, "set-cookie")
        ],
        "headers": _headers(exchange.response_headers),
        "content": _content(body),
        "redirectURL": next(_values(exchange.response_headers, "location"), ""),
        "headersSize": -1,
        "bodySize": body.size,
        # Chrome would add up the two above.
        "_transferSize": body.size,
    }
    if exchange.error is not None:
        response["_error"] = exchange.error
    return response


def _content(body: Body) -> dict[str, object]:
    size = body.decoded_size
    content: dict[str, object] = {
        "size": body.size if size is None else size,
        "mimeType": body.content_type or "x-unknown",
    }
    if size is not None and size != body.size:
        content["compression"] = size - body.size
    if (text := body.text) is not None:
        content["text"] = text
    elif body.content:
        content |= {"text": base64.b64encode(body.content).decode(), "encoding": "base64"}
    return content | _cut_off(body)


def _cut_off(body: Body) -> dict[str, object]:
    """What is not to be seen otherwise."""
    comments = []
    if body.decoded_size is None:
        comments.append("the size after decoding is not known")
    if body.content and not body.is_whole:
        comments.append("the text is cut off")
    return {"comment": ", ".join(comments)} if comments else {}


def _server(address: str | None) -> dict[str, object]:
    if address is None:
        return {}
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        ip_address(host)
    except ValueError:
        return {"_serverAddress": address}
    # Firefox and Chrome show it as the port of the server.
    return {"serverIPAddress": host, "connection": port}


def _date(date: datetime) -> str:
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(headers: Headers) -> list[dict[str, object]]:
    return [_named(name, value) for name, value in headers]


def _parameters(query: str) -> list[dict[str, object]]:
    pairs = parse_qsl(query, keep_blank_values=True)
    return [_named(name, value) for name, value in pairs]


def _named(name: str, value: str) -> dict[str, object]:
    return {"name": name, "value": value}


def _values(headers: Headers, wanted: str) -> Iterator[str]:
    return (value for name, value in headers if name.lower() == wanted)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """What is between the semicolons of a Cookie or Set-Cookie header."""
    for pair in text.split(";"):
        name, _, value = pair.partition("=")
        if pair.strip():
            yield name.strip(), value.strip()


def _set_cookie(header: str) -> dict[str, object]:
    (name, value), *attributes = [*_pairs(header)] or [("", "")]
    cookie = _named(name, value)
    for attribute, setting in attributes:
        match attribute.lower():
            case "path" | "domain" as place:
                cookie[place] = setting
            case "expires":
                with suppress(ValueError, OverflowError):
                    cookie["expires"] = _date(parsedate_to_datetime(setting).astimezone(UTC))
            case "httponly":
                cookie["httpOnly"] = True
            case "secure":
                cookie["secure"] = True
    return cookie
