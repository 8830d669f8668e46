"""A download under way: how much of it has come, and whether it may be continued."""

import random
import re
import ssl
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx

from transportkit.retrying.ranges import Download
from transportkit.retrying.transfer import Transfer, new_transfer
from transportkit.wire.lifecycle import Lifecycle

GET = httpx.Request("GET", "https://example.com/file")
ETAG = '"v1"'
WHOLE = Download(ETAG, "", 0, 100, 100)
PART = Download(ETAG, "", 20, 60, 100)
# The first answer came in chunks and told no length.
UNTOLD = Download(ETAG, "", 0, None, None)


def answer(status_code: int, headers: dict[str, str]) -> httpx.Response:
    """The head of an answer whose body has not been read."""
    response = httpx.Response(status_code, headers=headers)
    response.is_closed = False
    return response


def lifecycle(*, is_ready: bool = True) -> Lifecycle[object]:
    found: Lifecycle[object] = Lifecycle()
    found.is_ready = is_ready
    return found


def transfer(
    download: Download, received: int, *, max_resumes: int = 5, is_ready: bool = True
) -> Transfer:
    """A download of which so many bytes have come."""
    found = Transfer(GET, download, max_resumes, lifecycle(is_ready=is_ready))
    found.add(b"x" * received)
    return found


def rest_of(found: Transfer) -> httpx.Request:
    assert found.next_wait() == 0
    request = found.request_rest()
    assert isinstance(request, httpx.Request)
    return request


class TestTheLength:
    @pytest.mark.parametrize(
        ("download", "received", "missing"),
        [(WHOLE, 0, 100), (WHOLE, 100, 0), (PART, 15, 25), (PART, 40, 0), (UNTOLD, 40, None)],
    )
    def test_is_complete_once_nothing_is_missing(
        self, download: Download, received: int, missing: int | None
    ) -> None:
        assert transfer(download, received).is_complete == (missing == 0)

    @pytest.mark.parametrize(
        ("download", "received", "is_exceeded"),
        [
            *((WHOLE, 0, False), (WHOLE, 99, False), (WHOLE, 100, False), (WHOLE, 101, True)),
            *((PART, 40, False), (PART, 41, True), (UNTOLD, 40, False)),
        ],
    )
    def test_is_exceeded_by_the_first_byte_behind_it(
        self, download: Download, received: int, is_exceeded: bool
    ) -> None:
        assert transfer(download, 0).add(b"x" * received) != is_exceeded

    @pytest.mark.parametrize(
        ("download", "received", "ending"),
        [
            *((WHOLE, 0, "ended"), (WHOLE, 99, "ended"), (WHOLE, 101, "went on")),
            *((PART, 39, "ended"), (PART, 41, "went on")),
        ],
    )
    def test_that_breaks_the_promise_is_a_protocol_error(
        self, download: Download, received: int, ending: str
    ) -> None:
        text = f"^the body {ending} at byte {received}, against its promise$"
        with pytest.raises(httpx.RemoteProtocolError, match=text) as failed:
            transfer(download, received).check_end()
        assert failed.value.request.url == GET.url

    @pytest.mark.parametrize(("download", "received"), [(WHOLE, 100), (PART, 40)])
    def test_that_keeps_the_promise_is_none(self, download: Download, received: int) -> None:
        transfer(download, received).check_end()

    def test_that_nobody_told_cannot_be_wrong(self) -> None:
        transfer(UNTOLD, 40).check_end()

    def test_that_is_too_long_leaves_nothing_to_ask_for(self) -> None:
        found = transfer(WHOLE, 101)
        with pytest.raises(httpx.RemoteProtocolError):
            found.check_end()
        assert found.next_wait() is None


class TestATransfer:
    def test_begins_with_an_answer_that_promises_something(self) -> None:
        response = answer(200, {"ETag": ETAG, "Content-Length": "3"})
        found = new_transfer(GET, response, 5, lifecycle())
        assert found is not None
        assert found.add(b"abc")
        assert found.is_complete

    def test_that_cannot_be_continued_says_why(self) -> None:
        found, error = new_transfer(GET, answer(200, {}), 5, lifecycle()), httpx.ReadError("")
        assert found is not None
        assert found.add(b"abc")
        found.check_end()
        assert not found.is_complete
        assert found.next_wait() is None
        found.explain(error)
        assert error.__notes__[0].endswith("nor a Last-Modified that is certain enough")

    @pytest.mark.parametrize("status_code", [101, 201, 204, 404, 503])
    def test_does_not_begin_with_an_answer_of_another_status(self, status_code: int) -> None:
        assert new_transfer(GET, answer(status_code, {"ETag": ETAG}), 5, lifecycle()) is None

    def test_does_not_begin_with_one_that_was_read_already(self) -> None:
        response = answer(200, {"ETag": ETAG, "Content-Length": "3"})
        response.close()
        assert new_transfer(GET, response, 5, lifecycle()) is None

    def test_counts_all_chunks(self) -> None:
        found = transfer(WHOLE, 10)
        assert found.add(b"x" * 5)
        assert found.received == 15
        assert rest_of(found).headers["Range"] == "bytes=15-99"

    @pytest.mark.parametrize("max_resumes", [0, 1, 3])
    def test_is_resumed_no_more_than_so_often(self, max_resumes: int) -> None:
        found = transfer(WHOLE, 10, max_resumes=max_resumes)
        waits = [found.next_wait() for _ in range(4)]
        assert [wait is not None for wait in waits] == [at < max_resumes for at in range(4)]

    def test_is_not_resumed_once_its_body_is_closed(self) -> None:
        found = transfer(WHOLE, 10)
        found.is_closed = True
        assert found.next_wait() is None

    def test_is_not_resumed_once_its_transport_is_closed(self) -> None:
        assert transfer(WHOLE, 10, is_ready=False).next_wait() is None

    def test_goes_on_with_the_rest(self) -> None:
        found, error = transfer(UNTOLD, 40), httpx.ReadError("")
        assert found.accept(answer(206, {"ETag": ETAG, "Content-Range": "bytes 40-99/100"}), error)
        assert not hasattr(error, "__notes__")
        # The answer has told the end.
        assert rest_of(found).headers["Range"] == "bytes=40-99"

    def test_is_over_after_another_answer(self) -> None:
        found, error = transfer(WHOLE, 40), httpx.ReadError("")
        assert not found.accept(answer(200, {"ETag": ETAG}), error)
        found.explain(error)
        assert error.__notes__ == [
            "transportkit: the body cannot be resumed: asking for the rest was answered with 200"
        ]
        assert found.next_wait() is None

    def test_is_over_when_it_was_closed_meanwhile(self) -> None:
        found, error = transfer(WHOLE, 40), httpx.ReadError("")
        found.is_closed = True
        assert not found.accept(
            answer(206, {"ETag": ETAG, "Content-Range": "bytes 40-99/100"}), error
        )
        found.explain(error)
        assert error.__notes__ == [
            "transportkit: the body cannot be resumed: the transport or the response was closed"
        ]


@pytest.mark.parametrize(
    ("kind", "breaks"),
    [
        *((httpx.ReadError, True), (httpx.CloseError, True), (httpx.RemoteProtocolError, True)),
        *((httpx.ReadTimeout, True), (httpx.PoolTimeout, False), (httpx.WriteTimeout, False)),
        *(
            (httpx.LocalProtocolError, True),
            (OSError, True),
            (ssl.SSLError, True),
            (httpx.ProxyError, False),
            (ValueError, False),
        ),
    ],
)
def test_a_break_is_an_error_of_the_connection(kind: type[Exception], breaks: bool) -> None:
    error = kind("")
    broken = transfer(WHOLE, 40).as_break(error)
    assert (broken is not None) == breaks
    if broken is not None and not isinstance(error, httpx.TransportError):
        assert isinstance(broken, httpx.ReadError)
        assert broken.__cause__ is error


@dataclass
class Server:
    """Serves the ranges of one file, without a thought.

    Attributes:
        file: what it serves.
        etag: what it calls the file.
        tells_length: whether its answer with the whole file tells how long it is.
    """

    file: bytes
    etag: str = ETAG
    tells_length: bool = True

    def answer(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        asked = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", request.headers.get("Range", ""))
        headers = {"ETag": self.etag}
        if asked is None or request.headers.get("If-Range", self.etag) != self.etag:
            if self.tells_length:
                headers["Content-Length"] = str(len(self.file))
            return answer(200, headers), self.file
        total = len(self.file)
        if asked[1]:
            first = int(asked[1])
            last = min(int(asked[2] or total), total - 1)
        else:
            first, last = max(total - int(asked[2]), 0), total - 1
        if first > last:
            return answer(416, {"Content-Range": f"bytes */{total}"}), b""
        headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        headers["Content-Length"] = str(last - first + 1)
        return answer(206, headers), self.file[first : last + 1]


def download(server: Server, request: httpx.Request, breaks: list[int]) -> bytes:
    """What arrives when the connection breaks after each of these many bytes."""
    response, body = server.answer(request)
    found = new_transfer(request, response, len(breaks), lifecycle())
    assert found is not None
    arrived = b""
    for length in breaks:
        arrived += body[:length]
        assert found.add(body[:length])
        if length >= len(body):
            return arrived
        response, body = server.answer(rest_of(found))
        assert found.accept(response, httpx.ReadError(""))
    arrived += body
    assert found.add(body)
    found.check_end()
    return arrived


files = st.builds(
    lambda seed, size: random.Random(seed).randbytes(size), st.integers(), st.integers(1, 300)
)
breaks = st.lists(st.integers(0, 120), max_size=8)


@given(file=files, breaks=breaks, tells_length=st.booleans())
def test_a_file_arrives_whole_however_often_it_breaks(
    file: bytes, breaks: list[int], tells_length: bool
) -> None:
    assert download(Server(file, tells_length=tells_length), GET, breaks) == file


@given(file=files, breaks=breaks, data=st.data())
def test_a_range_arrives_whole_however_often_it_breaks(
    file: bytes, breaks: list[int], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(file) - 1))
    last = data.draw(st.integers(first, 400))
    range_, expected = data.draw(
        st.sampled_from(
            [
                (f"bytes={first}-{last}", file[first : last + 1]),
                (f"bytes={first}-", file[first:]),
                (f"bytes=-{last + 1}", file[-last - 1 :]),
            ]
        )
    )
    assert (
        download(Server(file), httpx.Request("GET", GET.url, headers={"Range": range_}), breaks)
        == expected
    )
