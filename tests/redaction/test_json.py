"""JSON keeps its shape and loses its secrets."""

import json

import pytest
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
        is_nothing = value is None or value == "" or isinstance(value, bool)
        return "****" if secret and not is_nothing else value


KEY = "ghp_0123456789abcdefghijABCDEFGHIJ"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # What looks like a secret, as a name.
        (f'{{"{KEY}": {{"requests": 3}}}}', '{"ghp_****": {"requests": 3}}'),
        ('{"https://u:tiger@h/a.git": "main"}', '{"https://****@h/a.git": "main"}'),
        ('{"fcmTokens": {"dXfT2aB:APA91bHunh": true}}', '{"fcmTokens": {"****": true}}'),
        ('{"a": {"dXfT2aB:APA91bHunh": true}}', None),
        # Two members of one name, several values, a separator of RFC 7464.
        ('{"pin": "a", "pin": "b"}', '{"pin": "****", "pin": "****"}'),
        ('{"pin": "a"} {"pin": 2}', '{"pin": "****"} {"pin": "****"}'),
        ('\x1e{"pin": "a"}\n\x1e{"b": 1}\n', '\x1e{"pin": "****"}\n\x1e{"b": 1}\n'),
        # What stands beside a name.
        (
            '[{"path": "/spec/dbPassword", "value": 5}]',
            '[{"path": "/spec/dbPassword", "value": "****"}]',
        ),
        ('{"value": {"x": "a"}, "name": "secret"}', '{"value": {"x": "****"}, "name": "secret"}'),
        ('{"value": "a", "name": 5}', None),
        ('{"kind": "Secret", "data": {"a": "b"}}', '{"kind": "Secret", "data": {"a": "****"}}'),
        ('{"kind": "ConfigMap", "data": {"a": "b"}}', None),
        ('{"api_key": "x", "encoded": "y"}', '{"api_key": "****", "encoded": "****"}'),
        ('{"name": "/secrets/db", "data": "y"}', '{"name": "/secrets/db", "data": "****"}'),
        ('{"kty": "oct", "k": "a"}', '{"kty": "oct", "k": "****"}'),
        ('{"k": "a", "d": 1}', None),
        ('{"token": "quick", "start_offset": 4}', None),
        ('{"keys": [{"value": "q7Zt3LmX9vKc2"}]}', '{"keys": [{"value": "****"}]}'),
        # What is nested in a secret, and in what only may be one.
        ('{"secret": {"name": "a", "b": "c"}}', '{"secret": {"name": "a", "b": "****"}}'),
        (
            '{"sessions": [{"title": "a", "b": "q7Zt3LmX9vKc2"}]}',
            '{"sessions": [{"title": "a", "b": "****"}]}',
        ),
        ('[["Cookie", "a=b"], ["tokens", 3]]', '[["Cookie", "a=****"], ["tokens", 3]]'),
        ('{"cookies": [["a", "b"]]}', '{"cookies": [["****", "****"]]}'),
        # No JSON, or more than can be read.
        ('{"pin": 12}1true', '{"pin": ****'),
        ('{"pin": "a"}]', '{"pin": "****"}]'),
        ('{"pin": "a", "b": ' + "9" * 5000 + "}", '{"pin": "****", "b": ' + "9" * 5000 + "}"),
        ('{"pin": "a", "b": ' + "[" * 100_000, '{"pin": "****", "b": ' + "[" * 100_000),
    ],
)
def test_json_is_shown_without_its_secrets(text: str, shown: str | None) -> None:
    expected = (text if shown is None else shown).encode()
    assert REDACTION.body(text.encode(), JSON) == expected
    assert REDACTION.body(expected, JSON) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"pin": "a", "b": [{', None),
        ('{"pin": "a", "b": [1, -', None),
        ('{"pin": "a", "b": 12.', None),
        ('{"pin": "a", "b": 1e', None),
        ('{"pin": "a", "b": tr', None),
        ('{"pin": "a", "b": nul', None),
        ('{"pin": "a", "b', None),
        ('{"pin": "a", "b"', None),
        ('{"pin": "a", "b": ', None),
        ('{"pin": "a", ', None),
        ('[{"pin": "a"}, ', None),
        # An escape that is cut off is left out.
        ('[{"pin": "a"}, "x\\', '[{"pin": "****"}, "x'),
        ('[{"pin": "a"}, "x\\\\', None),
        ('[{"pin": "a"}, "x\\u00', '[{"pin": "****"}, "x'),
        ('{"c": 1, "pin": "a\\u00', '{"c": 1, "pin": "****'),
        ('{"c": 1, "pin": 12', '{"c": 1, "pin": "****"'),
        ('{"c": 1, "pin": -', '{"c": 1, "pin": "****"'),
        ('{"c": 1, "pin": fal', '{"c": 1, "pin": fal'),
        ('{"pin": "a", "b": ?', None),
        ('{"pin": "a"}}, {', None),
    ],
)
def test_json_that_is_cut_off_is_shown_as_far_as_it_goes(text: str, shown: str | None) -> None:
    expected = text.replace('"pin": "a"', '"pin": "****"') if shown is None else shown
    assert REDACTION.body(text.encode(), JSON).decode() == expected


@given(TestJSON.VALUES)
def test_json_that_is_cut_off_anywhere_shows_no_secret(value: object) -> None:
    text = json.dumps({"a": [value, {"password": "QQ", "b": [1.5, True, "é"]}, value], "b": "\n"})
    for end in range(0, len(text), 5):
        assert b"Q" not in REDACTION.body(text[:end].encode(), JSON)
