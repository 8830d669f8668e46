"""What is to be as long as it likes, and masked in time that grows with its length alone."""

import sys
from collections.abc import Callable
from types import FrameType

from support.transportkit import Redaction

# Each is repeated: what looks for an end, or for a beginning, from every place is slow then.
RUNS = [
    *("a", "=", "a=", "token=", "token ", "a:", "a: ", ":", ".", "-", "_", "A", "%", "%25", "%3D"),
    *("http://", "http://a:b", "http://a@", "?a=http://h/", "a:a,", "x@y ", "@", "/@", "//", "/"),
    *(
        "\\",
        '\\\\"',
        '"',
        '="',
        'token="',
        "token='\\",
        "'a']",
        "a]",
        "[",
        "[[",
        "{",
        "(",
        "auth=(",
    ),
    *("<", "<a ", "<token>", "<input name=", "eyJ", "Bearer ", "Basic a", "sk-", "\n", " ", "\t="),
    *("Cookie: ", "(b'Cookie', ", '["token",', '{"a":', '"token":', "\\u", "; ", ";a=", "&", "#"),
    # Words with dots, escapes, brackets and quotes that are looked into in vain.
    *(
        "eyJ.",
        "eyJ-",
        "sk-.",
        '"a\\',
        "key='\\'",
        "token=' is ",
        "key=[",
        "tokens={",
        "auth=((",
        "a_",
    ),
    *(
        "a.hook/",
        "/hooks/a",
        "-u ",
        "--token ",
        "urn:",
        "<key>a</key>",
        "is ",
        "9.",
        "1h",
        "aA1",
        "[1,",
    ),
    *("-----BEGIN PRIVATE KEY-----", "passwpassw", "--B\r\n", "\r\n--B\r\n", "code=", "é"),
]


def mask_everywhere(run: str, size: int) -> None:
    """Mask `size` characters of a run wherever they could stand."""
    redaction = Redaction()
    text = (run * size)[:size]
    body = text.encode()
    redaction.text(text)
    redaction.text(f"http://{text}")
    redaction.url(text)
    redaction.url(f"http://h/?{text}")
    redaction.is_secret(text)
    for name in ("Location", "Set-Cookie", "Authorization"):
        redaction.header(name, text)
    multipart, form = "multipart/form-data; boundary=B", "application/x-www-form-urlencoded"
    for content_type in ("application/json", form, multipart, "", f"text/plain;{text}"):
        redaction.body(body, content_type)
    redaction.body(b'{"a":"' + body, "application/json")


def steps(function: Callable[[str, int], object], run: str, size: int) -> int:
    """How many functions are called for it, Python's own and those in C."""
    called = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal called
        called += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(run, size)
    finally:
        sys.setprofile(before)
    return called
