"""No secret leaves, nothing harmless is lost with it, and no text takes longer than its length."""

import json
from dataclasses import FrozenInstanceError
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.hostile import RUNS, mask_everywhere, steps
from support.library import httpx
from support.transportkit import Redaction

from transportkit.redaction.redaction import _masked_repeatedly

REDACTION = Redaction()
MASK = "****"
SECRET = "tiger"


def up_to(examples: int) -> settings:
    """More examples than elsewhere, where all of it is run."""
    usual = settings().max_examples
    return settings(max_examples=examples if usual >= 100 else usual)


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
            ("a=1?token=2", "a=1?token=****"),
            ("%74oken=tiger", "%74oken=****"),
            ("%2574oken=tiger", "%2574oken=****"),
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

    def test_however_long_it_is(self) -> None:
        assert REDACTION.is_secret("a-" * 1000 + "token")
        assert not REDACTION.is_secret("a-" * 1000 + "taken")


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
        json = b'{"page_token": "sk-0123456789abcdef0", "tokens": {"page_token": [1], "b": 2}}'
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


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer tiger", "Bearer ****"),
        ("authorization", "bearer tiger", "bearer ****"),
        ("Authorization", "Basic c2NvdHQ6dGlnZXI=", "Basic ****"),
        ("Authorization", 'Digest username="scott", response="tiger"', "Digest ****"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b", "AWS4-HMAC-SHA256 ****"),
        ("Authorization", "tiger lion", "****"),
        ("Authorization", "tiger", "****"),
        ("Authorization", "", "****"),
        ("Proxy-Authorization", "Basic c2NvdHQ6dGlnZXI=", "Basic ****"),
        ("X-Auth-Token", "Bearer tiger", "Bearer ****"),
        ("X-Api-Key", "tiger", "****"),
        ("Cookie", "sid=tiger; theme=dark", "sid=****; theme=****"),
        ("Cookie", "tiger", "****"),
        ("Cookie", " tiger ; a=b;", " **** ; a=****;"),
        ("Cookie", "sid=ti=ger==;a=b", "sid=****;a=****"),
        ("Set-Cookie", "sid=tiger; Path=/; Secure", "sid=****; Path=/; Secure"),
        (
            "Set-Cookie",
            "sid=tiger; Expires=Wed, 21 Oct 2015 07:28:00 GMT, a=b; Max-Age=1; x=y",
            "sid=****; Expires=Wed, 21 Oct 2015 07:28:00 GMT, a=****; Max-Age=1; x=****",
        ),
        ("Location", "/a?token=tiger&page=2#c", "/a?token=****&page=2#c"),
        ("Location", "https://u:p@h/@x#access_token=tiger", "https://****@h/@x#access_token=****"),
        ("Location", "/users/scott@example.com", "/users/scott@example.com"),
        ("Referer", "https://h/?next=%2F%3Ftoken%3Dtiger", "https://h/?next=%2F%3Ftoken%3D****"),
        (
            "Link",
            '<https://u:p@h/?token=x&page=2>; rel="next", </?key=1>; rel="prev"',
            '<https://****@h/?token=****&page=2>; rel="next", </?key=****>; rel="prev"',
        ),
        ("Refresh", "5; url=https://h/?token=tiger", "5; url=https://h/?token=****"),
        ("WWW-Authenticate", 'Digest realm="a", nonce="b", qop="auth"', None),
        ("WWW-Authenticate", 'Bearer realm="a", error="invalid_token"', None),
        ("Proxy-Authenticate", 'Basic realm="a"', None),
        ("Vary", "Authorization, Cookie", None),
        ("Access-Control-Allow-Headers", "Authorization, X-Api-Key", None),
        ("Cache-Control", "max-age=60, private", None),
        ("Content-Type", "text/html; charset=utf-8", None),
        ("Date", "Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Idempotency-Key", "lion", None),
        ("X-Trace", "id=eyJhbGciOiJIUzI1NiJ9.e30.abc", "id=eyJ****"),
    ],
)
def test_a_header_is_shown_without_its_secrets(name: str, value: str, shown: str | None) -> None:
    expected = value if shown is None else shown
    assert REDACTION.header(name, value) == expected
    assert REDACTION.header(name, expected) == expected


TEXTS: list[tuple[str, str | None]] = [
    ("GET http://u:p@h/?token=x&page=2 failed", "GET http://****@h/?token=****&page=2 failed"),
    (
        "see (http://h/?token=x), or <http://u@h/>.",
        "see (http://h/?token=****), or <http://****@h/>.",
    ),
    (
        "for url 'http://scott:ti'g%22er@h/?token=li'on'\nMore: https://h/404",
        "for url 'http://****@h/?token=****'\nMore: https://h/404",
    ),
    ("https://cdn.example/react@18.2.0/index.js?a=b@c", None),
    ("http://scott:ti/ger@h failed", "http://****@h failed"),
    ("'scott:tiger@proxy:8080' is not a proxy URL", "'****@proxy:8080' is not a proxy URL"),
    ("mailto:scott@example.com, Contact: bob@example.com, 12:30", None),
    ("token=tiger page=2", "token=**** page=2"),
    ("token = tiger, page: 2", "token = ****, page: 2"),
    ("a; password=correct;horse", "a; password=****"),
    ("Config(api_key=tiger, page=2)", "Config(api_key=****, page=2)"),
    ("dict(apiKey='ti\\'ger', page='2')", "dict(apiKey='****', page='2')"),
    ('{"password": "ti\\"ger", "page": "2"}', '{"password": "****", "page": "2"}'),
    (r'"{\"pin\": \"ti\\\"ger\", \"page\": 2}"', r'"{\"pin\": \"****\", \"page\": 2}"'),
    ('password="tiger\npage=2', 'password="****\npage=2'),
    ("config['password'] = 'tiger'", "config['password'] = '****'"),
    ("if token == 'tiger': pass", "if token == '****': pass"),
    ("auth=None, token=null, session: False", None),
    ("password=, page=2", None),
    ("password:", None),
    ("auth=(b'scott', b'tiger') host='h'", "auth=(b'****', b'****') host='h'"),
    ("cookies={'sid': 'tiger', 'a': None} x=1", "cookies={'sid': '****', 'a': None} x=1"),
    ("keys: [1, {a: 2}, 'x'], page: 3", "keys: [****, {a: ****}, '****'], page: 3"),
    ("keys=['tiger", "keys=['****"),
    ("keys=[(tiger", "keys=[(****"),
    ("keys=[\\", None),
    (
        "[(b'Set-Cookie', b'sid=tiger; Path=/'), (b'X-Key', b'a'), (b'X-Page', b'2')]",
        "[(b'Set-Cookie', b'sid=****; Path=/'), (b'X-Key', b'****'), (b'X-Page', b'2')]",
    ),
    ('[["token", "tiger"], ["page", "2"]]', '[["token", "****"], ["page", "2"]]'),
    ("['token', 'page'], 'key', 1, token, page", None),
    ("(token, 'page')", None),
    ("('token', page)", None),
    (
        "Headers({'x-api-key': 'a\\'b\"c', 'cookie': 'a=b', 'accept': '*/*'})",
        "Headers({'x-api-key': '****', 'cookie': 'a=****', 'accept': '*/*'})",
    ),
    (
        "Authorization: Digest username=a, b=c\r\nX-Page: 2",
        "Authorization: Digest ****\r\nX-Page: 2",
    ),
    ("> Cookie: a=b; c=d\n> Accept: */*", "> Cookie: a=****; c=****\n> Accept: */*"),
    ("sent Cookie: a=b; c=d", "sent Cookie: a=****; c=****"),
    ("sent Authorization: Basic tiger, page: 2", "sent Authorization: Basic ****, page: 2"),
    ("sent Authorization: Unknown tiger", "sent Authorization: ****"),
    ("password: correct horse\npage: 2", "password: ****\npage: 2"),
    (
        r"b'GET / HTTP/1.1\r\ncookie: a=b\r\nReferer: http://h/\r\nX-Key: a\r\n'",
        r"b'GET / HTTP/1.1\r\ncookie: a=****\r\nReferer: http://h/\r\nX-Key: ****\r\n'",
    ),
    (r"C:\token=tiger \nkeys=1", r"C:\token=**** \nkeys=****"),
    (
        "curl -H 'Authorization: Bearer x' 'https://h/'",
        "curl -H 'Authorization: Bearer ****' 'https://h/'",
    ),
    ("/?next=%2F%3Ftoken%3Dtiger&a=%40", "/?next=%2F%3Ftoken%3D****&a=%40"),
    ("<a:Password x='y'>tiger</a:Password><p>2</p>", "<a:Password x='y'>****</a:Password><p>2</p>"),
    ("<token><![CDATA[tiger]]></token>", "<token><![CDATA[****]]></token>"),
    ("<token> </token><page>2</page><token/>", None),
    ('<input name="csrf" value="tiger"/>', '<input name="csrf" value="****"/>'),
    ("<meta content='tiger' name=csrf-token>", "<meta content='****' name=csrf-token>"),
    ("<input id=token value=tiger>", "<input id=token value=****>"),
    ('<input name="page" value="2"><meta charset="utf-8">', None),
    ("Bearer tiger, bearer lion", "Bearer ****, bearer ****"),
    ('Bearer token missing; Bearer realm="x"; Basic authentication; Basic research', None),
    ("Basic c2NvdHQ6dGlnZXI= and Digest username=a", "Basic **** and Digest ****"),
    ("id eyJhbGciOiJIUzI1NiJ9.e30.abc-_d, eyJ", "id eyJ****, eyJ"),
    ("AKIAIOSFODNN7EXAMPLE sk-0123456789abcdefghij", "AKIA**** sk-****"),
    ("risk-free-and-long-word, task_force", None),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nlion",
        "-----BEGIN RSA PRIVATE KEY-----****-----END RSA PRIVATE KEY-----\nlion",
    ),
    ("KeyError: 'x'; AuthError: no; max_tokens=5", None),
    ("{'k': {'secret': {'a': 1}}, 'page': 2}", "{'k': {'secret': {'a': ****}}, 'page': 2}"),
    ("", None),
    ("nothing at all", None),
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_text_is_shown_without_its_secrets(text: str, shown: str | None) -> None:
    expected = text if shown is None else shown
    assert REDACTION.text(text) == expected
    assert REDACTION.text(expected) == expected


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


def _parts(*parts: str) -> str:
    return "".join(f"--B\r\n{part}\r\n" for part in parts) + "--B--\r\n"


def _field(name: str, value: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}'


BODIES: list[tuple[str, str, str | None]] = [
    (FORM, "user=scott&password=tiger&a=1", "user=scott&password=****&a=1"),
    (FORM, "password=ti%67er+x%26&p%61ss=a&b", "password=****&p%61ss=****&b"),
    (FORM, "token=ti#ger?a=b&page=2", "token=****&page=2"),
    (FORM, "next=https%3A%2F%2Fu%3Ap%40h&q=a+b", "next=https%3A%2F%2F****%40h&q=a+b"),
    (FORM, "code=0123456789abcdef&page=2", "code=****&page=2"),
    (FORM, "", None),
    (JSON, '{"a": [{"password": "x", "b": 1.50}]}', '{"a": [{"password": "****", "b": 1.50}]}'),
    (
        JSON,
        '{"tokens": ["a", 1, null, {"b": ["c"]}], "d": 2}',
        '{"tokens": ["****", "****", null, {"b": ["****"]}], "d": 2}',
    ),
    (
        JSON,
        '{"pin": 1234, "pass": true, "secret": null, "key": -1e5}',
        '{"pin": "****", "pass": true, "secret": null, "key": "****"}',
    ),
    (JSON, '{"max_tokens": 5, "token_type": "Bearer", "code": 404}', None),
    (JSON, '{"code": "0123456789abcdef"}', '{"code": "****"}'),
    (JSON, '{"a":"code", "b":["code", "0123456789abcdef"]}', None),
    (JSON, '{"\\u0070assword": "x", "é": "\\u00e9"}', '{"\\u0070assword": "****", "é": "\\u00e9"}'),
    (JSON, '{"a": "http:\\/\\/u:p@h\\/"}', '{"a": "http://****@h/"}'),
    (JSON, '{"a": "\\u00e9 Bearer x"}', '{"a": "\\u00e9 Bearer ****"}'),
    (JSON, '{"a": "\\ud800 Bearer x"}', '{"a": "\\ud800 Bearer ****"}'),
    (JSON, '{"a": "\\q Bearer x"}', '{"a": "\\\\q Bearer ****"}'),
    (JSON, '{"a": "{\\"password\\": \\"x\\"}"}', '{"a": "{\\"password\\": \\"****\\"}"}'),
    (
        JSON,
        '{"authorization": "Bearer x", "cookie": "a=b"}',
        '{"authorization": "Bearer ****", "cookie": "a=****"}',
    ),
    (
        JSON,
        '[{"name": "API_KEY", "value": "x"}, {"value": 1, "name": "pin"}]',
        '[{"name": "API_KEY", "value": "****"}, {"value": "****", "name": "pin"}]',
    ),
    (
        JSON,
        '{"name": "token", "value": ["x"], "b": 1}',
        '{"name": "token", "value": ["****"], "b": 1}',
    ),
    (JSON, '{"name": "page", "value": "2"}', None),
    (
        JSON,
        '[["Authorization", "Bearer x"], ["Page", "2"]]',
        '[["Authorization", "Bearer ****"], ["Page", "2"]]',
    ),
    (JSON, '["token", "page"]', None),
    (JSON, '{"required": ["password", "email"]}', None),
    (JSON, '{"title": "token", "b": "c"}', None),
    (JSON, '"Bearer x"', '"Bearer ****"'),
    (JSON, "12", None),
    (JSON, '}]},:"a', None),
    ("application/x-ndjson", '{"token": "x"}\n{"a": 1}\n', '{"token": "****"}\n{"a": 1}\n'),
    ("application/problem+json; charset=utf-8", '{"key": "x"}', '{"key": "****"}'),
    ("", '{"token": [1]}', '{"token": ["****"]}'),
    ("", "token=tiger a=1", "token=**** a=1"),
    ("application/octet-stream", "token=tiger a=1", "token=**** a=1"),
    ("text/plain", '{"token": "x"}', '{"token": "****"}'),
    ("text/xml", "<token>x</token>", "<token>****</token>"),
    ("application/soap+xml", "<token>x</token>", "<token>****</token>"),
    ("text/plain; charset=no-such", "token=x", "token=****"),
    (
        MULTIPART,
        _parts(_field("password", "tiger"), _field("page", "2")),
        _parts(_field("password", "****"), _field("page", "2")),
    ),
    (MULTIPART, _parts(_field("password", ""), _field("page", "")), None),
    (
        MULTIPART,
        _parts(_field("a", '{"token": "x"}', '; filename="f"\r\nContent-Type: application/json')),
        _parts(
            _field("a", '{"token": "****"}', '; filename="f"\r\nContent-Type: application/json')
        ),
    ),
    (
        MULTIPART,
        _parts("X-Token: tiger\r\nX-Page:\r\n\r\nlion"),
        _parts("X-Token: ****\r\nX-Page:\r\n\r\nlion"),
    ),
    (MULTIPART, _parts("\r\ntoken=x"), _parts("\r\ntoken=****")),
    (
        MULTIPART,
        '--B\r\nContent-Disposition: form-data; name="password"\r\n\r\ntiger\r\n--',
        '--B\r\nContent-Disposition: form-data; name="password"\r\n\r\n****',
    ),
    ("multipart/mixed", _parts(_field("password", "tiger")), _parts(_field("password", "****"))),
    ("multipart/mixed", "token=tiger", "token=****"),
    (
        'multipart/form-data; boundary="B"',
        _parts(_field("password", "tiger")),
        _parts(_field("password", "****")),
    ),
]


class TestABody:
    @pytest.mark.parametrize(("content_type", "body", "shown"), BODIES)
    def test_is_shown_without_its_secrets(
        self, content_type: str, body: str, shown: str | None
    ) -> None:
        expected = (body if shown is None else shown).encode()
        assert REDACTION.body(body.encode(), content_type) == expected
        assert REDACTION.body(expected, content_type) == expected

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("image/png", b"\x89PNG token=tiger"),
            ("application/octet-stream", b"\xff\xfe token=tiger"[1:]),
            ("application/x-protobuf", b"\x00token=tiger"),
            ("", b"\xfftoken=tiger"),
        ],
    )
    def test_that_is_binary_stays_as_it_is(self, content_type: str, body: bytes) -> None:
        assert REDACTION.body(body, content_type) == body

    def test_keeps_the_binary_parts_of_a_multipart_body(self) -> None:
        noise = bytes(range(256)) * 4
        body = _parts(_field("password", "tiger"), _field("f", "NOISE", "; filename=f")).encode()
        shown = REDACTION.body(body.replace(b"NOISE", noise), MULTIPART)
        assert shown == body.replace(b"NOISE", noise).replace(b"tiger", b"****")

    def test_loses_a_secret_that_is_binary(self) -> None:
        body = _parts(_field("password", "X")).encode().replace(b"X", b"\xff\x00tiger")
        assert b"tiger" not in REDACTION.body(body, MULTIPART)

    @pytest.mark.parametrize("depth", range(1, 8))
    def test_is_masked_in_parts_of_parts(self, depth: int) -> None:
        body, content_type = "token=tiger", "text/plain"
        for number in range(depth):
            body = f"--B{number}\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n--B{number}--"
            content_type = f"multipart/mixed; boundary=B{number}"
        assert b"tiger" not in REDACTION.body(body.encode(), content_type)

    @pytest.mark.parametrize(
        "charset", ["utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-8"]
    )
    def test_is_masked_in_any_charset(self, charset: str) -> None:
        shown = REDACTION.body(
            '{"token": "é", "ü": "ö"}'.encode(charset), f"{JSON}; charset={charset}"
        )
        assert shown.decode(charset) == '{"token": "****", "ü": "ö"}'

    @pytest.mark.parametrize("charset", ["utf-16", "utf-8-sig"])
    @pytest.mark.parametrize("content_type", [JSON, "", "text/plain"])
    def test_is_masked_with_a_byte_order_mark(self, charset: str, content_type: str) -> None:
        shown = REDACTION.body('{"token": "é"}'.encode(charset), content_type)
        assert shown.decode(charset) == '{"token": "****"}'

    def test_in_utf_16_without_a_mark_is_big_endian(self) -> None:
        shown = REDACTION.body("token=x".encode("utf-16-be"), "text/plain; charset=utf-16")
        assert shown.decode("utf-16-be") == "token=****"

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ('{"key":"password","value":"tiger"}', JSON),
            ('{"value":"tiger","Key":"password"}', JSON),
            ('{"value":"tiger","name":"password"}', JSON),
            ("{password: 'tiger'}", JSON),
            ("Error: password=tiger", JSON),
            ("[default]\naws_secret_access_key = tiger\n", ""),
            ('[db]\npassword = "tiger"', "application/toml"),
            ("[2026-01-01] GET http://scott:tiger@h/", ""),
            ("payload=%7B%22a%22%3A+1%2C+%22token%22%3A+%22tiger%22%7D", FORM),
            ("<p><password>a]tiger</password></p>", "text/xml"),
            ("<password><![CDATA[a<tiger]]></password>", "text/xml"),
            ("<password>\n <![CDATA[a]tiger]]></password>", "text/xml"),
            ("device_code=tigertigertigertiger&scope=a", FORM),
            ('{"device_code": "tigertigertigertiger"}', JSON),
            (
                '--b\r\nContent-Disposition: form-data;\r\n name="password"\r\n\r\ntiger\r\n--b--',
                "multipart/form-data; boundary=b",
            ),
            ("jdbc:sqlserver://h:1433;user=a;password=tiger;encrypt=true", "text/plain"),
        ],
    )
    def test_that_is_not_quite_what_it_seems_is_masked(self, body: str, content_type: str) -> None:
        shown = REDACTION.body(body.encode(), content_type).decode()
        assert SECRET not in shown
        assert MASK in shown
        assert REDACTION.body(shown.encode(), content_type).decode() == shown

    def test_in_a_form_keeps_its_spaces_and_plus_signs(self) -> None:
        body = b"payload=%7B%22token%22%3A+%22tiger%22%2C+%22page%22%3A+2%7D&more=a+b"
        shown = REDACTION.body(body, FORM)
        assert SECRET.encode() not in shown
        assert shown.endswith(b"%22page%22%3A+2%7D&more=a+b")

    def test_of_a_wrong_charset_is_masked_as_far_as_it_can_be_read(self) -> None:
        body = b"token=tiger \xff\xff\xff\xff\x00"
        shown = REDACTION.body(body, "text/plain; charset=utf-32")
        assert shown == body.replace(b"tiger", b"****")

    @pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-16", JSON])
    def test_keeps_bytes_that_are_no_text(self, content_type: str) -> None:
        shown = REDACTION.body(b'\xff {"a": "\xe9 Bearer x", "token": "\xe9"}', content_type)
        assert shown == b'\xff {"a": "\xe9 Bearer ****", "token": "****"}'

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            (content_type, body)
            for content_type, body, _ in BODIES
            if SECRET in body and "octet" not in content_type
        ]
        + [
            (JSON, '{"a": 1, "password": "ti\\u0067er\\\\", "b": "http:\\/\\/u:tiger@h\\/"}'),
            (JSON, '{"authorization": "Bearer tiger", "b": "{\\"pin\\": \\"tiger\\"}"}'),
            ("", "GET http://scott:tiger@h/?token=tiger"),
            (FORM, "next=http%3A%2F%2Fscott%3Atiger%40h"),
            ("text/plain", "id sk-tiger0123456789abcdef, id AKIAQQQ0123456789ABC"),
        ],
    )
    @pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
    def test_shows_no_secret_wherever_it_is_cut_off(
        self, content_type: str, body: str, step: int
    ) -> None:
        # Letters that stand nowhere else.
        body = body.replace(SECRET, "QQQ").replace("ti\\u0067er", "Q\\u0067Q")
        for end in range(0, len(body), step):
            assert b"Q" not in REDACTION.body(body[:end].encode(), content_type)

    @pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-32", "utf-32-be", "utf-8-sig"])
    def test_of_any_charset_shows_no_secret_wherever_it_is_cut_off(self, charset: str) -> None:
        body = '{"a": "😀", "token": "QQQ"}'.encode(charset)
        for end in range(len(body)):
            shown = REDACTION.body(body[:end], f"text/plain; charset={charset}")
            assert "Q" not in shown.decode(charset, "replace")


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
    assert _masked_repeatedly("a", lambda text: text + "a") == "a" * 9


class TestJSON:
    VALUES = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(alphabet='ab \\"é\ud800/'),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b", "password", "value"]), inner, max_size=3)
        ),
        max_leaves=8,
    )

    @given(VALUES, st.sampled_from([None, 2]), st.booleans())
    def test_keeps_its_shape_and_loses_every_secret(
        self, value: object, indent: int | None, ascii_only: bool
    ) -> None:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        try:
            body = text.encode()
        except UnicodeEncodeError:
            body = json.dumps(value).encode()
        assert json.loads(REDACTION.body(body, JSON)) == self.masked(value, False)

    def masked(self, value: object, secret: bool) -> object:
        if isinstance(value, dict):
            return {
                name: self.masked(each, secret or name == "password")
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.masked(each, secret) for each in value]
        return "****" if secret and not (value is None or isinstance(value, bool)) else value


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
