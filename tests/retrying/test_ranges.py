"""Range requests: what an answer promises, how the rest is asked for, what continues it."""

import dataclasses
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.library import httpx

from transportkit.retrying.ranges import Download, promised_download

ETAG = '"v1"'
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
WHOLE = Download(ETAG, "", 0, 100, 100)
PART = Download(ETAG, "", 20, 60, 100)
# The first answer came in chunks and told no length.
UNTOLD = Download(ETAG, "", 0, None, None)


def answer(status_code: int, **headers: str | None) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    return httpx.Response(status_code, headers=given)


def get(method: str = "GET", **headers: str) -> httpx.Request:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Request(method, "https://example.com/file", headers=given)


class TestAFirstAnswer:
    @pytest.mark.parametrize(
        ("range_", "status_code", "headers", "promised"),
        [
            (None, 200, {"Content_Length": "100"}, WHOLE),
            (None, 200, {"Content_Length": "0"}, Download(ETAG, "", 0, 0, 0)),
            (None, 200, {}, UNTOLD),
            (None, 200, {"Transfer_Encoding": "chunked"}, UNTOLD),
            (None, 200, {"Accept_Ranges": "bytes", "Content_Length": "100"}, WHOLE),
            (None, 200, {"ETag": '""', "Content_Length": "100"}, Download('""', "", 0, 100, 100)),
            (
                None,
                200,
                {"Content_Encoding": "gzip", "Content_Length": "100"},
                Download(ETAG, "gzip", 0, 100, 100),
            ),
            # A server may ignore a Range: what it promises then is the whole.
            ("bytes=20-59", 200, {"Content_Length": "100"}, WHOLE),
            ("bytes=20-59", 206, {"Content_Range": "bytes 20-59/100"}, PART),
            (
                "bytes=20-59",
                206,
                {"Content_Range": "bytes 20-59/100", "Content_Length": "40"},
                PART,
            ),
            (
                "bytes=20-59",
                206,
                {"Content_Range": "bytes 20-59/*"},
                Download(ETAG, "", 20, 60, None),
            ),
            (
                "bytes=-5",
                206,
                {"Content_Range": "bytes 95-99/100"},
                Download(ETAG, "", 95, 100, 100),
            ),
            ("bytes=0-0", 206, {"Content_Range": "bytes 0-0/1"}, Download(ETAG, "", 0, 1, 1)),
        ],
    )
    def test_promises(
        self, range_: str | None, status_code: int, headers: dict[str, str], promised: Download
    ) -> None:
        request = get() if range_ is None else get(Range=range_)
        response = answer(status_code, **{"ETag": ETAG, **headers})
        assert promised_download(request, response) == promised

    @pytest.mark.parametrize("etag", [None, "", 'W/"v1"', "v1", '"v1', 'v1"', '"a"b"', '"a", "b"'])
    def test_without_a_strong_etag_promises_nothing(self, etag: str | None) -> None:
        assert promised_download(get(), answer(200, ETag=etag, Content_Length="100")) in {
            "its ETag is weak",
            "it has neither an ETag nor a Last-Modified that is certain enough",
        }

    @pytest.mark.parametrize(
        ("seconds", "is_promised"),
        [(60, True), (3600, True), (59, False), (0, False), (-90, False)],
    )
    def test_without_an_etag_may_have_a_date_that_is_old_enough(
        self, seconds: int, is_promised: bool
    ) -> None:
        date = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
        modified = format_datetime(date - timedelta(seconds=seconds), usegmt=True)
        headers = {"Date": format_datetime(date, usegmt=True), "Last_Modified": modified}
        found = promised_download(get(), answer(200, **headers, Content_Length="100"))
        assert found == (
            Download(modified, "", 0, 100, 100)
            if is_promised
            else "it has neither an ETag nor a Last-Modified that is certain enough"
        )
        encoded = promised_download(get(), answer(200, **headers, Content_Encoding="gzip"))
        assert encoded == "it was encoded as gzip on the fly"

    @pytest.mark.parametrize("date", ["", "yesterday", "Wed, 21 Oct 99999 07:28:00 GMT"])
    def test_with_a_date_that_makes_no_sense_promises_nothing(self, date: str) -> None:
        for headers in (
            {"Date": date, "Last_Modified": DATE},
            {"Date": DATE, "Last_Modified": date},
        ):
            assert isinstance(promised_download(get(), answer(200, **headers)), str)

    @pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUERY"])
    def test_to_another_method_promises_nothing(self, method: str) -> None:
        found = promised_download(get(method), answer(200, ETag=ETAG, Content_Length="100"))
        assert found == f"a {method} cannot be asked for in part"

    @pytest.mark.parametrize("content", [b"abc", iter([b"abc"])])
    def test_to_a_request_with_a_body_promises_nothing(self, content: Any) -> None:
        request = httpx.Request("GET", "https://example.com/file", content=content)
        found = promised_download(request, answer(200, ETag=ETAG, Content_Length="100"))
        assert found == "a GET with a body cannot be asked for in part"

    @pytest.mark.parametrize("status_code", [201, 203, 204, 206, 226, 304, 404, 416, 503])
    def test_of_another_status_promises_nothing(self, status_code: int) -> None:
        response = answer(
            status_code, ETag=ETAG, Content_Range="bytes 0-99/100", Content_Length="100"
        )
        assert isinstance(promised_download(get(), response), str)

    @pytest.mark.parametrize(
        "content_range",
        [
            None,
            "",
            "bytes */100",
            "bytes 20-59",
            "bytes 59-20/100",
            "bytes -59/100",
            "bytes 20-/100",
            "items 20-59/100",
            "bytes 20-59/1e3",
            "bytes 20-59/100, bytes 70-79/100",
            "bytes ٢٠-٥٩/100",
            f"bytes 20-{'9' * 5000}/*",
            "bytes 20-159/100",
        ],
    )
    def test_with_a_range_that_makes_no_sense_promises_nothing(
        self, content_range: str | None
    ) -> None:
        headers: Any = {"ETag": ETAG}
        if content_range is not None:
            headers["Content-Range"] = content_range.encode()
        response = httpx.Response(206, headers=headers)
        assert isinstance(promised_download(get(Range="bytes=20-59"), response), str)

    @pytest.mark.parametrize("length", ["39", "41", "100", "0"])
    def test_whose_two_lengths_differ_promises_nothing(self, length: str) -> None:
        response = answer(206, ETag=ETAG, Content_Range="bytes 20-59/100", Content_Length=length)
        assert isinstance(promised_download(get(Range="bytes=20-59"), response), str)

    @pytest.mark.parametrize("content_range", [None, "bytes 0-4/100"])
    def test_of_many_parts_promises_nothing(self, content_range: str | None) -> None:
        response = answer(
            206,
            ETag=ETAG,
            Content_Type="multipart/byteranges; boundary=x",
            Content_Range=content_range,
        )
        assert isinstance(promised_download(get(Range="bytes=0-4,9-12"), response), str)

    def test_of_many_parts_in_capitals_promises_nothing(self) -> None:
        response = answer(
            206, ETag=ETAG, Content_Type="Multipart/ByteRanges", Content_Range="bytes 0-4/100"
        )
        assert isinstance(promised_download(get(Range="bytes=0-4,9-12"), response), str)

    @pytest.mark.parametrize(
        "value",
        [
            "none",
            "None",
        ],
    )
    def test_of_a_server_that_knows_no_ranges_promises_nothing(self, value: str) -> None:
        response = answer(200, ETag=ETAG, Accept_Ranges=value, Content_Length="100")
        assert isinstance(promised_download(get(), response), str)

    @pytest.mark.parametrize("length", ["-1", "abc", "1.5", "²", "+5"])
    def test_with_a_length_that_makes_no_sense_tells_no_length(self, length: str) -> None:
        headers: Any = {"ETag": ETAG, "Content-Length": length.encode()}
        assert promised_download(get(), httpx.Response(200, headers=headers)) == UNTOLD

    def test_with_a_length_beyond_all_bounds_raises_nothing(self) -> None:
        promised_download(get(), answer(200, ETag=ETAG, Content_Length="9" * 5000))


class TestARequestForTheRest:
    @pytest.mark.parametrize(
        ("download", "received", "range_"),
        [
            (WHOLE, 0, "bytes=0-99"),
            (WHOLE, 40, "bytes=40-99"),
            (WHOLE, 99, "bytes=99-99"),
            (PART, 0, "bytes=20-59"),
            (PART, 15, "bytes=35-59"),
            (UNTOLD, 40, "bytes=40-"),
        ],
    )
    def test_asks_for_what_is_missing_and_no_more(
        self, download: Download, received: int, range_: str
    ) -> None:
        rest = download.request_rest(get(Range="bytes=20-59"), received)
        assert rest.headers.get_list("Range") == [range_]

    def test_asks_only_for_the_same_file(self) -> None:
        rest = WHOLE.request_rest(get(), 40)
        assert rest.headers.get_list("If-Range") == [ETAG]

    @pytest.mark.parametrize(
        "name", ["If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "if-none-match"]
    )
    def test_leaves_out_the_conditions_that_another_answer_could_meet(self, name: str) -> None:
        request = httpx.Request("GET", "https://example.com/", headers={name: '"v0"'})
        assert name not in WHOLE.request_rest(request, 40).headers

    def test_replaces_the_callers_own_if_range(self) -> None:
        rest = WHOLE.request_rest(get(If_Range='"v0"', Range="bytes=0-"), 40)
        assert rest.headers.get_list("If-Range") == [ETAG]

    def test_keeps_everything_else(self) -> None:
        request = httpx.Request(
            "GET",
            "https://scott@example.com:8443/file?a=1",
            headers=[("Accept-Encoding", "gzip"), ("Cookie", "a=1"), ("X", "1"), ("X", "2")],
            extensions={"timeout": {"read": 5}, "retry": None},
        )
        rest = dataclasses.replace(WHOLE, encoding="gzip").request_rest(request, 40)
        added = {b"range", b"if-range"}
        kept = [(name, value) for name, value in rest.headers.raw if name.lower() not in added]
        assert kept == request.headers.raw
        assert (rest.method, rest.url) == (request.method, request.url)
        assert rest.extensions == request.extensions
        assert rest.extensions is not request.extensions
        assert rest.read() == b""

    def test_of_an_unencoded_body_is_for_an_unencoded_one(self) -> None:
        rest = WHOLE.request_rest(get(Accept_Encoding="gzip, br"), 40)
        assert rest.headers.get_list("Accept-Encoding") == ["identity"]

    def test_leaves_the_callers_request_as_it_was(self) -> None:
        request = get(Range="bytes=20-59", If_None_Match='"v0"')
        before = list(request.headers.raw)
        PART.request_rest(request, 5)
        assert request.headers.raw == before


class TestAnAnswerToThat:
    @pytest.mark.parametrize(
        ("download", "content_range", "length", "continued"),
        [
            (WHOLE, "bytes 40-99/100", "60", WHOLE),
            (WHOLE, "bytes 40-99/100", None, WHOLE),
            (PART, "bytes 60-59/100", None, None),
            (UNTOLD, "bytes 40-99/100", "60", WHOLE),
            (UNTOLD, "bytes 40-99/*", "60", None),
            (WHOLE, "bytes 40-99/*", "60", None),
            (WHOLE, "bytes 40-99/101", "60", None),
            (WHOLE, "bytes 40-100/101", "61", None),
            (WHOLE, "bytes 39-99/100", "61", None),
            (WHOLE, "bytes 41-99/100", "59", None),
            (WHOLE, "bytes 0-99/100", "100", None),
            (WHOLE, "bytes 40-99/100", "59", None),
            (WHOLE, "bytes 40-99/100", "61", None),
            (WHOLE, "bytes 40-99/100", "100", None),
            (WHOLE, "items 40-99/100", "60", None),
            (WHOLE, "bytes */100", None, None),
            (WHOLE, "", None, None),
            (WHOLE, None, "60", None),
        ],
    )
    def test_continues_only_what_was_asked_for(
        self,
        download: Download,
        content_range: str | None,
        length: str | None,
        continued: Download | None,
    ) -> None:
        response = answer(206, ETag=ETAG, Content_Range=content_range, Content_Length=length)
        expected = continued and (continued, 100)
        assert download.continued_by(response, 40) == expected

    @pytest.mark.parametrize("download", [WHOLE, UNTOLD])
    def test_that_is_shorter_than_asked_for_continues_up_to_its_end(
        self, download: Download
    ) -> None:
        response = answer(206, ETag=ETAG, Content_Range="bytes 40-49/100", Content_Length="10")
        assert download.continued_by(response, 40) == (WHOLE, 50)

    def test_in_another_spelling_of_bytes_continues(self) -> None:
        response = answer(206, ETag=ETAG, Content_Range="Bytes 40-99/100")
        assert WHOLE.continued_by(response, 40) == (WHOLE, 100)

    @pytest.mark.parametrize(
        ("headers", "continues"),
        [
            ({}, True),
            ({"Last_Modified": DATE}, True),
            ({"Last_Modified": "Wed, 21 Oct 2015 07:28:01 GMT"}, False),
            ({"ETag": ETAG}, False),
        ],
    )
    def test_to_a_date_continues_unless_it_says_otherwise(
        self, headers: dict[str, str], continues: bool
    ) -> None:
        download = dataclasses.replace(WHOLE, validator=DATE)
        response = answer(206, **headers, Content_Range="bytes 40-99/100")
        assert (download.continued_by(response, 40) is not None) == continues

    def test_within_a_range_continues_within_it(self) -> None:
        response = answer(206, ETag=ETAG, Content_Range="bytes 35-59/100", Content_Length="25")
        assert PART.continued_by(response, 15) == (PART, 40)
        response = answer(206, ETag=ETAG, Content_Range="bytes 35-99/100", Content_Length="65")
        assert PART.continued_by(response, 15) is None

    def test_fixes_a_total_that_nobody_told(self) -> None:
        part = dataclasses.replace(PART, total=None)
        response = answer(206, ETag=ETAG, Content_Range="bytes 35-59/100")
        assert part.continued_by(response, 15) == (PART, 40)

    def test_may_leave_open_a_total_that_nobody_told(self) -> None:
        part = dataclasses.replace(PART, total=None)
        response = answer(206, ETag=ETAG, Content_Range="bytes 35-59/*")
        assert part.continued_by(response, 15) == (part, 40)

    def test_with_a_total_that_is_short_of_the_range_continues_nothing(self) -> None:
        part = dataclasses.replace(PART, total=None)
        response = answer(206, ETag=ETAG, Content_Range="bytes 35-59/50")
        assert part.continued_by(response, 15) is None

    @pytest.mark.parametrize("status_code", [200, 203, 304, 404, 412, 416, 503])
    def test_of_another_status_continues_nothing(self, status_code: int) -> None:
        response = answer(status_code, ETag=ETAG, Content_Range="bytes 40-99/100")
        assert WHOLE.continued_by(response, 40) is None

    @pytest.mark.parametrize("etag", [None, "", '"v2"', 'W/"v1"', "v1", '"V1"'])
    def test_with_another_etag_continues_nothing(self, etag: str | None) -> None:
        response = answer(206, ETag=etag, Content_Range="bytes 40-99/100")
        assert WHOLE.continued_by(response, 40) is None

    @pytest.mark.parametrize(
        ("before", "after"), [("", "gzip"), ("gzip", None), ("gzip", "br"), ("gzip", "gzip, br")]
    )
    def test_in_another_encoding_continues_nothing(self, before: str, after: str | None) -> None:
        download = dataclasses.replace(WHOLE, encoding=before)
        response = answer(206, ETag=ETAG, Content_Range="bytes 40-99/100", Content_Encoding=after)
        assert download.continued_by(response, 40) is None

    def test_in_the_same_encoding_continues(self) -> None:
        download = dataclasses.replace(WHOLE, encoding="gzip")
        response = answer(206, ETag=ETAG, Content_Range="bytes 40-99/100", Content_Encoding="gzip")
        assert download.continued_by(response, 40) == (download, 100)

    def test_of_many_parts_continues_nothing(self) -> None:
        response = answer(
            206,
            ETag=ETAG,
            Content_Range="bytes 40-99/100",
            Content_Type="multipart/byteranges; boundary=x",
        )
        assert WHOLE.continued_by(response, 40) is None


@pytest.mark.parametrize(
    ("download", "received", "missing"),
    [
        *((WHOLE, 0, 100), (WHOLE, 100, 0), (WHOLE, 101, -1)),
        *((PART, 15, 25), (PART, 40, 0), (UNTOLD, 40, None)),
    ],
)
def test_missing_is_what_is_left_of_the_promise(
    download: Download, received: int, missing: int | None
) -> None:
    assert download.missing(received) == missing


@given(
    headers=st.fixed_dictionaries(
        {
            "ETag": st.sampled_from([ETAG, ETAG, '"v2"', f"W/{ETAG}", None]),
            "Content_Length": st.sampled_from([None, "59", "60", "61", "100"]),
            "Content_Encoding": st.sampled_from([None, None, "gzip"]),
        }
    ),
    first=st.integers(38, 42),
    last=st.integers(97, 100),
    total=st.sampled_from(["100", "100", "99", "101", "*"]),
    download=st.sampled_from([WHOLE, UNTOLD]),
)
@example({"ETag": ETAG}, 40, 99, "100", UNTOLD)
@example({"ETag": ETAG, "Content_Length": "60"}, 40, 99, "100", WHOLE)
def test_no_answer_but_the_right_one_continues(
    headers: dict[str, str | None],
    first: int,
    last: int,
    total: str,
    download: Download,
) -> None:
    content_range = f"bytes {first}-{last}/{total}"
    response = answer(206, **headers, Content_Range=content_range)
    end = last + 1
    is_right = (
        headers["ETag"] == ETAG
        and headers.get("Content_Encoding") is None
        and headers.get("Content_Length") in {None, str(end - 40)}
        and first == 40
        and total != "*"
        and end <= int(total)
        and download.end in {None, int(total)}
    )
    expected = None
    if is_right:
        expected = dataclasses.replace(WHOLE, end=int(total), total=int(total)), end
    assert download.continued_by(response, 40) == expected
