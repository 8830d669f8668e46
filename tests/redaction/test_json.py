"""JSON keeps its shape and loses its secrets."""

import json

from hypothesis import given
from hypothesis import strategies as st
from support.transportkit import Redaction

REDACTION = Redaction()
JSON = "application/json"


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
