"""HTTP-dates, in each of their three forms."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transportkit.files.dates import http_date, parse_http_date

MODIFIED = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
NOW = 1_700_000_000.5


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (DATE, MODIFIED),
        (f" {DATE}\t", MODIFIED),
        ("Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED),
        ("Sun Nov  6 08:49:37 1994", MODIFIED),
        ("Sun Nov 06 08:49:37 1994", MODIFIED),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228799),
        # 5.6.7: two digits are at most 50 years ahead of 2023.
        ("Sunday, 06-Nov-73 08:49:37 GMT", 3277183777),
        ("Tuesday, 06-Nov-74 08:49:37 GMT", 152959777),
        ("sun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37", None),
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 24:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:61 GMT", None),
        ("Wed, 30 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("Sun, \u06606 Nov 1994 08:49:37 GMT", None),
        ("", None),
    ],
)
def test_http_dates(text: str, seconds: int | None) -> None:
    assert parse_http_date(text, NOW) == seconds


@given(st.text(max_size=60))
@example("Sunday, 06-Nov-00 08:49:37 GMT")
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert parse_http_date(text, NOW) in (None, parse_http_date(f" {text} ", NOW))


@given(st.integers(-62135596800, 253402300799))
def test_a_date_that_is_written_is_read_again(seconds: int) -> None:
    written = http_date(seconds)
    assert written is not None
    assert parse_http_date(written, NOW) == seconds
