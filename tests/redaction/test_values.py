"""The values of secret names, as far as they may be shown."""

import pytest
from support.transportkit import Redaction

REDACTION = Redaction()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("path=tiger; Path=/; Secure", "path=****; Path=/; Secure"),
        ("a=tiger; Path=/, version=tiger; Version=1", "a=****; Path=/, version=****; Version=1"),
        ("a=tiger; Expires=Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_a_cookie_called_like_an_attribute_is_a_cookie(value: str, shown: str | None) -> None:
    expected = value.replace("tiger", "****") if shown is None else shown
    assert REDACTION.header("Set-Cookie", value) == expected
