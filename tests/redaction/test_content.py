"""Media types, charsets and multipart bodies, read."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transportkit.redaction.content import (
    charset_of,
    has_byte_order_mark,
    headers_of,
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
        (b"a", "text/plain; charset=no-such", "utf-8"),
        (b"a", "text/plain; charset=base64", "utf-8"),
        (b"a", "text/plain; charset=\0", "utf-8"),
        (b"a", "text/plain; charset=utf-16", "utf-16-be"),
        (b"a", "text/plain; charset=UTF-16LE", "utf-16-le"),
        (codecs.BOM_UTF16_LE, "text/plain; charset=latin1", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "", "utf-32-le"),
        (codecs.BOM_UTF32_BE, "", "utf-32-be"),
        (codecs.BOM_UTF8, "", "utf-8"),
    ],
)
def test_a_charset_is_marked_or_declared_or_utf_8(
    content: bytes, content_type: str, charset: str
) -> None:
    assert charset_of(content, content_type) == charset
    assert has_byte_order_mark(content) is (content != codecs.BOM_UTF8 and len(content) > 1)


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
