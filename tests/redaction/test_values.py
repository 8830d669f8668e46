"""The values of secret names, as far as they may be shown."""

import pytest
from support.transportkit import Redaction

from transportkit.redaction.names import Names
from transportkit.redaction.values import is_secret_value

NAMES = Names((), ())

REDACTION = Redaction()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "key",
            ["q7Zt3LmX9vKc2RbW", "0123456789abcdef" * 2, "8e03978e-40d5-43e8-bc93-6894a57f9324"],
        ),
        ("sid", ["s%3AqX7Zt3LmX9vKc2RbW"]),
        ("number", ["4242424242424242", "4242 4242 4242 4242", "4222222222222"]),
        ("account_number", ["000123456789"]),
        ("code", ["SplxlOBeZQQYbYS6WxSbIA", "tigertigertigertiger"]),
        ("tokens", ["tiger"]),
        ("token", ["tiger", "7", "TIGER-1", "8xLOxBtZp8"]),
        ("password", ["TIGER", "correct horse battery", "1.2", "!!", " ", "2026-01-01"]),
        ("Authorization", ["", "the token is", "none"]),
    ],
)
def test_a_secret_is_masked(name: str, values: list[str]) -> None:
    for value in values:
        assert is_secret_value(NAMES.kind(name), name, value), value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "key",
            ["mit", "ED-1042", "photos/2026/cat.jpg", "a b" * 9, "2026-01-01T00:00:00Z", "1" * 20],
        ),
        ("sid", ["SM9f8e7d6c5b4a39281706f5e4d3c2b1a0"]),
        ("number", ["4242424242424243", "1347", "INV-1", "4" * 30]),
        ("account_number", ["12"]),
        ("code", ["404", "invalid_request_error", "a long text with spaces"]),
        ("tokens", ["1,024", "0.5"]),
        ("token", ["null", "****", "${TOKEN}", "{{ token }}", "<redacted>", "[FILTERED]", "Token"]),
        (
            "token",
            ["USDC_ETH", "LOGIN", "6m0s", "https://h/", "/run/token", "}", "read", "one two"],
        ),
        ("password", ["", "Password", "must not be blank", "^1.4.6", "0.7.1", "true", "$PASSWORD"]),
    ],
)
def test_what_surely_is_something_else_is_shown(name: str, values: list[str]) -> None:
    for value in values:
        assert not is_secret_value(NAMES.kind(name), name, value), value


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
