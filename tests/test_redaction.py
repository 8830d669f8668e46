"""No secret leaves, and nothing harmless is lost with it."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transportkit._redaction import REDACTION, Redaction

SECRET = "tiger"


@pytest.mark.parametrize("kind", [str, httpx.URL])
class TestAURL:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("http://scott:tiger@example.com/a", "http://****@example.com/a"),
            ("http://scott@example.com/", "http://****@example.com/"),
            ("http://:tiger@example.com/", "http://****@example.com/"),
            ("http://scott:@example.com/", "http://****@example.com/"),
            ("http://p@p.example/p", "http://****@p.example/p"),
            ("http://example.com:example.com@example.com/", "http://****@example.com/"),
            ("http://sc%40tt:ti%2Fger@example.com:8080/", "http://****@example.com:8080/"),
            ("socks5://scott:tiger@[::1]:1080", "socks5://****@[::1]:1080"),
            ("wss://scott:tiger@example.com/chat", "wss://****@example.com/chat"),
        ],
    )
    def test_is_shown_without_its_userinfo(
        self, kind: type[str] | type[httpx.URL], url: str, shown: str
    ) -> None:
        assert REDACTION.url(kind(url)) == shown

    @pytest.mark.parametrize(
        "name",
        [
            *("key", "api_key", "apikey", "API-KEY", "X-Amz-Key", "keys[]"),
            *("token", "access_token", "csrfToken", "refresh-token"),
            *("secret", "client_secret", "passw", "password", "passwd", "passphrase", "pwd"),
            *("session", "sessionid", "PHPSESSIONID", "signature", "X-Amz-Signature"),
            *("sig", "SIG", "auth", "oauth_verifier", "Authorization"),
            *("credential", "X-Amz-Credential"),
        ],
    )
    def test_is_shown_without_the_values_of_secret_names(
        self, kind: type[str] | type[httpx.URL], name: str
    ) -> None:
        url = f"http://example.com/a?page=2&{name}=tiger&q=x"
        shown = REDACTION.url(kind(url))
        assert shown == str(kind(url)).replace("tiger", "****")
        assert "tiger" not in shown

    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("token=tiger", "token=****"),
            ("token=tiger&token=lion", "token=****&token=****"),
            ("token=", "token=****"),
            ("token=ti=ger==", "token=****"),
            ("token=ti?ger", "token=****"),
            ("page=2;token=tiger", "page=2;token=****"),
            ("a=1?token=2", "a=1?token=2"),
            ("token", "token"),
        ],
    )
    def test_is_cut_where_a_value_begins_and_ends(
        self, kind: type[str] | type[httpx.URL], query: str, shown: str
    ) -> None:
        assert REDACTION.url(kind(f"http://h/?{query}#top")) == f"http://h/?{shown}#top"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/",
            "http://example.com",
            "http://example.com/",
            "https://example.com:8443/a%2Fb/~scott;v=1?page=2&q=a%20b#top",
            "http://[fe80::1]:8080/",
            "http://example.com/token=tiger/key=1",
            "http://example.com/?page=token&q=password",
            "http://example.com/?design=1&sigma=2&insight=3&pass=4",
            "http://example.com/?page=2#key=1",
            "http://example.com/?&&=&a&b=",
            "file:/etc/hosts",
            "relative/path?page=2",
        ],
    )
    def test_without_secrets_stays_as_it_was(
        self, kind: type[str] | type[httpx.URL], url: str
    ) -> None:
        assert REDACTION.url(kind(url)) == url

    def test_with_secrets_in_both_places_loses_both(
        self, kind: type[str] | type[httpx.URL]
    ) -> None:
        url = kind("http://scott:tiger@example.com/?token=lion")
        assert REDACTION.url(url) == "http://****@example.com/?token=****"

    def test_that_was_shown_can_be_shown_again(self, kind: type[str] | type[httpx.URL]) -> None:
        shown = REDACTION.url(kind("http://scott:tiger@example.com/?token=lion"))
        assert REDACTION.url(kind(shown)) == shown

    def test_loses_a_value_with_a_semicolon_whole(self, kind: type[str] | type[httpx.URL]) -> None:
        assert "lion" not in REDACTION.url(kind("http://h/?token=tiger;lion"))


def test_an_at_sign_behind_the_host_of_a_parsed_url_is_no_userinfo() -> None:
    url = "https://example.com/@scott?mail=scott@example.com"
    assert REDACTION.url(httpx.URL(url)) == url


class TestTextThatIsNoURL:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("scott:tiger@proxy.example:8080", "****@proxy.example:8080"),
            ("http://scott:ti/ger@proxy.example", "http://****@proxy.example"),
            ("http://scott:ti?ger@proxy.example", "http://****@proxy.example"),
            ("http://scott:ti#ger@proxy.example", "http://****@proxy.example"),
            ("http://scott:ti@ger@proxy.example", "http://****@proxy.example"),
            ("http://scott:tiger@proxy.example:port", "http://****@proxy.example:port"),
            ("http://scott:a://tiger@proxy.example", "http://****@proxy.example"),
            ("scott:a://tiger@proxy.example", "****@proxy.example"),
            ("://scott:tiger@proxy.example", "****@proxy.example"),
            ("1://scott:tiger@proxy.example", "****@proxy.example"),
            ("http:scott:tiger@proxy.example", "****@proxy.example"),
            ("http://scott:tiger@", "http://****@"),
            ("http://scott:\ntiger@h", "http://****@h"),
            ("@", "****@"),
        ],
    )
    def test_is_masked_up_to_its_last_at_sign(self, text: str, shown: str) -> None:
        assert REDACTION.url(text) == shown

    @pytest.mark.parametrize("text", ["proxy.example:8080", "http://[::1", "::", "no URL at all"])
    def test_without_an_at_sign_stays_as_it_was(self, text: str) -> None:
        assert REDACTION.url(text) == text

    def test_loses_the_values_of_secret_names_too(self) -> None:
        assert REDACTION.url("http://h:port/?token=tiger&a=b") == "http://h:port/?token=****&a=b"


class TestUserinfoNeverSurvives:
    @given(before=st.text(), after=st.text(), rest=st.text())
    def test_in_any_text(self, before: str, after: str, rest: str) -> None:
        shown = REDACTION.url(f"http://{before}{SECRET}{after}@{rest}")
        assert SECRET not in shown.removesuffix(rest)
        assert shown.startswith("http://****@")

    @given(user=st.text(), password=st.text(), path=st.text(alphabet="ab/@:%.~ "))
    def test_in_a_parsed_url(self, user: str, password: str, path: str) -> None:
        url = httpx.URL("http://h/?page=2", path=f"/{path}")
        secret = url.copy_with(username=user + SECRET, password=SECRET + password)
        assert SECRET in str(secret)
        assert REDACTION.url(secret) == str(url).replace("//h", "//****@h", 1)


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


def test_two_of_the_same_settings_are_equal() -> None:
    assert Redaction() == REDACTION
    assert hash(Redaction()) == hash(REDACTION)
