"""An exchange as an entry of a HAR: what is in it, and that no exchange at all breaks a reader."""

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import har
from support.library import httpx
from support.transportkit import Attempt

from transportkit.debugging import har_entry
from transportkit.debugging.bodies import BodyCapture
from transportkit.debugging.exchange import Exchange, Record, Timings

START = 1_700_000_000.25


def captured(content: bytes, limit: int = 4096, *, is_ended: bool = True) -> BodyCapture:
    body = BodyCapture(limit)
    body.add(content)
    body.is_ended = is_ended
    return body


def record(**given: Any) -> Record:
    given = {"method": "GET", "url": httpx.URL("https://example.com/"), **given}
    return Record(**{"started_at": START, "ended": 0.5, **given})


def entry(**given: Any) -> dict[str, Any]:
    """The entry of an exchange, as it arrives at a reader."""
    return check(Exchange(record(**given)))


def check(exchange: Exchange) -> dict[str, Any]:
    line = har_entry.line_of(exchange)
    assert line.count(b"\n") == 1
    read: dict[str, Any] = json.loads(line.decode())
    creator = {"name": "tests", "version": "1"}
    har.check({"log": {"version": "1.2", "creator": creator, "pages": [], "entries": [read]}})
    return read


def answered(content: bytes, *headers: tuple[bytes, bytes], limit: int = 4096) -> dict[str, Any]:
    """The `response` of an entry."""
    headers = headers or ((b"Content-Type", b"text/plain"),)
    received = captured(content, limit)
    response = entry(status=200, response_headers=headers, received=received)["response"]
    assert isinstance(response, dict)
    return response


def uploaded(content: bytes, content_type: str, limit: int = 4096) -> dict[str, Any]:
    """The `request` of an entry."""
    headers = [(b"Content-Type", content_type.encode())]
    request = entry(method="POST", request_headers=headers, sent=captured(content, limit))[
        "request"
    ]
    assert isinstance(request, dict)
    return request


def named(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


class TestTimings:
    def test_are_milliseconds_with_ssl_inside_of_connect(self) -> None:
        timings = Timings(0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.063)
        assert har_entry.timings_of(timings) == {
            "blocked": 1,
            "dns": -1,
            "connect": 6,
            "ssl": 4,
            "send": 8,
            "wait": 16,
            "receive": 32,
        }

    def test_are_minus_one_for_what_did_not_happen_and_zero_where_har_has_no_minus_one(
        self,
    ) -> None:
        timings = har_entry.timings_of(Timings())
        assert [name for name, value in timings.items() if value == -1] == [
            "blocked",
            "dns",
            "connect",
            "ssl",
        ]
        assert [name for name, value in timings.items() if value == 0] == [
            "send",
            "wait",
            "receive",
        ]

    def test_have_a_connect_wherever_they_have_ssl(self) -> None:
        timings = har_entry.timings_of(Timings(tls=0.5))
        assert (timings["connect"], timings["ssl"]) == (500, 500)

    @given(st.builds(Timings, *[st.none() | st.floats()] * 6, total=st.floats()))
    def test_are_finite_whatever_was_measured(self, timings: Timings) -> None:
        shown = har_entry.timings_of(timings)
        json.dumps(shown, allow_nan=False)
        assert shown["ssl"] <= shown["connect"]
        assert min(shown["send"], shown["wait"], shown["receive"]) >= 0
        assert min(shown.values()) >= -1

    def test_add_up_to_the_time(self) -> None:
        events = [
            ("connection.connect_tcp.started", 0.125),
            ("connection.connect_tcp.complete", 0.25),
            ("connection.start_tls.started", 0.25),
            ("connection.start_tls.complete", 0.5),
            ("http11.send_request_headers.started", 0.5),
            ("http11.send_request_body.complete", 0.625),
            ("http11.receive_response_headers.complete", 0.75),
        ]
        shown = entry(status=200, events=events, ended=1.0)
        assert shown["time"] == 1000
        assert shown["timings"] == {
            "blocked": 125,
            "dns": -1,
            "connect": 375,
            "ssl": 250,
            "send": 125,
            "wait": 125,
            "receive": 250,
        }

    def test_begin_at_a_time_with_a_zone(self) -> None:
        assert entry()["startedDateTime"] == "2023-11-14T22:13:20.250Z"


class TestTheRequest:
    def test_is_all_there(self) -> None:
        url = httpx.URL("https://example.com/search?q=a%20b&q=c&empty=#top")
        headers = [(b"Host", b"example.com"), (b"Cookie", b"a=1; b=2")]
        request = entry(url=url, request_headers=headers, http_version="HTTP/1.1")["request"]
        assert request["url"] == "https://example.com/search?q=a%20b&q=c&empty="
        assert request["method"] == "GET"
        assert request["httpVersion"] == "HTTP/1.1"
        assert request["queryString"] == named(("q", "a b"), ("q", "c"), ("empty", ""))
        assert [header["name"] for header in request["headers"]] == ["Host", "Cookie"]
        assert [cookie["name"] for cookie in request["cookies"]] == ["a", "b"]
        assert (request["headersSize"], request["bodySize"]) == (-1, 0)
        assert "postData" not in request

    def test_is_masked(self) -> None:
        shown = entry(
            url=httpx.URL("https://scott:tiger@example.com/?token=tiger"),
            request_headers=[(b"Cookie", b"session=tiger"), (b"Authorization", b"Bearer tiger")],
            response_headers=[
                (b"Set-Cookie", b"session=tiger; Path=/"),
                (b"Location", b"https://scott:tiger@example.com/?token=tiger"),
            ],
            status=302,
            error="ReadError: https://scott:tiger@example.com/",
        )
        assert "tiger" not in json.dumps(shown)
        assert shown["request"]["queryString"] == named(("token", "****"))

    def test_has_the_text_of_its_body(self) -> None:
        request = uploaded('{"city": "Köln"}'.encode(), "application/json")
        assert request["postData"] == {"mimeType": "application/json", "text": '{"city": "Köln"}'}
        assert request["bodySize"] == 17

    def test_has_the_fields_of_a_form(self) -> None:
        request = uploaded(b"a=1&b=x+y&c=", "application/x-www-form-urlencoded; charset=utf-8")
        assert request["postData"]["params"] == named(("a", "1"), ("b", "x y"), ("c", ""))
        assert request["postData"]["text"] == "a=1&b=x+y&c="

    def test_has_the_fields_of_a_multipart_form(self) -> None:
        files = {"file": ("ä.bin", b"\x00\xff\r\n\x01", "image/png")}
        sent = httpx.Request(
            "POST", "https://example.com/", data={"city": "Köln", "empty": ""}, files=files
        )
        request = uploaded(sent.read(), sent.headers["Content-Type"])
        assert request["postData"]["params"] == [
            *named(("city", "Köln"), ("empty", "")),
            {"name": "file", "fileName": "ä.bin", "contentType": "image/png"},
        ]

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"no parts", "multipart/form-data; boundary=x"),
            (b"no parts", "multipart/form-data"),
            (b"--x\r\n\r\nno name\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        ],
    )
    def test_takes_a_broken_multipart_form(self, body: bytes, content_type: str) -> None:
        fields = uploaded(body, content_type)["postData"]["params"]
        assert [field["name"] for field in fields] in ([], [""])

    def test_has_a_binary_body_as_base64(self) -> None:
        data = uploaded(b"\x00\xff", "application/octet-stream")["postData"]
        assert (base64.b64decode(data["text"]), data["_encoding"]) == (b"\x00\xff", "base64")

    def test_says_that_a_body_was_cut_off(self) -> None:
        request = uploaded(b"0123456789", "text/plain", limit=4)
        assert request["bodySize"] == 10
        assert request["postData"] == {
            "mimeType": "text/plain",
            "text": "0123",
            "comment": "the text is truncated",
        }

    def test_has_a_size_alone_when_nothing_was_kept(self) -> None:
        request = uploaded(b"0123456789", "text/plain", limit=0)
        assert request["bodySize"] == 10
        assert "postData" not in request


class TestTheResponse:
    def test_is_all_there(self) -> None:
        shown = entry(
            status=301,
            reason="Moved Permanently",
            http_version="HTTP/2",
            response_headers=[(b"location", b"/there"), (b"content-type", b"text/html")],
            received=captured(b"gone"),
            server_address="127.0.0.1:8443",
            tls_version="TLSv1.3",
            stream_id=5,
        )
        response = shown["response"]
        assert (response["status"], response["statusText"]) == (301, "Moved Permanently")
        assert response["httpVersion"] == "HTTP/2"
        assert response["redirectURL"] == "/there"
        assert response["content"] == {"size": 4, "mimeType": "text/html", "text": "gone"}
        assert (response["headersSize"], response["bodySize"]) == (-1, 4)
        assert response["_transferSize"] == 4
        assert "_error" not in response
        assert (shown["serverIPAddress"], shown["connection"]) == ("127.0.0.1", "8443")
        assert shown["_securityState"] == "secure"
        assert (shown["_tlsVersion"], shown["_streamId"]) == ("TLSv1.3", 5)
        assert shown["cache"] == {}
        assert "_attempts" not in shown

    def test_of_a_failed_request_has_every_number(self) -> None:
        shown = entry(error="ConnectError: refused")
        assert shown["response"] == {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown", "text": ""},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 0,
            "_transferSize": 0,
            "_error": "ConnectError: refused",
        }
        assert shown.keys() & {"serverIPAddress", "connection", "_serverAddress"} == set()

    def test_that_broke_has_a_status_and_an_error(self) -> None:
        received = captured(b"half of", is_ended=False)
        response = entry(status=200, received=received, error="ReadError: reset")["response"]
        assert (response["status"], response["_error"]) == (200, "ReadError: reset")
        assert response["content"]["text"] == "half of"
        assert response["content"]["comment"] == "the text is truncated"

    def test_has_its_decoded_size(self) -> None:
        body = b"a" * 1000
        sent = gzip.compress(body)
        encoded = (b"Content-Encoding", b"gzip")
        response = answered(sent, (b"Content-Type", b"text/plain"), encoded)
        assert response["bodySize"] == len(sent)
        content = response["content"]
        assert (content["size"], content["compression"]) == (1000, 1000 - len(sent))
        assert content["text"] == body.decode()

    def test_has_the_size_on_the_wire_when_nobody_knows_the_decoded_one(self) -> None:
        sent = gzip.compress(bytes(range(256)))
        headers = ((b"Content-Type", b"text/plain"), (b"Content-Encoding", b"gzip"))
        content = answered(sent, *headers, limit=30)["content"]
        assert content["size"] == len(sent)
        assert "compression" not in content
        assert content["comment"].startswith("the size after decoding is not known")

    def test_has_a_binary_body_as_base64(self) -> None:
        content = answered(b"\x89PNG\xff", (b"Content-Type", b"image/png"))["content"]
        assert content["encoding"] == "base64"
        assert base64.b64decode(content["text"]) == b"\x89PNG\xff"

    def test_has_no_text_when_nothing_was_kept(self) -> None:
        content = answered(b"hello", limit=0)["content"]
        assert content == {"size": 5, "mimeType": "text/plain"}

    def test_has_text_that_is_unicode(self) -> None:
        headers = (b"Content-Type", b"text/plain; charset=latin-1")
        assert answered(b"k\xf6ln", headers)["content"]["text"] == "k\u00f6ln"
        headers = (b"Content-Type", b"text/plain")
        assert answered(b"k\xf6ln", headers)["content"]["text"] == "k\ufffdln"
        # A file name that is not UTF-8 has halves of surrogate pairs.
        error = entry(error="OSError: k\udcf6ln, \ud83d\ude00")["response"]["_error"]
        assert error == "OSError: k\ufffdln, \U0001f600"

    def test_has_its_cookies(self) -> None:
        expires = b"Expires=Wed, 21 Oct 2026 07:28:00 GMT"
        first = (
            b"a=1; Path=/x; Domain=example.com; " + expires + b"; Secure; HttpOnly; SameSite=Lax"
        )
        cookies = answered(b"", *[(b"Set-Cookie", value) for value in (first, b"b=2", b"")])[
            "cookies"
        ]
        assert [cookie.pop("name") for cookie in cookies] == ["a", "b", ""]
        assert [cookie.pop("value") is not None for cookie in cookies] == [True] * 3
        assert cookies == [
            {
                "path": "/x",
                "domain": "example.com",
                "expires": "2026-10-21T07:28:00.000Z",
                "secure": True,
                "httpOnly": True,
            },
            {},
            {},
        ]

    @pytest.mark.parametrize("when", ["tomorrow", "Wed, 99 Oct 2026 07:28:00 GMT", ""])
    def test_leaves_out_when_a_cookie_expires_if_nobody_can_read_it(self, when: str) -> None:
        (cookie,) = answered(b"", (b"Set-Cookie", f"a=1; Expires={when}".encode()))["cookies"]
        assert "expires" not in cookie


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("127.0.0.1:80", {"serverIPAddress": "127.0.0.1", "connection": "80"}),
        ("[::1]:443", {"serverIPAddress": "::1", "connection": "443"}),
        ("[fe80::1%eth0]:443", {"serverIPAddress": "fe80::1", "connection": "443"}),
        ("/run/server.sock", {"_serverAddress": "/run/server.sock"}),
        ("", {"_serverAddress": ""}),
    ],
)
def test_an_address_is_an_ip_address_or_our_own(address: str, shown: dict[str, str]) -> None:
    names = {"serverIPAddress", "connection", "_serverAddress"}
    found = entry(server_address=address)
    assert {name: found[name] for name in names & found.keys()} == shown


def test_attempts_are_told() -> None:
    attempts = (Attempt(503, 1.5), Attempt(httpx.ConnectError("refused"), 0.25))
    assert entry(status=200, attempts=attempts)["_attempts"] == [
        {"outcome": 503, "waited": 1500},
        {"outcome": "ConnectError: refused", "waited": 250},
    ]


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"Cookie", b"Set-Cookie", b"Location", b"Content-Type", b"X"]),
        st.binary(max_size=40)
        | st.sampled_from(
            [
                b"text/html; charset=utf-16",
                b"application/json",
                b"application/x-www-form-urlencoded",
                b"multipart/form-data; boundary=x",
                b"a=1; expires=0; path; =;",
            ]
        ),
    )
    | st.tuples(st.just(b"Content-Encoding"), st.sampled_from([b"gzip", b"br", b"identity", b"?"])),
    max_size=4,
)
BODIES = st.builds(
    captured,
    st.binary(max_size=200)
    | st.text().map(str.encode)
    | st.binary().map(gzip.compress)
    | st.builds(
        b'--x\r\nContent-Disposition: name="%s"\r\n\r\n%s\r\n--x--'.__mod__,
        st.tuples(*[st.binary()] * 2),
    ),
    st.integers(0, 100),
    is_ended=st.booleans(),
)
TIMES = st.floats(0, 1e6)


@given(
    st.builds(
        record,
        method=st.sampled_from(["GET", "POST"]),
        url=st.text().map(lambda text: httpx.URL("https://example.com/", params={"q": text})),
        request_headers=HEADERS,
        response_headers=HEADERS,
        sent=BODIES,
        received=BODIES,
        started_at=st.floats(0, 4e9),
        started=TIMES,
        ended=TIMES,
        head=st.none() | TIMES,
        status=st.none() | st.integers(100, 999),
        reason=st.text(),
        error=st.none() | st.text(st.characters(exclude_categories=())),
        http_version=st.sampled_from([None, "HTTP/1.1", "HTTP/2"]),
        server_address=st.none() | st.text(),
        attempts=st.just(()) | st.tuples(st.builds(Attempt, st.integers(400, 599), st.floats())),
    )
)
def test_no_exchange_makes_a_file_that_cannot_be_read(record: Record) -> None:
    exchange = Exchange(record)
    shown = check(exchange)
    check(exchange.unmasked)
    assert shown["request"]["bodySize"] == record.sent.size
    assert shown["response"]["bodySize"] == record.received.size
    assert shown["response"]["status"] == (record.status or 0)


def test_the_target_that_was_given_is_told() -> None:
    assert entry(target=b"*")["request"]["url"].endswith("/*")
    shown = entry(target=b"/b?token=tiger&c=d")["request"]
    assert shown["url"].endswith("/b?token=****&c=d")
    assert [each["name"] for each in shown["queryString"]] == ["token", "c"]
