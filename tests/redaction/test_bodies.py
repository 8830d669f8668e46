"""Bodies: forms, JSON, multipart and text, in any charset, truncated anywhere."""

import pytest
from support.transportkit import Redaction

REDACTION = Redaction()
MASK = "****"
SECRET = "tiger"

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


def _parts(*parts: str) -> str:
    return "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n"


def _field(name: str, value: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}'


BODIES: list[tuple[str, str, str | None]] = [
    (FORM, "user=scott&password=tiger&a=1", "user=scott&password=****&a=1"),
    (FORM, "password=ti%67er+x%26&p%61ss=a&b", "password=****&p%61ss=****&b"),
    (FORM, "token=ti#ger?a=b&page=2", "token=****&page=2"),
    (FORM, "next=https%3A%2F%2Fu%3Ap%40h&q=a+b", "next=https%3A%2F%2F****%40h&q=a+b"),
    (FORM, "code=0123456789abcdef&page=2", "code=****&page=2"),
    # One secret has hidden another.
    (FORM, "Basic c2NvdHQ6dGlnZXI= password=tiger", "Basic **** password=****"),
    (FORM, "", None),
    (JSON, '{"a": [{"password": "x", "b": 1.50}]}', '{"a": [{"password": "****", "b": 1.50}]}'),
    (
        JSON,
        '{"secrets": ["a", 1, null, {"b": ["c"]}], "d": 2}',
        '{"secrets": ["****", "****", null, {"b": ["****"]}], "d": 2}',
    ),
    (
        JSON,
        '{"pin": 1234, "pass": true, "secret": null, "apiKey": -1e5}',
        '{"pin": "****", "pass": true, "secret": null, "apiKey": "****"}',
    ),
    (JSON, '{"max_tokens": 5, "token_type": "Bearer", "code": 404}', None),
    (JSON, '{"code": "0123456789abcdef"}', '{"code": "****"}'),
    (JSON, '{"a":"code", "b":["code", "0123456789abcdef"]}', None),
    (JSON, '{"\\u0070assword": "x", "é": "\\u00e9"}', '{"\\u0070assword": "****", "é": "\\u00e9"}'),
    (JSON, '{"a": "http:\\/\\/u:p@h\\/"}', '{"a": "http://****@h/"}'),
    (JSON, '{"a": "\\u00e9 Bearer x"}', '{"a": "\\u00e9 Bearer ****"}'),
    (JSON, '{"a": "\\ud800 Bearer x"}', '{"a": "\\ud800 Bearer ****"}'),
    (JSON, '{"a": "\\q Bearer x"}', '{"a": "\\q Bearer ****"}'),
    (JSON, '{"a": "{\\"password\\": \\"x\\"}"}', '{"a": "{\\"password\\": \\"****\\"}"}'),
    (
        JSON,
        '{"authorization": "Bearer x", "cookie": "a=b"}',
        '{"authorization": "Bearer ****", "cookie": "a=****"}',
    ),
    (
        JSON,
        '[{"name": "API_KEY", "value": "x"}, {"value": 1, "name": "pin"}]',
        '[{"name": "API_KEY", "value": "****"}, {"value": "****", "name": "pin"}]',
    ),
    (
        JSON,
        '{"name": "token", "value": ["x"], "b": 1}',
        '{"name": "token", "value": ["****"], "b": 1}',
    ),
    (JSON, '{"name": "page", "value": "2"}', None),
    (
        JSON,
        '[["Authorization", "Bearer x"], ["Page", "2"]]',
        '[["Authorization", "Bearer ****"], ["Page", "2"]]',
    ),
    (JSON, '["token", "page"]', None),
    (JSON, '{"required": ["password", "email"]}', None),
    (JSON, '{"title": "token", "b": "c"}', None),
    (JSON, '"Bearer x"', '"Bearer ****"'),
    (JSON, "12", None),
    (JSON, '}]},:"a', None),
    ("application/x-ndjson", '{"token": "x"}\n{"a": 1}\n', '{"token": "****"}\n{"a": 1}\n'),
    ("application/problem+json; charset=utf-8", '{"api_key": "x"}', '{"api_key": "****"}'),
    ("", '{"token": [1]}', '{"token": ["****"]}'),
    ("", "token=tiger a=1", "token=**** a=1"),
    ("application/octet-stream", "token=tiger a=1", "token=**** a=1"),
    ("text/plain", '{"token": "x"}', '{"token": "****"}'),
    ("text/xml", "<token>x</token>", "<token>****</token>"),
    ("application/soap+xml", "<token>x</token>", "<token>****</token>"),
    ("text/plain; charset=no-such", "token=x", "token=****"),
    (
        MULTIPART,
        _parts(_field("password", "tiger"), _field("page", "2")),
        _parts(_field("password", "****"), _field("page", "2")),
    ),
    (MULTIPART, _parts(_field("password", ""), _field("page", "")), None),
    (
        MULTIPART,
        _parts(_field("a", '{"token": "x"}', '; filename="f"\r\nContent-Type: application/json')),
        _parts(
            _field("a", '{"token": "****"}', '; filename="f"\r\nContent-Type: application/json')
        ),
    ),
    (
        MULTIPART,
        _parts("X-Token: tiger\r\nX-Page:\r\n\r\nlion"),
        _parts("X-Token: ****\r\nX-Page:\r\n\r\nlion"),
    ),
    (MULTIPART, _parts("\r\ntoken=x"), _parts("\r\ntoken=****")),
    (
        MULTIPART,
        '--B\r\nContent-Disposition: form-data; name="password"\r\n\r\ntiger\r\n--',
        '--B\r\nContent-Disposition: form-data; name="password"\r\n\r\n****',
    ),
    ("multipart/mixed", _parts(_field("password", "tiger")), _parts(_field("password", "****"))),
    ("multipart/mixed", "token=tiger", "token=****"),
    (
        'multipart/form-data; boundary="B"',
        _parts(_field("password", "tiger")),
        _parts(_field("password", "****")),
    ),
]


class TestABody:
    @pytest.mark.parametrize(("content_type", "body", "shown"), BODIES)
    def test_is_shown_without_its_secrets(
        self, content_type: str, body: str, shown: str | None
    ) -> None:
        expected = (body if shown is None else shown).encode()
        assert REDACTION.body(body.encode(), content_type) == expected
        assert REDACTION.body(expected, content_type) == expected

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("image/png", b"\x89PNG token=tiger"),
            ("application/octet-stream", b"\xff\xfe token=tiger"[1:]),
            ("application/x-protobuf", b"\x00token=tiger"),
            ("", b"\xfftoken=tiger"),
        ],
    )
    def test_that_is_binary_stays_as_it_is(self, content_type: str, body: bytes) -> None:
        assert REDACTION.body(body, content_type) == body

    @pytest.mark.parametrize("content_type", ["image/svg+xml", "image/svg+xml; charset=utf-8"])
    def test_that_is_an_image_written_as_text_is_masked(self, content_type: str) -> None:
        body = b'<svg><desc>token=tiger</desc><a href="https://scott:lion@h/?a=1"/></svg>'
        shown = b'<svg><desc>token=****</desc><a href="https://****@h/?a=1"/></svg>'
        assert REDACTION.body(body, content_type) == shown

    def test_keeps_the_binary_parts_of_a_multipart_body(self) -> None:
        noise = bytes(range(256)) * 4
        body = _parts(_field("password", "tiger"), _field("f", "NOISE", "; filename=f")).encode()
        shown = REDACTION.body(body.replace(b"NOISE", noise), MULTIPART)
        assert shown == body.replace(b"NOISE", noise).replace(b"tiger", b"****")

    def test_loses_a_secret_that_is_binary(self) -> None:
        body = _parts(_field("password", "X")).encode().replace(b"X", b"\xff\x00tiger")
        assert b"tiger" not in REDACTION.body(body, MULTIPART)

    @pytest.mark.parametrize("depth", range(1, 8))
    def test_is_masked_in_parts_of_parts(self, depth: int) -> None:
        body, content_type = "token=tiger", "text/plain"
        for number in range(depth):
            body = f"--B{number}\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n--B{number}--"
            content_type = f"multipart/mixed; boundary=B{number}"
        assert b"tiger" not in REDACTION.body(body.encode(), content_type)

    @pytest.mark.parametrize(
        "charset", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-8"]
    )
    def test_is_masked_in_any_charset(self, charset: str) -> None:
        shown = REDACTION.body(
            '{"token": "é", "ü": "ö"}'.encode(charset), f"{JSON}; charset={charset}"
        )
        assert shown.decode(charset) == '{"token": "****", "ü": "ö"}'

    @pytest.mark.parametrize("charset", ["utf-16", "utf-8-sig"])
    @pytest.mark.parametrize("content_type", [JSON, "", "text/plain"])
    def test_is_masked_with_a_byte_order_mark(self, charset: str, content_type: str) -> None:
        shown = REDACTION.body('{"token": "é"}'.encode(charset), content_type)
        assert shown.decode(charset) == '{"token": "****"}'

    def test_in_utf_16_without_a_mark_is_big_endian(self) -> None:
        shown = REDACTION.body("token=x".encode("utf-16-be"), "text/plain; charset=utf-16")
        assert shown.decode("utf-16-be") == "token=****"

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ('{"key":"password","value":"tiger"}', JSON),
            ('{"value":"tiger","Key":"password"}', JSON),
            ('{"value":"tiger","name":"password"}', JSON),
            ("{password: 'tiger'}", JSON),
            ("Error: password=tiger", JSON),
            ("[default]\naws_secret_access_key = tiger\n", ""),
            ('[db]\npassword = "tiger"', "application/toml"),
            ("[2026-01-01] GET http://scott:tiger@h/", ""),
            ("payload=%7B%22a%22%3A+1%2C+%22token%22%3A+%22tiger%22%7D", FORM),
            ("<p><password>a]tiger</password></p>", "text/xml"),
            ("<password><![CDATA[a<tiger]]></password>", "text/xml"),
            ("<password>\n <![CDATA[a]tiger]]></password>", "text/xml"),
            ("device_code=tigertigertigertiger&scope=a", FORM),
            ('{"device_code": "tigertigertigertiger"}', JSON),
            (
                '--b\r\nContent-Disposition: form-data;\r\n name="password"\r\n\r\ntiger\r\n--b--',
                "multipart/form-data; boundary=b",
            ),
            ("jdbc:sqlserver://h:1433;user=a;password=tiger;encrypt=true", "text/plain"),
        ],
    )
    def test_that_is_not_quite_what_it_seems_is_masked(self, body: str, content_type: str) -> None:
        shown = REDACTION.body(body.encode(), content_type).decode()
        assert SECRET not in shown
        assert MASK in shown
        assert REDACTION.body(shown.encode(), content_type).decode() == shown

    def test_in_a_form_keeps_its_spaces_and_plus_signs(self) -> None:
        body = b"payload=%7B%22token%22%3A+%22tiger%22%2C+%22page%22%3A+2%7D&more=a+b"
        shown = REDACTION.body(body, FORM)
        assert SECRET.encode() not in shown
        assert shown.endswith(b"%22page%22%3A+2%7D&more=a+b")

    def test_of_a_wrong_charset_is_masked_as_far_as_it_can_be_read(self) -> None:
        body = b"token=tiger \xff\xff\xff\xff\x00"
        shown = REDACTION.body(body, "text/plain; charset=utf-32")
        assert shown == body.replace(b"tiger", b"****")

    @pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-16", JSON])
    def test_keeps_bytes_that_are_no_text(self, content_type: str) -> None:
        shown = REDACTION.body(b'\xff {"a": "\xe9 Bearer x", "token": "\xe9"}', content_type)
        assert shown == b'\xff {"a": "\xe9 Bearer ****", "token": "****"}'

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (content_type, body)
            for content_type, body, _ in BODIES
            if SECRET in body and "octet" not in content_type
        ]
        + [
            (JSON, '{"a": 1, "password": "ti\\u0067er\\\\", "b": "http:\\/\\/u:tiger@h\\/"}'),
            (JSON, '{"authorization": "Bearer tiger", "b": "{\\"pin\\": \\"tiger\\"}"}'),
            ("", "GET http://scott:tiger@h/?token=tiger"),
            (FORM, "next=http%3A%2F%2Fscott%3Atiger%40h"),
            ("text/plain", "id sk-tiger0123456789abcdef, id AKIAQQQ0123456789ABC"),
        ],
    )
    @pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
    def test_shows_no_secret_wherever_it_is_cut_off(
        self, content_type: str, body: str, step: int
    ) -> None:
        # Letters that stand nowhere else.
        body = body.replace(SECRET, "QQQ").replace("ti\\u0067er", "Q\\u0067Q")
        for end in range(0, len(body), step):
            assert b"Q" not in REDACTION.body(body[:end].encode(), content_type)

    @pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-8-sig"])
    def test_of_any_charset_shows_no_secret_wherever_it_is_cut_off(self, charset: str) -> None:
        body = '{"a": "😀", "token": "QQQ"}'.encode(charset)
        for end in range(len(body)):
            shown = REDACTION.body(body[:end], f"text/plain; charset={charset}")
            assert "Q" not in shown.decode(charset, "replace")
