"""Media types, charsets and multipart bodies, read."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transportkit.redaction.content import (
    decoded,
    headers_of,
    is_json,
    is_like_json,
    media_type,
    parameters,
    part_of,
    split_multipart,
)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("text/html", {}),
        ("text/html; Charset=UTF-8", {"charset": "UTF-8"}),
        ('form-data; name="a\\"b"; filename=c', {"name": 'a"b', "filename": "c"}),
        ('form-data ; name = "a;b"', {"name": "a;b"}),
        ('form-data; name="truncat', {"name": "truncat"}),
        ("form-data; filename*=UTF-8''a", {"filename*": "UTF-8''a"}),
    ],
)
def test_parameters_are_found_by_name(header: str, found: dict[str, str]) -> None:
    assert parameters(header) == found


def test_a_media_type_has_no_parameters() -> None:
    assert media_type(" Text/HTML ; charset=utf-8") == "text/html"
    assert media_type("") == ""


@pytest.mark.parametrize(
    ("content", "content_type", "charset"),
    [
        (b"", "", "utf-8"),
        (b"a", "text/plain; charset=latin1", "iso8859-1"),
        (b"a", "text/plain; charset=windows-1252", "cp1252"),
        (b"a", "text/plain; charset=Shift_JIS", "shift_jis"),
        (b"a", "text/plain; charset=no-such", "utf-8"),
        (b"a", "text/plain; charset=base64", "utf-8"),
        (b"a", "text/plain; charset=punycode", "utf-8"),
        (b"a", "text/plain; charset=utf-7", "utf-8"),
        (b"a", "text/plain; charset=\0", "utf-8"),
        (b"a\0", "text/plain; charset=utf-16", "utf-16-be"),
        (b"a\0", "text/plain; charset=UTF-16LE", "utf-16-le"),
        (b"a", "text/plain; charset=UTF-16LE", "utf-8"),
        (b"\0", "text/plain; charset=utf-16", "utf-16-be"),
        (codecs.BOM_UTF16_LE, "text/plain; charset=latin1", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "", "utf-32-le"),
        (codecs.BOM_UTF32_BE, "", "utf-32-be"),
        (codecs.BOM_UTF8, "", "utf-8"),
        *(('{"a": 1}'.encode(each), "", each) for each in ("utf-16-le", "utf-16-be")),
        *(('{"a": 1}'.encode(each), "a/b", each) for each in ("utf-32-le", "utf-32-be")),
        ("[]".encode("utf-16-le"), 'application/json; profile=";charset=utf-8"', "utf-16-le"),
        (b"\xff\x00\xff\x00", "text/plain; charset=utf-32", "utf-8"),
    ],
)
def test_a_charset_is_marked_or_declared_or_seen_or_utf_8(
    content: bytes, content_type: str, charset: str
) -> None:
    text = decoded(content, content_type)
    assert text is not None
    assert text.charset == charset
    assert text.encoded(text.text) == content[: len(text.encoded(text.text))]


@pytest.mark.parametrize(
    ("content", "content_type", "is_readable"),
    [
        (b"<svg/>", "image/svg+xml", True),
        (b"<x/>", "image/x+xml", True),
        (b"text", "application/octet-stream", False),
        (b"a\0b", "text/plain", False),
        (b"a\0b", "text/plain; charset=latin-1", True),
        (b"a\0b", "", None),
        (b"\xff", "", None),
        (b"\xff", "application/x; charset=utf-8", True),
        (b"GIF89a", "image/gif", None),
        (b"text", "image/svg", None),
        (b"\x1f\x8b{}", "application/json", None),
    ],
)
def test_a_body_is_text_or_binary(
    content: bytes, content_type: str, is_readable: bool | None
) -> None:
    text = decoded(content, content_type)
    assert (text and text.is_readable) == is_readable


def test_json_is_known_by_its_type_or_beginning() -> None:
    types = ("application/json", "application/problem+json", "text/x-json", "application/x-ndjson")
    assert all(map(is_json, types))
    assert not any(map(is_json, ("text/plain", "application/jsonp", "application/x-json5")))
    assert [is_like_json(text) for text in ("\ufeff {", "[", "a{", "")] == [
        True,
        True,
        False,
        False,
    ]


class TestAMultipartBody:
    BODY = (
        b"before\r\n--B\r\nContent-Disposition: form-data;\r\n name=a\r\nX: 1\r\n\r\none\r\n"
        b"--B\r\n\r\ntwo\r\n--B--\r\nafter"
    )

    @pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=B"])
    def test_is_taken_apart(self, content_type: str) -> None:
        first, _, one, _, two, _, last = split_multipart(self.BODY, content_type)
        assert (first, last) == (b"before", b"after")
        part = part_of(one)
        assert part.content == b"one"
        headers = headers_of(part.lines)
        assert headers == {"content-disposition": "form-data;\r\n name=a", "x": "1"}
        assert parameters(headers["content-disposition"]) == {"name": "a"}
        assert part_of(two) == (b"", b"", b"\r\ntwo")
        assert part_of(b"X: 1") == (b"X: 1", b"", b"")

    def test_may_tell_its_boundary_by_its_beginning(self) -> None:
        content = b"--B\r\n\r\none\r\n--B--"
        assert split_multipart(content, "multipart/mixed")[2] == b"\r\none"
        assert split_multipart(b"no boundary", "multipart/mixed") == []

    @given(st.binary() | st.lists(st.sampled_from([b"--B", b"\r\n", b"--", b"a: b"])).map(b"".join))
    def test_is_all_there_in_its_pieces(self, content: bytes) -> None:
        pieces = split_multipart(content, "multipart/mixed; boundary=B")
        assert b"".join(pieces) == content
        for piece in pieces:
            assert b"".join(part_of(piece)) == piece
            assert "".join(part_of(piece).lines).encode("utf-8", "surrogateescape") == (
                part_of(piece).head
            )
