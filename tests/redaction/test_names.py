"""The names that are secret, and those that only look like it."""

import pytest
from support.transportkit import Redaction

from transportkit.redaction.names import Kind, Names

REDACTION = Redaction()


class TestANameIsSecret:
    @pytest.mark.parametrize(
        "name",
        [
            *(
                "key",
                "keys",
                "apiKey",
                "API_KEY",
                "apikey",
                "x-api-key2",
                "secretKey",
                "AccountKey",
            ),
            *("token", "tokens", "csrftoken", "accessToken", "XSRF-TOKEN", "id_token", "token1"),
            *("Password", "userPassword", "password_confirmation", "passwd", "pass", "PASS", "pw"),
            *("passphrase", "passCode", "pwd", "DB_PASSWORD", "client[secret]", "client.secret"),
            *("session", "sessions", "sessionId", "SESSIONID", "JSESSIONID", "PHPSESSID", "sess"),
            *("ASP.NET_SessionId", "connect.sid", "sessionToken"),
            *("auth", "oauth_verifier", "OAuth2", "Authorization", "Proxy-Authorization", "x-auth"),
            *("credential", "credentials", "creds", "signature", "sig", "X-Amz-Signature", "hmac"),
            *("cookie", "Set-Cookie", "jwt", "Bearer", "DPoP", "assertion", "SAMLResponse"),
            *("otp", "pin", "cvv", "csrf", "psk", "user password", "%74oken", "p%61ssword"),
            *("session_key_type_id", "keys[]", "filter[token]", "cache_key_secret"),
        ],
    )
    def test_for_one_of_its_words(self, name: str) -> None:
        assert REDACTION.is_secret(name)

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "",
                "page",
                "keyword",
                "author",
                "authority",
                "monkey",
                "keyboard",
                "turkey",
                "hockey",
            ),
            *("obsession", "possession", "secretary", "tokenizer", "signal", "design", "sigma"),
            *(
                "compass",
                "passenger",
                "bypass",
                "pinned",
                "opinion",
                "spin",
                "inside",
                "cookiecutter",
            ),
            *(
                "max_tokens",
                "totalTokens",
                "completion_tokens",
                "token_type",
                "tokenType",
                "authMethod",
            ),
            *("KeyError", "session-expires", "signature_version", "primary_key", "public-key"),
            *("Idempotency-Key", "sort_key", "cache_key", "Sec-WebSocket-Key", "--", "%"),
        ],
    )
    def test_for_nothing_that_only_looks_like_one(self, name: str) -> None:
        assert not REDACTION.is_secret(name)

    def test_however_many_there_are(self) -> None:
        names = Names((), ())
        assert not any(names.is_secret(f"a{number}") for number in range(5000))
        assert names.is_secret("token")

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            *(
                (name, Kind.ABOUT)
                for name in ("key_name", "token_type", "x-ratelimit-tokens-limit", "auth.py")
            ),
            *((name, Kind.OTHER) for name in ("page", "nextPageToken", "public_key", "bos_token")),
            *((name, Kind.OPAQUE) for name in ("key", "S3Key", "account_sid", "ticket")),
            *((name, Kind.CARD) for name in ("number", "card[number]", "pan")),
            *((name, Kind.CODE) for name in ("code", "device_code")),
            *((name, Kind.COUNTED) for name in ("tokens", "sessions", "pass", "assertions")),
            *((name, Kind.VALUE) for name in ("token", "sig", "pins", "mfa_code", "backupCodes")),
            *((name, Kind.SECRET) for name in ("consumerkey", "secretaccesskey", "passkey", "psk")),
        ],
    )
    def test_in_a_way_that_depends_on_its_words(self, name: str, kind: Kind) -> None:
        assert Names((), ()).kind(name) is kind
        assert Names((), (name,)).kind(name) is Kind.SHOWN
        assert Names((name,), ()).kind(name) is Kind.SECRET

    def test_however_long_it_is(self) -> None:
        assert REDACTION.is_secret("a-" * 1000 + "token")
        assert not REDACTION.is_secret("a-" * 1000 + "taken")
