"""Cookie and Set-Cookie headers, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transportkit.redaction.cookies import cookie_parts


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("a=1; b=2", [("a", "1"), ("b", "2")]),
        (" a = 1 ;b==2", [("a", "1"), ("b", "=2")]),
        ("a=1; Secure;", [("a", "1"), ("Secure", ""), ("", "")]),
        ("a=1, 2", [("a", "1, 2")]),
        ("a=1, b=2", [("a", "1"), ("b", "2")]),
        (
            "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b=2",
            [("a", "1"), ("Expires", "Wed, 21 Oct 2026 07:28:00 GMT"), ("b", "2")],
        ),
        ("", [("", "")]),
    ],
)
def test_a_header_is_taken_apart_where_a_cookie_or_attribute_begins(
    header: str, parts: list[tuple[str, str]]
) -> None:
    assert [(part.name, part.value) for part in cookie_parts(header)] == parts


def test_a_cookie_begins_at_the_start_and_after_a_comma() -> None:
    found = cookie_parts("Path=1; Path=/, version=2; Version=3")
    assert [part.begins_cookie for part in found] == [True, False, True, False]


@given(st.text(alphabet="a=;, \t") | st.text())
def test_the_parts_are_all_of_the_header(header: str) -> None:
    assert "".join(part.separator + part.text for part in cookie_parts(header)) == header
