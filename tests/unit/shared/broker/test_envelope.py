import json

import orjson
import pytest
import zstandard
from dramatiq.errors import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.broker.envelope import CompactEncoder

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), _JSON))
def test_whatever_is_encoded_is_decoded_the_same(data: dict[str, object]) -> None:
    encoder = CompactEncoder()
    assert encoder.decode(encoder.encode(data)) == data


def test_a_slice_of_records_shrinks_on_the_wire() -> None:
    records = json.dumps([{"siret": f"{n:014}", "etatAdministratif": "A"} for n in range(200)])
    encoder = CompactEncoder()
    body = encoder.encode({"kwargs": {"records": records}})
    assert len(body) * 5 < len(records)
    assert encoder.decode(body) == {"kwargs": {"records": records}}


@pytest.mark.parametrize("text", ["é" * 2000, "\0" * 2000, "[\n" * 2000, "x" * 1024, "x" * 1023])
def test_long_texts_are_carried_as_they_are(text: str) -> None:
    encoder = CompactEncoder()
    message = {"kwargs": {"page": 1, "a": text, "b": text + "|", "c": ["y" * 2000]}, "args": []}
    assert encoder.decode(encoder.encode(message)) == message


def test_a_small_message_and_a_stranger_s_plain_json_are_readable() -> None:
    encoder = CompactEncoder()
    assert encoder.encode({"page": 1}) == b'{"page":1}'
    assert encoder.decode(b'{ "page": 1 }') == {"page": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1]",
        b"\xff\xfe",
        b"\x28\xb5\x2f\xfd broken",
        b"\x28\xb5\x2f\xfd",
        zstandard.compress(b"not json"),
        zstandard.compress(b" " * (65 * 1024 * 1024)),
        zstandard.compress(orjson.dumps({"a": 1}))[:-1],
        b'{"kwargs":{}}\0{"a":8}\0not json and more',
        b'{"kwargs":{}}\0{"a":80}\0not json',
        b'{"kwargs":{}}\0{"a":"8"}\0not json',
        b'{"kwargs":{}}\0[1]\0not json',
        b'{"kwargs":{}}\0not json',
        b'{"args":{}}\0{"a":8}\0not json',
        b'[]\0{"a":8}\0not json',
        b'{"kwargs":{}}\0{"a":2}\0\xff\xff',
    ],
)
def test_anything_else_is_a_decode_error_that_does_not_quote_it(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        CompactEncoder().decode(body)
    assert "not json" not in str(caught.value)
