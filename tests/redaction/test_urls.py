"""URLs, parsed or not: their userinfo and the values of secret names are masked."""

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import Redaction

REDACTION = Redaction()
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
            *("access_key", "api_key", "apikey", "API-KEY", "X-Secret-Key", "apikeys[]"),
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
            ("token=", "token="),
            ("token=ti=ger==", "token=****"),
            ("token=ti?ger", "token=****"),
            ("page=2;token=tiger", "page=2;token=****"),
            ("a=1?token=2", "a=1?token=****"),
            ("%74oken=tiger", "%74oken=****"),
            ("%2574oken=tiger", "%2574oken=****"),
            ("%252574oken=tiger", "%252574oken=****"),
            ("user[password]=tiger&page=2", "user[password]=****&page=2"),
            ("code=0123456789abcdef&state=1", "code=****&state=1"),
            ("code=404&country=de", "code=404&country=de"),
            ("next=https://u:p@h/?token=x&page=2", "next=https://****@h/?token=****&page=2"),
            ("next=/a?token=x&page=2", "next=/a?token=****&page=2"),
            ("a=https://h/&b=http://u:p@h/", "a=https://h/&b=http://****@h/"),
            ("a=http://u:p/w@h/&b=http://h:x/&c=1", "a=http://****@h/&b=http://h:x/&c=1"),
            ("a=http://b:http://c:d@h/", "a=http://****@h/"),
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
            "http://example.com/?page=token&q=password",
            "http://example.com/?design=1&sigma=2&insight=3&compass=4",
            "http://example.com/?keyword=1&author=2&monkey=3&keyboard=4&obsession=5&secretary=6",
            "http://example.com/@scope/name?a=@b",
            "http://example.com/?mail=scott@example.com",
            "http://example.com/?time=12%3A30&mail=scott%40example.com&x=%7B%22a%22%3A1%7D",
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


@pytest.mark.parametrize("kind", [str, httpx.URL])
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/a#access_token=tiger&page=2", "http://h/a#access_token=****&page=2"),
        ("http://h/#/login?token=tiger", "http://h/#/login?token=****"),
        ("http://h/a;jsessionid=tiger/b;v=1?c=2", "http://h/a;jsessionid=****/b;v=1?c=2"),
        ("http://h/token=tiger/page=1", "http://h/token=****/page=1"),
        ("http://h/verify/eyJhbGciOiJI.e30.x/now", "http://h/verify/eyJ****/now"),
        ("http://h/?q=ghp_0123456789abcdefghij&a=1", "http://h/?q=ghp_****&a=1"),
        ("https://h/services/T012345/B012345/x", "https://h/services/****"),
        ("https://h/bot0123456:x-y/getMe?a=1", "https://h/bot****/getMe?a=1"),
        (
            "http://h/?next=https%3A%2F%2Fu%3Ap%40h%2F%3Ftoken%3Dx%26page%3D2&q=1",
            "http://h/?next=https%3A%2F%2F****%40h%2F%3Ftoken%3D****%26page%3D2&q=1",
        ),
        ("http://h/?next=%2Flogin%253Ftoken%253Dtiger", "http://h/?next=%2Flogin%3Ftoken%3D****"),
        (
            "http://h/?f=%7B%22pin%22%3A%2212%22%7D&a=1",
            "http://h/?f=%7B%22pin%22%3A%22****%22%7D&a=1",
        ),
        ("//scott:tiger@h/?token=x", "//****@h/?token=****"),
        ("/login?token=tiger&page=2", "/login?token=****&page=2"),
    ],
)
def test_secrets_anywhere_in_a_url_are_masked(
    kind: type[str] | type[httpx.URL], url: str, shown: str
) -> None:
    # Text without a scheme is no URL but a proxy somebody wrote so.
    shown = shown.removeprefix("//") if kind is str and url.startswith("//s") else shown
    assert REDACTION.url(kind(url)).removeprefix("//" if kind is str else "") == shown


def test_what_is_percent_encoded_too_often_is_shown_to_nobody() -> None:
    url = "token=tiger"
    for _ in range(20):
        url = "a=" + quote(url, "")
    assert "tiger" not in REDACTION.url(f"http://h/?{url}&page=2")
    assert REDACTION.url(f"http://h/?{url}&page=2").endswith("&page=2")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h/@scott?mail=scott@example.com", None),
        ("https://cdn.example/react@18.2.0/index.js", None),
        ("https://u:p@h/react@18.2.0/a%40b", "https://****@h/react@18.2.0/a%40b"),
    ],
)
def test_an_at_sign_behind_the_host_of_a_parsed_url_is_no_userinfo(
    url: str, shown: str | None
) -> None:
    assert REDACTION.url(httpx.URL(url)) == (shown or url)


class TestTextThatIsNoURL:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("scott:tiger@proxy.example:8080", "****@proxy.example:8080"),
            ("scott:ti@ger@proxy.example:8080", "****@proxy.example:8080"),
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
            ("http://scott:12/tiger@h:80", "http://****@h:80"),
            ("http://scott:12?tiger@h:80", "http://****@h:80"),
            ("http://user:p@ss/word@host/", "http://****@host/"),
            ("http://scott:tiger@h/@scope/name", "http://****@h/@scope/name"),
            ("http://h/@scope/name", "http://h/@scope/name"),
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
        # These are the signs of a path and of a query.
        assume(not after.endswith("/") and "=" not in before + after)
        shown = REDACTION.url(f"http://{before}{SECRET}{after}@{rest}")
        assert SECRET not in shown.removesuffix(rest)
        assert shown.startswith("http://****@")

    @given(user=st.text(), password=st.text(), path=st.text(alphabet="ab/@:%.~ "))
    def test_in_a_parsed_url(self, user: str, password: str, path: str) -> None:
        assume("://" not in path)
        url = httpx.URL("http://h/?page=2", path=f"/{path}")
        secret = url.copy_with(username=user + SECRET, password=SECRET + password)
        assert SECRET in str(secret)
        assert REDACTION.url(secret) == str(url).replace("//h", "//****@h", 1)
