"""What looks like a secret wherever it stands, and what only resembles it."""

import pytest

from transportkit.redaction.tokens import mask_tokens, mask_torn


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "https://hooks.slack.com/services/T0001/B0001/q7Zt3LmX9vKc",
            "https://hooks.slack.com/services/T0001/B0001/****",
        ),
        (
            "https://discord.com/api/webhooks/223704706495545344/3d89bb7572e0?wait=true",
            "https://discord.com/api/webhooks/223704706495545344/****?wait=true",
        ),
        ("https://api.example/repos/o/r/hooks/12345678/deliveries", None),
        (
            "https://mainnet.infura.io/v3/0123456789abcdef0123456789abcdef",
            "https://mainnet.infura.io/v3/****",
        ),
        ("https://docs.infura.io/v3/getting-started", None),
        ("risk-free-and-long-word, monkey-0123456789abcdef0123456789abcdef", None),
        ("a.eyJhbGciOiJI", "a.eyJ****"),
        ("hvs.CAESIJ1qVzT0123456789 and glsa_0123456789abcdef", "hvs.**** and glsa_****"),
        ("Negotiate", None),
        ("", None),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str | None) -> None:
    expected = text if shown is None else shown
    assert mask_tokens(text) == expected
    assert mask_tokens(expected) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("id sk-", "id sk-"),
        ("id sk-0", "id sk-****"),
        ("eyJ.eyJ.eyJ", "eyJ****"),
        ("see http://scott:ti", "see http://****"),
        ("see http%3A%2F%2Fscott%3Ati", "see http%3A%2F%2F****"),
        ("see http://h:80", "see http://h:80"),
        ("", ""),
    ],
)
def test_what_is_torn_is_masked_too(text: str, shown: str) -> None:
    assert mask_torn(text) == shown
