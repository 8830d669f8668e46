"""Which library an object belongs to, whatever others have done to its class."""

import sys

import pytest
from support import other
from support.library import LIBRARY, httpx
from support.transportkit import RetryTransport

from transportkit.wire.library import any_library, is_a, library_name, library_of


@pytest.mark.parametrize("kind", [httpx.BaseTransport, httpx.Request])
def test_a_class_that_an_sdk_exports_under_its_own_name_stays_the_librarys(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Derived(kind):  # type: ignore[misc]
        pass

    # As openai, anthropic and groq do with all that they export, the base of all transports too.
    monkeypatch.setattr(kind, "__module__", "sdk")
    assert library_name(Derived) == library_name(kind) == httpx.__name__
    assert library_of(Derived) is httpx


def test_a_transport_takes_its_requests_whatever_the_base_class_says_it_is_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Derived(RetryTransport):
        pass

    monkeypatch.setattr(httpx.BaseTransport, "__module__", "sdk")
    stub = httpx.MockTransport(lambda request: httpx.Response(200))
    with httpx.Client(transport=Derived(stub)) as client:
        assert client.get("http://a.example/").status_code == 200


def test_an_object_is_no_instance_of_what_only_has_the_name_of_a_class() -> None:
    class TransportError(Exception):
        pass

    assert not is_a(TransportError(), "TransportError")
    assert library_name(TransportError()) == ""


@pytest.mark.parametrize("missing", [LIBRARY, other.NAME])
def test_any_library_is_one_that_is_installed(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (there,) = {LIBRARY, other.NAME} - {missing}
    # As on a machine where only one of them is installed, and before anything has loaded it.
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, there)
    assert any_library().__name__ == there
