"""`Redaction`: its settings; masking twice changes nothing; no text takes longer than its length."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hostile import RUNS, mask_everywhere, steps
from support.library import httpx
from support.transportkit import (
    DebuggingTransport,
    RedactingFilter,
    Redaction,
    RetryPolicy,
    sticky_by_header,
)

from transportkit.redaction.text import settled

REDACTION = Redaction()
SECRET = "tiger"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


def up_to(examples: int) -> settings:
    """More examples than elsewhere, where all of it is run."""
    usual = settings().max_examples
    return settings(max_examples=examples if usual >= 100 else usual)


class TestSettings:
    def test_mask_more_names(self) -> None:
        redaction = Redaction(mask=["tenant", "X-Customer-Id", "contraseña"])
        for name in ("tenant", "Tenant_ID", "x-tenant", "x_customer_id", "xCustomerId"):
            assert redaction.is_secret(name)
            assert redaction.header(name, "tiger") == "****"
        assert not redaction.is_secret("customer")
        assert redaction.is_secret("token")
        body = redaction.body("contraseña=tiger&a=1".encode(), "application/x-www-form-urlencoded")
        assert body.decode() == "contraseña=****&a=1"

    def test_show_names_that_would_be_masked(self) -> None:
        redaction = Redaction(show=["Page-Token", "Authorization", "theme"])
        assert redaction.url("/?page_token=7&token=8") == "/?page_token=7&token=****"
        assert redaction.header("authorization", "Bearer tiger") == "Bearer tiger"
        assert redaction.header("Proxy-Authorization", "Bearer tiger") == "Bearer ****"
        assert redaction.header("Cookie", "theme=dark; sid=1") == "theme=dark; sid=****"
        text = "Authorization: Bearer ghp_0123456789abcdefghij"
        assert redaction.text(text) == text
        assert redaction.text("pageToken=1 token=2") == "pageToken=1 token=****"
        json = b'{"page_token": "sk-0123456789abcdef0", "secrets": {"page_token": [1], "b": 2}}'
        assert redaction.body(json, "application/json") == json.replace(b"2}", b'"****"}')
        part = b'--B\r\nContent-Disposition: form-data; name="page_token"\r\n\r\ntoken=1\r\n--B--'
        assert redaction.body(part, "multipart/form-data; boundary=B") == part

    def test_that_show_beat_those_that_mask_a_part(self) -> None:
        redaction = Redaction(mask=["tenant"], show=["tenant_name"])
        assert [redaction.is_secret(name) for name in ("tenant-name", "tenant-id")] == [False, True]

    @pytest.mark.parametrize("argument", ["mask", "show"])
    def test_that_are_wrong_are_refused_by_name(self, argument: str) -> None:
        with pytest.raises(
            TypeError, match=rf"^{argument} takes several names: write {argument}=\('a"
        ):
            Redaction(**{argument: "abc"})
        for none in (None, 5):
            with pytest.raises(
                TypeError,
                match=rf"^{argument} must be names, not {none}: write {argument}=\['X-Tenant'\]$",
            ):
                Redaction(**{argument: none})  # type: ignore[arg-type]
        for wrong in (b"abc", ["abc"]):
            kind = type(wrong).__name__
            with pytest.raises(TypeError, match=f"^{argument}: a name is a string, not {kind}$"):
                Redaction(**{argument: [wrong]})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=f"^{argument}: '--' is not a name"):
            Redaction(**{argument: ["--"]})

    def test_that_are_wrong_are_echoed_without_secrets(self) -> None:
        wrong: Any = "https://scott:tiger@example.com/"
        for refused in (
            lambda: Redaction(mask=wrong),
            lambda: RedactingFilter(wrong),
            lambda: RetryPolicy(methods=wrong),
            lambda: DebuggingTransport(bodies=wrong),
            lambda: DebuggingTransport(redaction=wrong),
            lambda: sticky_by_header(wrong),
        ):
            with pytest.raises((TypeError, ValueError)) as raised:
                refused()
            assert "tiger" not in str(raised.value)
            assert "****" in str(raised.value)

    def test_that_contradict_each_other_are_refused(self) -> None:
        with pytest.raises(
            ValueError, match=r"^'a b' is in mask and in show: leave it out of one$"
        ):
            Redaction(mask=["a_b"], show=["A-B"])

    def test_that_are_the_same_are_equal(self) -> None:
        assert Redaction() == REDACTION
        assert hash(Redaction()) == hash(REDACTION)
        one, other = Redaction(["a", "b"], iter(["c"])), Redaction(("b", "a"), {"c"})
        assert (one, hash(one)) == (other, hash(other))
        assert one != REDACTION

    def test_do_not_change(self) -> None:
        with pytest.raises(FrozenInstanceError):
            REDACTION.mask = ("a",)  # type: ignore[misc]


class TestAProxy:
    @pytest.mark.parametrize(
        ("given_proxy", "shown"),
        [
            (httpx.Proxy("http://h:8080"), "http://h:8080"),
            (httpx.Proxy("http://scott:tiger@h:8080"), "http://****@h:8080"),
            (httpx.Proxy("http://scott@h:8080"), "http://****@h:8080"),
            (httpx.Proxy("http://h:8080", auth=("scott", "tiger")), "http://****@h:8080"),
            (httpx.Proxy("socks5://scott:tiger@[::1]"), "socks5://****@[::1]"),
            (httpx.Proxy("http://h", headers={"Proxy-Authorization": "tiger"}), "http://h"),
            (httpx.Proxy("http://h/?token=tiger"), "http://h/?token=****"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_is_shown_without_its_credentials(self, given_proxy: httpx.Proxy, shown: str) -> None:
        assert REDACTION.proxy(given_proxy) == shown

    @given(user=st.text(), password=st.text())
    def test_never_shows_its_credentials(self, user: str, password: str) -> None:
        proxy = httpx.Proxy("http://h:8080", auth=(user, password + SECRET))
        assert REDACTION.proxy(proxy) == "http://****@h:8080"


PIECES = st.sampled_from(
    [
        *("token", "page", "Cookie", "Authorization", "Bearer ", "Basic ", "tiger", "****", "code"),
        *("http://", "//", "u:p@h", "@", "/", "?", "&", ";", "#", "=", ":", ": ", ", ", " ", "\n"),
        *('"', "'", "\\", '\\"', "(", ")", "[", "]", "{", "}", "<", ">", "b'", "\r\n", "\\r\\n"),
        *("%3D", "%40", "%253D", "%22", "%", "eyJhbGciOiJI", "<token>", "--B", "name=", "é", "1"),
    ]
)
HOSTILE = st.lists(PIECES, max_size=14).map("".join)


class TestWhatWasMasked:
    @up_to(1000)
    @given(HOSTILE)
    def test_stays_as_it_is_in_text(self, text: str) -> None:
        shown = REDACTION.text(text)
        assert REDACTION.text(shown) == shown

    @up_to(500)
    @given(HOSTILE)
    def test_stays_as_it_is_in_urls(self, text: str) -> None:
        shown = REDACTION.url(text)
        assert REDACTION.url(shown) == shown

    @up_to(500)
    @given(HOSTILE, st.sampled_from([JSON, FORM, MULTIPART, "text/plain", ""]))
    def test_stays_as_it_is_in_bodies(self, text: str, content_type: str) -> None:
        shown = REDACTION.body(text.encode(), content_type)
        assert REDACTION.body(shown, content_type) == shown

    @given(HOSTILE, st.sampled_from(["Location", "Set-Cookie", "Cookie", "Authorization", "X"]))
    def test_stays_as_it_is_in_headers(self, text: str, name: str) -> None:
        shown = REDACTION.header(name, text)
        assert REDACTION.header(name, shown) == shown


def test_what_never_settles_is_not_waited_for() -> None:
    assert settled("a", lambda text: text + "a") == "a" * 9


@pytest.mark.parametrize("size", [100, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("run", RUNS)
def test_the_steps_grow_with_the_length_whatever_it_is(run: str, size: int) -> None:
    # Those within a regular expression cannot be counted: tests/benchmarks/redaction.py has them.
    mask_everywhere(run, 10)  # Compiles what was not compiled before.
    few, many = (steps(mask_everywhere, run, length) for length in (size, 4 * size))
    # What tries again at every place takes 16 times as many.
    assert many < 8 * few


@pytest.mark.parametrize("size", [10_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_long_text_is_masked_to_its_end(size: int) -> None:
    text = "".join(run * (size // len(RUNS) // len(run)) for run in RUNS)
    assert "tiger" not in REDACTION.text(f"{text} token=tiger")
