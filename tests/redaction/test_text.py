"""Text of any kind, and the values of headers."""

import pytest
from support.transportkit import Redaction

REDACTION = Redaction()


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
            '<https://u:p@h/?token=x&page=2>; rel="next", </?pin=1>; rel="prev"',
            '<https://****@h/?token=****&page=2>; rel="next", </?pin=****>; rel="prev"',
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
    ("ghp_0123456789abcdefghijhttp://scott:tiger@h", "ghp_****://****@h"),
    # What is encoded more often than anybody would do it is not looked into.
    (f"see page%{'25' * 12}3D7 now", "see **** now"),
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
    ("secrets: [1, {a: 2}, 'x'], page: 3", "secrets: [****, {a: ****}, '****'], page: 3"),
    ("creds=['tiger", "creds=['****"),
    ("creds=[(tiger", "creds=[(****"),
    ("keys=[\\", None),
    (
        "[(b'Set-Cookie', b'sid=tiger; Path=/'), (b'X-Pin', b'a'), (b'X-Page', b'2')]",
        "[(b'Set-Cookie', b'sid=****; Path=/'), (b'X-Pin', b'****'), (b'X-Page', b'2')]",
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
        r"b'GET / HTTP/1.1\r\ncookie: a=b\r\nReferer: http://h/\r\nX-Pin: a\r\n'",
        r"b'GET / HTTP/1.1\r\ncookie: a=****\r\nReferer: http://h/\r\nX-Pin: ****\r\n'",
    ),
    (r"C:\token=tiger \npins=1", r"C:\token=**** \npins=****"),
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
    (
        "kind: Secret\nstringData:\n  a: lion\n  b: |\n    lion\n  c:\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: lion\n",
        "kind: Secret\nstringData:\n  a: ****\n  b: ****\n    ****\n  c:\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  a: lion\n",
    ),
    ("INFO app.auth: user ada logged in, session: opened for ada", None),
    ("app.auth: tiger", "app.auth: ****"),
    (
        "session q7Zt3LmX9vKc is over, token refreshed-by-scott, key q7Zt3LmX9vKc",
        "session **** is over, token refreshed-by-scott, key q7Zt3LmX9vKc",
    ),
    (
        "arn:aws:secretsmanager:eu:1:secret:MyDb-a1 \\nhttp://u:p@h/",
        "arn:aws:secretsmanager:eu:1:secret:MyDb-a1 \\nhttp://****@h/",
    ),
    (
        "curl -u scott:tiger -U scott h; docker run -u 1000:1000 -p 80:80 x",
        "curl -u **** -U scott h; docker run -u 1000:1000 -p 80:80 x",
    ),
    (
        "docker login -u scott -p tiger h && sshpass -p 'tiger' ssh h",
        "docker login -u scott -p **** h && sshpass -p '****' ssh h",
    ),
    (
        "x --password tiger --token '' --page 2 --user scott:tiger",
        "x --password **** --token '' --page 2 --user ****",
    ),
    ("['--token', 'tiger', '--page', '2', '--']", "['--token', '****', '--page', '2', '--']"),
    (
        "pulling h:5000/app:1.4@sha256:4f5e and u:tiger@h",
        "pulling h:5000/app:1.4@sha256:4f5e and ****@h",
    ),
    (
        "GET /cb?code=SplxlOBeZQQYbYS6WxSbIA {'code': 'SplxlOBeZQQYbYS6WxSbIA'}",
        "GET /cb?code=**** {'code': '****'}",
    ),
    (
        "tokens={'prompt': 5, 'a': 'q7Zt3LmX9vKc'} tokens={'a': tokens={}}",
        "tokens={'prompt': 5, 'a': '****'} tokens={'a': tokens={}}",
    ),
    ("sessions = {'eyJhbGciOiJI.e30.x': secret}", "sessions = {'eyJ****': secret}"),
    ("<saml:Token>a</saml:Token>", "<saml:Token>****</saml:Token>"),
    (
        "<key>pin</key><string>tiger</string><key>page</key><string>2</string>",
        "<key>pin</key><string>****</string><key>page</key><string>2</string>",
    ),
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_text_is_shown_without_its_secrets(text: str, shown: str | None) -> None:
    expected = text if shown is None else shown
    assert REDACTION.text(text) == expected
    assert REDACTION.text(expected) == expected
