"""One exchange as an entry of a HAR file (HTTP Archive 1.2).

See http://www.softwareishard.com/blog/har-12-spec/. Readers refuse a whole file for one number
that is missing or not finite, whatever became of the request, so every number is there and -1
stands for what is not known. Firefox needs `cache`, and an IP address for an address; Chrome
shows "undefined" for a body without `text`. Names that begin with `_` are extensions of HAR;
those that browsers write and read are spelled as they do.

Everything comes from the masked side of the exchange.
"""

import base64
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import parse_qsl

from ..redaction.content import FORM, headers_of, media_type, parameters, part_of, split_multipart
from ..redaction.cookies import cookie_parts
from .exchange import Body, Exchange, Timings

Headers = Iterable[tuple[str, str]]

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def line_of(exchange: Exchange) -> bytes:
    """An exchange as one line of JSON, in UTF-8, with its newline."""
    text = _encode(entry_of(exchange))
    try:
        line = text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair is not a character: strict readers would refuse the file.
        line = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return line + b"\n"


def entry_of(exchange: Exchange) -> dict[str, object]:
    """An exchange as an entry of `log.entries`."""
    timings = timings_of(exchange.timings)
    phases = ("blocked", "connect", "send", "wait", "receive")
    entry: dict[str, object] = {
        "startedDateTime": _date(exchange.started_at.astimezone(UTC)),
        # The sum by definition; `ssl` is a part of `connect`.
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
    if len(exchange.attempts) > 1:
        entry["_attempts"] = [
            {
                "outcome": outcome
                if isinstance(outcome, int)
                else f"{type(outcome).__name__}: {outcome}",
                "waited": _milliseconds(waited, 0),
            }
            for outcome, waited, _ in exchange.attempts
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
            _named(part.name, part.value)
            for header in _values(exchange.request_headers, "cookie")
            for part in cookie_parts(header)
            if part.text.strip()
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
        # HAR does not provide for binary uploads.
        data |= {"text": base64.b64encode(body.content).decode(), "_encoding": "base64"}
    else:
        data["text"] = text
    kind = media_type(body.content_type)
    # As browsers do, beside the text, although in HAR the one excludes the other.
    if kind == FORM and text is not None:
        data["params"] = _parameters(text)
    elif kind == "multipart/form-data":
        data["params"] = list(_fields(body))
    return data | _comment(body)


def _fields(body: Body) -> Iterator[dict[str, object]]:
    """The fields of a multipart form; of a file its name and type."""
    for part in map(part_of, split_multipart(body.content, body.content_type)[2::2]):
        if not part.separator:
            continue
        headers = headers_of(part.lines)
        disposition = parameters(headers.get("content-disposition", ""))
        field: dict[str, object] = {"name": disposition.get("name", "")}
        if "filename" in disposition:
            field["fileName"] = disposition["filename"]
            field["contentType"] = headers.get("content-type", "text/plain")
        else:
            field["value"] = part.content.decode(errors="replace")
        yield field


def _response(exchange: Exchange) -> dict[str, object]:
    body = exchange.response_body
    response: dict[str, object] = {
        "status": exchange.status or 0,
        "statusText": exchange.reason,
        "httpVersion": exchange.http_version or "",
        "cookies": [
            cookie
            for header in _values(exchange.response_headers, "set-cookie")
            for cookie in _set_cookies(header)
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
    return content | _comment(body)


def _comment(body: Body) -> dict[str, object]:
    """A comment on what is missing, where there is something missing."""
    comments = []
    if body.decoded_size is None:
        comments.append("the size after decoding is not known")
    if body.content and not body.is_whole:
        comments.append("the text is truncated")
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
    # Firefox and Chrome show `connection` as the port of the server.
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


def _set_cookies(header: str) -> list[dict[str, object]]:
    """The cookies of a Set-Cookie header: one, or several that have been joined with commas."""
    cookies: list[dict[str, object]] = []
    for part in cookie_parts(header):
        if part.begins_cookie:
            cookies.append(_named(part.name, part.value))
            continue
        match part.name.lower():
            case "path" | "domain" as place:
                cookies[-1][place] = part.value
            case "expires":
                with suppress(ValueError, OverflowError):
                    cookies[-1]["expires"] = _date(
                        parsedate_to_datetime(part.value).astimezone(UTC)
                    )
            case "httponly":
                cookies[-1]["httpOnly"] = True
            case "secure":
                cookies[-1]["secure"] = True
    return cookies
