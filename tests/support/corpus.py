"""A corpus of secrets: where they travel, and the harmless thing beside each.

Each is sent for real: `served` starts the server, and the proxy where there is one, and tells
what to send. No output may hold the value in any of its spellings; the neighbour is to be
seen wherever its place is shown.
"""

import base64
import itertools
import json
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

import pytest

from support.library import httpx

from .raw import Talk, raw_server, read_head, wait_for_end

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0aWdlciJ9.dGlnZXItc2lnbmF0dXJl"
PEM = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7tigerVJTUt9Us8cKj"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=boundary"}


@dataclass(frozen=True)
class Secret:
    """A secret on its way.

    Attributes:
        name: what the test is called.
        place: where it stands: "url", "request header", "request body", "response header",
            "response body", "error" or "proxy".
        value: what no output may hold.
        neighbour: what each output that shows the place has to hold; "" where all is secret.
        request: the request, for the URL of a server.
        answer: what the server says, byte for byte.
        also: other spellings of the value.
        proxy: the proxy, for the URL of a server that is one.
    """

    name: str
    place: str
    value: str
    neighbour: str
    request: Callable[[str], httpx.Request]
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
    also: tuple[str, ...] = ()
    proxy: Callable[[str], httpx.Proxy] | None = field(default=None)

    def __str__(self) -> str:
        return self.name

    def found_in(self, text: str) -> list[str]:
        """The spellings of the value that a text holds, percent-encoded or not."""
        texts = (text, unquote(text), text.replace("\\", ""))
        spellings = {self.value, quote(self.value, ""), *self.also}
        return sorted(each for each in spellings if any(each in one for one in texts))


class Corpus(list[Secret]):
    """Collects secrets; each has a value and a neighbour of its own."""

    def _next(self) -> tuple[str, str]:
        number = len(self) + 100
        return f"tiger{number}", f"lion{number}"

    def _add(self, name: str, place: str, value: str, neighbour: str, **more: Any) -> None:
        self.append(Secret(name, place, value, neighbour, **more))

    def header(self, name: str, form: str = "{}", secret: str | None = None) -> None:
        """A header of a request, with a harmless one beside it."""
        value, neighbour = self._next()
        value = secret or value
        headers = {name: form.format(value), "X-Page": neighbour}
        self._add(
            f"{name}: {form}"[:40],
            "request header",
            value,
            neighbour,
            request=lambda url: httpx.Request("GET", url, headers=headers),
        )

    def url(self, form: str, secret: str | None = None, **more: Any) -> None:
        """A URL, from what follows on the host."""
        value, neighbour = self._next()
        value = secret or value
        rest = form.format(value, neighbour)
        self._add(
            f"URL {form}"[:60],
            "url",
            value,
            neighbour,
            request=lambda url: httpx.Request("GET", url + rest),
            **more,
        )

    def userinfo(self, form: str, also: Callable[[str], str] = str) -> None:
        """A user name and a password before the host; the client makes a header of them, too."""
        value, neighbour = self._next()
        login = form.format(value)
        basic = base64.b64encode(unquote(login).encode()).decode()
        self._add(
            f"URL {form}@",
            "url",
            value,
            neighbour,
            request=lambda url: httpx.Request(
                "GET", url.replace("://", f"://{login}@") + f"/?page={neighbour}"
            ),
            also=(basic, basic.rstrip("="), also(value)),
        )

    def body(self, name: str, content_type: str, form: str, secret: str | None = None) -> None:
        """A body that is sent, and the same one that is received."""
        for place in ("request body", "response body"):
            value, neighbour = self._next()
            value = secret or value
            body = form.replace("SECRET", value).replace("NEIGHBOUR", neighbour).encode()
            headers = {"Content-Type": content_type}
            sent = {"headers": headers, "content": body} if place == "request body" else {}
            received = b"fine" if place == "request body" else body
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
            kind = b"text/plain" if place == "request body" else content_type.encode()
            self._add(
                f"{place}: {name}",
                place,
                value,
                neighbour,
                request=lambda url, sent=sent: httpx.Request("POST", url, **sent),
                answer=answer % (kind, len(received), received),
            )

    def response_header(self, name: str, form: str) -> None:
        """A header of a response."""
        value, neighbour = self._next()
        line = f"{name}: {form.format(value, neighbour)}"
        self.answer(
            f"{name}: {form}"[:50], "response header", f"200 OK\r\n{line}", value, neighbour
        )

    def answer(self, name: str, place: str, head: str, value: str, neighbour: str) -> None:
        answer = f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode()
        self._add(
            name,
            place,
            value,
            neighbour,
            request=lambda url: httpx.Request("GET", url),
            answer=answer,
        )

    def through(self, scheme: str, **login: Any) -> None:
        """A proxy with credentials."""
        value, _ = self._next()

        def proxy(url: str) -> httpx.Proxy:
            if "auth" in login:
                return httpx.Proxy(url.replace("http", scheme), auth=("scott", value))
            return httpx.Proxy(url.replace("http://", f"{scheme}://scott:{value}@"))

        basic = base64.b64encode(f"scott:{value}".encode()).decode()
        self._add(
            f"{scheme} proxy{' with auth=' if login else ''}",
            "proxy",
            value,
            "127.0.0.1",
            request=lambda _: httpx.Request("GET", "http://target.example/"),
            also=(basic,),
            proxy=proxy,
        )


def _json(**members: object) -> str:
    return json.dumps(members)


def _part(head: str, body: str) -> str:
    beside = 'Content-Disposition: form-data; name="page"\r\n\r\nNEIGHBOUR'
    return f"--boundary\r\n{head}\r\n\r\n{body}\r\n--boundary\r\n{beside}\r\n--boundary--\r\n"


def corpus() -> list[Secret]:
    """All of them, in the order in which a request and its response have their parts."""
    made = Corpus()
    _urls(made)
    _headers(made)
    _forms(made)
    _json_bodies(made)
    _other_bodies(made)
    _responses(made)
    return list(made)


def _urls(made: Corpus) -> None:
    made.userinfo("scott:{}")
    made.userinfo(":{}")
    made.userinfo("{}:")
    made.userinfo("scott:a%40b%2F{}", lambda value: f"a@b/{value}")
    made.userinfo("scott:it's{}")
    made.url("/?token={}&page={}")
    made.url("/?access_token={}&page={}")
    made.url("/?apiKey={}&page={}")
    made.url("/?page={1}&client-secret={0}")
    made.url("/?user[password]={}&page={}")
    made.url("/?user%5Bpassword%5D={}&page={}")
    made.url("/?%74oken={}&page={}")
    made.url("/?%2574oken={}&page={}")
    made.url("/?X-Amz-Signature={}&page={}")
    made.url("/?sv=2024&sig={}&page={}")
    made.url("/?page={1};token={0}")
    made.url("/?token=it's({})&page={}")
    made.url("/callback?code=0123456789{}&page={}")
    made.url("/?page={1}&next=https://scott:{0}@h/")
    made.url("/?next=https://h/?token={}&page={}")
    made.url("/?next=https%3A%2F%2Fscott%3A{}%40h%2F&page={}")
    made.url("/?next=https%3A%2F%2Fh%2F%3Ftoken%3D{}&page={}")
    made.url("/?next=%2Flogin%253Ftoken%253D{}&page={}")
    made.url("/?page={1}&filter=%7B%22password%22%3A%22{0}%22%7D")
    made.url("/{1};jsessionid={0}/x")
    made.url("/token={}/{}")
    made.url("/?page={1}#access_token={0}")
    made.url("/{1}/{0}", secret=JWT)
    made.url("/{1}?q={0}", secret="ghp_0123456789abcdefghijtiger")


def _headers(made: Corpus) -> None:
    for form in (
        "Bearer {}",
        "Token {}",
        "{}",
        "SomeScheme {}",
        'Digest username="a", response="{}"',
    ):
        made.header("Authorization", form)
    made.header("Authorization", "Basic {}", secret="c2NvdHQ6dGlnZXI=")
    made.header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20250101, Signature={}")
    made.header("Proxy-Authorization", "Basic {}", secret="YWRhbXM6dGlnZXI=")
    made.header("Cookie", "sid={}")
    made.header("Cookie", "theme=dark; sid={}; page=2")
    for name in (
        *("X-Api-Key", "Api-Key", "apikey", "X-Auth-Token", "X-Access-Token", "Private-Token"),
        *("X-CSRF-Token", "X-XSRF-TOKEN", "X-Amz-Security-Token", "X-Goog-Api-Key"),
        *("Ocp-Apim-Subscription-Key", "CF-Access-Client-Secret", "X-Session-Id", "DPoP"),
        *("X-Hub-Signature-256", "X-User-Password"),
    ):
        made.header(name)
    made.header("Referer", "https://h/?token={}")
    made.header("Referer", "https://scott:{}@h/")
    made.header("X-Forwarded-Uri", "/?token={}")
    made.header("X-Debug", "id={}", secret=JWT)


def _forms(made: Corpus) -> None:
    form = "application/x-www-form-urlencoded"
    made.body("form", form, "user=NEIGHBOUR&password=SECRET")
    made.body("form, encoded name", form, "user=NEIGHBOUR&p%61ssword=SECRET")
    made.body("form, client_secret", form, "client_secret=SECRET&grant_type=NEIGHBOUR")
    made.body("form, URL", form, "next=https%3A%2F%2Fh%2F%3Ftoken%3DSECRET&user=NEIGHBOUR")
    multipart = MULTIPART["Content-Type"]
    field = 'Content-Disposition: form-data; name="password"'
    made.body("multipart field", multipart, _part(field, "SECRET"))
    file = 'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: '
    made.body("multipart JSON", multipart, _part(f"{file}application/json", _json(token="SECRET")))
    made.body("multipart text", multipart, _part(f"{file}text/plain", "token=SECRET"))
    made.body(
        "multipart, cut off",
        multipart,
        _part("X: NEIGHBOUR", "") + f"--boundary\r\n{field}\r\n\r\nSECRET",
    )


def _json_bodies(made: Corpus) -> None:
    kind = "application/json"
    page = "NEIGHBOUR"
    made.body("JSON", kind, _json(password="SECRET", page=page))
    made.body("nested JSON", kind, _json(a=[{"b": {"apiKey": "SECRET"}}], page=page))
    made.body("JSON list", kind, _json(secrets=["SECRET", {"x": ["SECRET"]}], page=page))
    made.body("JSON number", kind, '{"pin": SECRET, "page": "NEIGHBOUR"}', secret="4815162342")
    made.body("JSON, cut off", kind, '{"page": "NEIGHBOUR", "password": "SECRET')
    made.body("JSON, escaped name", kind, '{"\\u0070assword": "SECRET", "page": "NEIGHBOUR"}')
    made.body("JSON in JSON", kind, _json(a=_json(b=_json(password="SECRET")), page=page))
    made.body(
        "JSON, name and value",
        kind,
        _json(env=[{"name": "DB_PASSWORD", "value": "SECRET"}], page=page),
    )
    made.body(
        "JSON, value and name", kind, _json(env=[{"value": "SECRET", "name": "API_KEY"}], page=page)
    )
    made.body("JSON, pairs", kind, _json(headers=[["Authorization", "Bearer SECRET"]], page=page))
    made.body("JSON, URL", kind, '{"next": "https:\\/\\/scott:SECRET@h\\/", "page": "NEIGHBOUR"}')
    made.body("JSON, headers", kind, _json(headers={"Set-Cookie": "sid=SECRET; Path=/"}, page=page))
    made.body("GraphQL", kind, _json(query='mutation { login(password: "SECRET") }', page=page))
    made.body("JSON without a type", "", _json(secret={"a": "SECRET"}, page=page))
    made.body("JSON lines", "application/x-ndjson", '{"page": "NEIGHBOUR"}\n{"token": "SECRET"}\n')
    made.body("problem+json", "application/problem+json", _json(session="SECRET", page=page))


def _json_patch() -> str:
    return json.dumps(
        [{"op": "add", "path": "/dbPassword", "value": "SECRET", "from": "NEIGHBOUR"}]
    )


def _other_bodies(made: Corpus) -> None:
    made.body("YAML", "text/plain", "page: NEIGHBOUR\npassword: correct horse SECRET\n")
    made.body("INI", "text/plain", "page = NEIGHBOUR\ntoken = SECRET\n")
    made.body("XML", "application/xml", "<a><Password>SECRET</Password><page>NEIGHBOUR</page></a>")
    made.body("SOAP", "text/xml", '<w:Password Type="x">SECRET</w:Password><page>NEIGHBOUR</page>')
    made.body("HTML", "text/html", '<input name="csrf_token" value="SECRET"><p>NEIGHBOUR</p>')
    made.body("SVG", "image/svg+xml", '<svg><a href="/?token=SECRET&amp;page=NEIGHBOUR"/></svg>')
    made.body("JSON Patch", "application/json-patch+json", _json_patch())
    made.body("events", "text/event-stream", 'data: {"token": "SECRET", "page": "NEIGHBOUR"}\n\n')
    made.body("text", "text/plain", "NEIGHBOUR sent Bearer SECRET")
    made.body("JWT", "text/plain", "page NEIGHBOUR, id SECRET", secret=JWT)
    made.body("AWS key", "text/plain", "page NEIGHBOUR, id SECRET", secret="AKIAIOSFODNN7TIGER00")
    made.body(
        "API key", "text/plain", "page NEIGHBOUR, id SECRET", secret="sk-proj-tiger0123456789abc"
    )
    pem = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\nNEIGHBOUR"
    made.body("PEM", "text/plain", pem, secret=PEM)


def _responses(made: Corpus) -> None:
    for name, form in (
        ("Set-Cookie", "sid={}; Path=/{}; HttpOnly"),
        ("Set-Cookie", "a=b; Path=/{1}\r\nSet-Cookie: sid={0}"),
        ("Location", "https://scott:{}@h/?page={}"),
        ("Location", "https://h/?token={}&page={}"),
        ("Location", "/{1}?token={0}"),
        ("Location", "https://h/{1}#access_token={0}&state=1"),
        ("Location", "https://h/{1}?code=0123456789{0}"),
        ("Content-Location", "/{1};jsessionid={0}"),
        ("Link", '<https://h/?token={}&page={}>; rel="next"'),
        ("Refresh", "5; url=https://h/?token={}&page={}"),
        ("X-Auth-Token", "{}\r\nX-Page: {}"),
        ("X-Amz-Session-Token", "{}\r\nX-Page: {}"),
        ("Authentication-Info", 'nextnonce="{}"\r\nX-Page: {}'),
    ):
        made.response_header(name, form)
    value, neighbour = made._next()
    made.answer(
        "reason", "response header", f"401 token={value} page={neighbour}", value, neighbour
    )
    value, neighbour = made._next()
    made.answer("status", "error", f"nonsense page={neighbour} token={value}", value, neighbour)
    value, neighbour = made._next()
    head = f"200 OK\r\nlogin page={neighbour} password={value}"
    made.answer("header line", "error", head, value, neighbour)
    made.through("socks5")
    made.through("socks5", auth=True)
    made.through("http")
    made.through("http", auth=True)


SECRETS = corpus()


def in_turn(*axes: Sequence[str]) -> list[Any]:
    """Parameters: each secret in all ways, but for one of them only where all of it is run."""
    ways = list(itertools.product(*axes))
    return [
        pytest.param(
            secret,
            *way,
            marks=() if turn == number % len(ways) else pytest.mark.slow,
            id="-".join((secret.name, *way)),
        )
        for number, secret in enumerate(SECRETS)
        for turn, way in enumerate(ways)
    ]


@contextmanager
def served(secret: Secret) -> Iterator[tuple[httpx.Request, httpx.Proxy | None]]:
    """The request to send, and the proxy to send it through, while their server runs."""
    with raw_server(_talk(secret)) as url:
        proxy = secret.proxy(url) if secret.proxy else None
        yield secret.request(url), proxy


def _talk(secret: Secret) -> Talk:
    def talk(connection: socket.socket) -> None:
        if secret.name.startswith("socks5"):
            _accept_as_socks_proxy(connection)
        head = read_head(connection).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r")[0] or 0)
        while length > 0:
            length -= len(connection.recv(length))
        connection.sendall(secret.answer)
        wait_for_end(connection)

    return talk


def _accept_as_socks_proxy(connection: socket.socket) -> None:
    """RFC 1928 with the login of RFC 1929."""
    connection.recv(64)
    connection.sendall(b"\x05\x02")
    connection.recv(512)
    connection.sendall(b"\x01\x00")
    connection.recv(512)
    connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
