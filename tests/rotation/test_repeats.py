"""What is remembered for the repeats of requests."""

from support.library import httpx
from support.members import make_members

from transportkit.rotation.repeats import Repeats

A, B = make_members([1, 1])


def request(path: str = "/", method: str = "GET", attempt: object = 2) -> httpx.Request:
    return httpx.Request(method, f"http://h{path}", extensions={"attempt": attempt})


def test_a_repeat_avoids_those_that_failed_and_the_last_one_most() -> None:
    repeats = Repeats()
    for member in (A, B, A):
        repeats.add(request(), member)
    assert repeats.avoided(request()) == (B, A)
    assert repeats.avoided(request(attempt=1)) == ()
    assert repeats.avoided(request(attempt=None)) == ()
    assert repeats.avoided(request("/other")) == repeats.avoided(request(method="PUT")) == ()


def test_a_success_of_a_repeat_is_the_end_of_it() -> None:
    repeats = Repeats()
    repeats.add(request(), A)
    repeats.forget(request(attempt=1))
    assert repeats.avoided(request()) == (A,)
    repeats.forget(request())
    repeats.forget(request())
    assert repeats.avoided(request()) == ()


def test_what_nobody_repeats_is_forgotten_in_the_end() -> None:
    repeats = Repeats()
    for number in range(1001):
        repeats.add(request(f"/{number}"), A)
    assert len(repeats.by_request) == 1000
    assert repeats.avoided(request("/0")) == ()
    for member in make_members([1] * 20):
        repeats.add(request("/7"), member)
    assert len(repeats.avoided(request("/7"))) == 16
