"""The answer to a request for a file that is there, as RFC 9110 has it in sections 13 and 14."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx

from transportkit.files.answering import Answer, answer
from transportkit.files.conditions import conditions
from transportkit.files.dates import parse_http_date
from transportkit.files.representation import Representation, describe

MODIFIED = 784111777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
NOW = 1_700_000_000.5
FILE = Representation(10, '"tag"', MODIFIED, "text/plain; charset=utf-8")
IN_FULL = (200, "0123456789")


def ask(
    headers: dict[str, str], method: str = "GET", file: Representation = FILE, now: float = NOW
) -> Answer:
    asked = conditions(httpx.Headers(headers, encoding="utf-8").raw)
    return answer(file, method, asked, now)


def got(asked: Answer) -> tuple[int, str]:
    return asked.status_code, "".join("0123456789"[position] for position in asked.body)


@pytest.mark.parametrize(
    ("headers", "status_code"),
    [
        ({}, 200),
        # 13.1.1 If-Match: strong comparison.
        ({"If-Match": '"tag"'}, 200),
        ({"If-Match": '"other", "tag"'}, 200),
        ({"If-Match": ', "other" ,"tag",'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": 'W/"tag"'}, 412),
        ({"If-Match": '"ta", "g"'}, 412),
        ({"If-Match": "tag"}, 412),
        ({"If-Match": ""}, 412),
        ({"If-Match": '*, "tag"'}, 412),
        ({"If-Match": '"a,b", "c d"'}, 412),
        ({"If-Match": '"a,b", "tag"'}, 200),
        ({"If-Match": '"tag" "tag"'}, 412),
        ({"If-Match": '"tag'}, 412),
        ({"If-Match": 'w/"tag", "tag"'}, 412),
        # 13.1.2 If-None-Match: weak comparison.
        ({"If-None-Match": '"tag"'}, 304),
        ({"If-None-Match": 'W/"tag"'}, 304),
        ({"If-None-Match": '"other",W/"tag"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": " * "}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": "tag"}, 200),
        ({"If-None-Match": ""}, 200),
        ({"If-None-Match": '"TAG"'}, 200),
        # 13.1.3 If-Modified-Since, ignored beside If-None-Match and when it is no date.
        ({"If-Modified-Since": DATE}, 304),
        ({"If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304),
        ({"If-Modified-Since": "Sun Nov  6 08:49:37 1994"}, 304),
        ({"If-Modified-Since": "Sun Nov  6 08:49:36 1994"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "784111777"}, 200),
        ({"If-Modified-Since": f"{DATE}, {DATE}"}, 200),
        ({"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 +0000"}, 200),
        ({"If-Modified-Since": DATE, "If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": EARLIER, "If-None-Match": '"tag"'}, 304),
        # 13.1.4 If-Unmodified-Since, ignored beside If-Match and when it is no date.
        ({"If-Unmodified-Since": DATE}, 200),
        ({"If-Unmodified-Since": LATER}, 200),
        ({"If-Unmodified-Since": EARLIER}, 412),
        ({"If-Unmodified-Since": "yesterday"}, 200),
        ({"If-Unmodified-Since": EARLIER, "If-Match": '"tag"'}, 200),
        ({"If-Unmodified-Since": LATER, "If-Match": '"other"'}, 412),
        # 13.2.2: the order among them.
        ({"If-Match": '"other"', "If-None-Match": '"tag"'}, 412),
        ({"If-Match": '"tag"', "If-None-Match": '"tag"'}, 304),
        ({"If-Match": '"tag"', "If-Modified-Since": DATE}, 304),
        ({"If-Unmodified-Since": EARLIER, "If-Modified-Since": DATE}, 412),
        ({"If-Unmodified-Since": DATE, "If-None-Match": '"tag"'}, 304),
        ({"If-None-Match": '"tag"', "Range": "bytes=0-1"}, 304),
        ({"If-None-Match": '"tag"', "Range": "bytes=99-"}, 304),
        ({"If-Match": '"other"', "Range": "bytes=99-"}, 412),
        ({"If-Match": '"tag"', "Range": "bytes=0-1"}, 206),
        ({"If-Match": '"tag"', "Range": "bytes=99-"}, 416),
    ],
)
def test_preconditions(headers: dict[str, str], status_code: int) -> None:
    assert ask(headers).status_code == status_code
    # 14.2: HEAD has no ranges.
    of_head = 200 if status_code in (206, 416) else status_code
    assert ask(headers, "HEAD").status_code == of_head
    assert not ask(headers, "HEAD").body


@pytest.mark.parametrize(
    ("value", "answered"),
    [
        ("bytes=0-0", (206, "0")),
        ("bytes=0-4", (206, "01234")),
        ("bytes=5-", (206, "56789")),
        ("bytes=9-", (206, "9")),
        ("bytes=0-", (206, "0123456789")),
        ("bytes=-1", (206, "9")),
        ("bytes=-10", (206, "0123456789")),
        ("bytes=-11", (206, "0123456789")),
        ("bytes=8-99", (206, "89")),
        ("bytes=8-" + "9" * 5000, (206, "89")),
        ("bytes=-" + "9" * 5000, (206, "0123456789")),
        ("bytes=" + "0" * 5000 + "8-9", (206, "89")),
        ("Bytes=0-0", (206, "0")),
        (" bytes=0-0 ", (206, "0")),
        ("bytes=,0-0", (206, "0")),
        ("bytes=0-0, ,", (206, "0")),
        # 14.1.2: beyond the end, or nothing.
        ("bytes=10-", (416, "")),
        ("bytes=10-20", (416, "")),
        ("bytes=" + "9" * 5000 + "-", (416, "")),
        ("bytes=-0", (416, "")),
        ("bytes=-000", (416, "")),
        # 14.2: several, and what is malformed or of another unit, is ignored.
        ("bytes=0-1,3-4", IN_FULL),
        ("bytes=0-1, 99-", IN_FULL),
        ("bytes=5-4", IN_FULL),
        ("bytes=" + "9" * 5000 + "-" + "9" * 4999, IN_FULL),
        ("bytes=-", IN_FULL),
        ("bytes=", IN_FULL),
        ("bytes", IN_FULL),
        ("", IN_FULL),
        ("0-4", IN_FULL),
        ("bytes 0-4", IN_FULL),
        ("bytes =0-4", IN_FULL),
        ("bytes=0 - 4", IN_FULL),
        ("bytes=0-4-", IN_FULL),
        ("bytes=--4", IN_FULL),
        ("bytes=+0-4", IN_FULL),
        ("bytes=0x0-4", IN_FULL),
        ("bytes=\u0663-", IN_FULL),
        ("bytes=a-b", IN_FULL),
        ("bytes=1.5-", IN_FULL),
        ("items=0-4", IN_FULL),
        ("bytes=0-4;", IN_FULL),
    ],
)
def test_ranges(value: str, answered: tuple[int, str]) -> None:
    asked = ask({"Range": value})
    assert got(asked) == answered
    status_code, body = answered
    assert asked.headers["Content-Length"] == str(len(body))
    if status_code == 206:
        first, last = asked.body[0], asked.body[-1]
        assert asked.headers["Content-Range"] == f"bytes {first}-{last}/10"
    elif status_code == 416:
        assert asked.headers["Content-Range"] == "bytes */10"
    else:
        assert "Content-Range" not in asked.headers


@pytest.mark.parametrize(
    ("value", "answered"),
    [("bytes=0-", 416), ("bytes=0-0", 416), ("bytes=-0", 416), ("bytes=-1", 200), ("", 200)],
)
def test_ranges_of_an_empty_file(value: str, answered: int) -> None:
    asked = ask({"Range": value}, file=FILE._replace(size=0))
    assert (asked.status_code, len(asked.body)) == (answered, 0)
    assert asked.headers.get("Content-Range") == ("bytes */0" if answered == 416 else None)


@pytest.mark.parametrize(
    ("validator", "status_code"),
    [
        ('"tag"', 206),
        (' "tag" ', 206),
        ('W/"tag"', 200),
        ('"other"', 200),
        ('"other", "tag"', 200),
        ("*", 200),
        ("tag", 200),
        ("", 200),
        (DATE, 206),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 206),
        # A date has to be the same, not later.
        (LATER, 200),
        (EARLIER, 200),
        ("yesterday", 200),
    ],
)
def test_if_range(validator: str, status_code: int) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": validator}
    assert ask(headers).status_code == status_code
    # 13.1.5: without a Range it means nothing, and what cannot be satisfied stays so.
    assert ask({"If-Range": validator}).status_code == 200
    unsatisfiable = 416 if status_code == 206 else 200
    assert ask({**headers, "Range": "bytes=99-"}).status_code == unsatisfiable


def test_a_date_in_if_range_is_no_strong_validator_within_its_second() -> None:
    headers = {"Range": "bytes=0-1", "If-Range": DATE}
    assert ask(headers, now=MODIFIED + 0.9).status_code == 200
    assert ask(headers, now=MODIFIED + 1).status_code == 206


class TestHeaders:
    def test_of_the_whole(self) -> None:
        assert ask({}).headers == {
            "Content-Length": "10",
            "Content-Type": "text/plain; charset=utf-8",
            "ETag": '"tag"',
            "Accept-Ranges": "bytes",
            "Last-Modified": DATE,
        }
        assert ask({}, "HEAD").headers == ask({}).headers

    def test_of_a_part(self) -> None:
        whole = ask({}).headers
        part = {"Content-Length": "2", "Content-Range": "bytes 3-4/10"}
        assert ask({"Range": "bytes=3-4"}).headers == {**whole, **part}

    def test_of_what_is_not_modified(self) -> None:
        # 15.4.5: no description of what does not come.
        assert ask({"If-None-Match": '"tag"'}).headers == {"ETag": '"tag"'}

    def test_of_a_failed_precondition(self) -> None:
        assert ask({"If-Match": '"other"'}).headers == {"Content-Length": "0"}

    def test_of_an_unsatisfiable_range(self) -> None:
        assert ask({"Range": "bytes=10-"}).headers == {
            "Content-Length": "0",
            "Content-Range": "bytes */10",
            "ETag": '"tag"',
            "Accept-Ranges": "bytes",
        }

    def test_say_no_time_later_than_now(self) -> None:
        # 8.8.2.1
        future = FILE._replace(modified=4_000_000_000)
        assert ask({}, file=future, now=MODIFIED).headers["Last-Modified"] == DATE
        # The file may yet change before that time comes.
        headers = {"If-Modified-Since": DATE}
        assert ask(headers, file=future, now=MODIFIED).status_code == 200

    @pytest.mark.parametrize("modified", [-(10**12), -(10**18)])
    def test_say_no_time_that_cannot_be_written(self, modified: int) -> None:
        assert "Last-Modified" not in ask({}, file=FILE._replace(modified=modified)).headers

    def test_say_a_time_before_1970(self) -> None:
        asked = ask({}, file=FILE._replace(modified=-1))
        assert asked.headers["Last-Modified"] == "Wed, 31 Dec 1969 23:59:59 GMT"


RANGES = st.lists(
    st.sampled_from(["bytes=", "BYTES=", "bytes", "=", "-", "-", ",", " ", "\t", "x", "", "00"])
    | st.integers(0, 25).map(str)
    | st.integers(min_value=0).map(str),
    max_size=8,
).map("".join)
WELL_FORMED = st.builds(
    "bytes={}-{}".format, st.integers(0, 25) | st.just(""), st.integers(0, 25) | st.just("")
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["If-Match", "If-None-Match", "If-Range", "If-Modified-Since", "If-Unmodified-Since"]
        ),
        st.text(alphabet='"W/*, tag\\é', max_size=12) | st.sampled_from([DATE, EARLIER, LATER]),
    ),
    RANGES | WELL_FORMED,
    st.sampled_from(["GET", "HEAD"]),
)
def test_any_headers_are_answered(headers: dict[str, str], value: str, method: str) -> None:
    asked = ask({**headers, "Range": value}, method)
    assert asked.status_code in (200, 206, 304, 412, 416)
    if asked.body:
        assert asked.headers["Content-Length"] == str(len(asked.body))
        assert (method, asked.body.step) == ("GET", 1)


@pytest.mark.parametrize("size", [100, 100_000])
def test_long_values_take_no_more_than_their_length(size: int) -> None:
    values = [" " * size, '"a",' * size, "W/" * size, '"' * size, ", " * size + "x", " ," * size]
    for value in values:
        ask({"If-Match": value, "Range": f"bytes={value}-", "If-Range": value})
        ask({"If-None-Match": value, "Range": f"bytes=0-{value}", "If-Modified-Since": value})


def test_the_clock_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock() -> float:
        raise AssertionError("somebody read the clock")

    monkeypatch.setattr(time, "time", clock)
    assert ask({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}).status_code == 304


def test_an_entity_tag_is_a_strong_one_that_comes_back_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one")
    file = describe(path.stat(), path.name)
    assert ask({"If-Match": file.etag}, file=file).status_code == 200
    assert ask({"If-None-Match": file.etag}, file=file).status_code == 304


@given(st.integers(-62135596800, 253402300799))
def test_a_date_that_is_written_is_read_again(seconds: int) -> None:
    written = ask({}, file=FILE._replace(modified=seconds), now=10**12).headers["Last-Modified"]
    assert parse_http_date(written, NOW) == seconds
