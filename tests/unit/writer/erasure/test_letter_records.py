"""The records that a dead letter carries, and the letter without some of them."""

import json
from typing import Any

import pytest

from services.writer.erasure.letter_records import Letter, Silenced, cut_silenced, read_letter
from shared import wire
from shared.messages import FETCH_QUEUE, WRITE_QUEUE

_FIRST = {"siret": "11111111100011", "siren": "111111111", "nom": "A" * 2000}
_SECOND = {"siret": "22222222200022", "siren": "222222222", "nom": "B"}
_UNITE = {"siren": "333333333", "nom": "C"}


def _body(records: Any, **more: Any) -> bytes:
    message: Any = {"actor_name": "write_slice", "args": [], "kwargs": {"records": records} | more}
    return wire.encode(message)


def _records(body: bytes) -> Any:
    return json.loads(wire.decode(body)["kwargs"]["records"])


def test_a_letter_tells_every_unit_and_establishment_of_its_records() -> None:
    body = _body(json.dumps([_SECOND, _FIRST, _UNITE, _FIRST]))
    assert read_letter(WRITE_QUEUE, body) == Letter(
        body, ("111111111", "222222222", "333333333"), ("11111111100011", "22222222200022")
    )


def test_only_the_queue_of_slices_is_looked_into() -> None:
    assert read_letter(FETCH_QUEUE, b"no message at all") == Letter(b"no message at all")


@pytest.mark.parametrize(
    "body", [b"no message", b"", b"\x28\xb5\x2f\xfd torn", b"[]", b'{"a": "\\ud800"}']
)
def test_what_is_no_message_is_not_kept(body: bytes) -> None:
    assert read_letter(WRITE_QUEUE, body).body == b""


@pytest.mark.parametrize("records", ["[", '{"siret": "11111111100011"}', 7, None])
def test_a_slice_that_is_no_list_keeps_its_envelope_only(records: Any) -> None:
    body = json.dumps(
        {"actor_name": "write_slice", "args": [], "kwargs": {"records": records, "page": 3}}
    ).encode()
    kept = wire.decode(read_letter(WRITE_QUEUE, body).body)
    assert kept["kwargs"] == {"records": "", "page": 3}


def test_a_record_that_says_not_whose_it_is_is_cut_at_once() -> None:
    body = _body(json.dumps([_FIRST, {"nom": "D"}, "E", {"siret": 7}]), page=3)
    letter = read_letter(WRITE_QUEUE, body)
    assert _records(letter.body) == [_FIRST]
    assert wire.decode(letter.body)["kwargs"]["page"] == 3


@pytest.mark.parametrize(
    "silenced", [Silenced(frozenset({"111111111"})), Silenced(sirets=frozenset({"11111111100011"}))]
)
def test_the_records_of_the_silenced_are_cut_and_the_others_stay(silenced: Silenced) -> None:
    letter = cut_silenced(_body(json.dumps([_FIRST, _SECOND])), silenced)
    assert _records(letter.body) == [_SECOND]
    assert letter.sirens == ("222222222",)


def test_the_digests_that_name_the_silenced_are_cut_with_them() -> None:
    body = _body(json.dumps([_FIRST, _SECOND]), digests="11111111100011", shard=1)
    letter = cut_silenced(body, Silenced(frozenset({"111111111"})))
    assert wire.decode(letter.body)["kwargs"].keys() == {"records", "shard"}


def test_a_letter_of_others_stays_as_it_is() -> None:
    body = _body(json.dumps([_SECOND]))
    assert cut_silenced(body, Silenced(frozenset({"111111111"}))).body is body


def test_a_letter_that_cannot_be_read_is_emptied() -> None:
    assert cut_silenced(b"torn", Silenced(frozenset({"111111111"}))) == Letter(b"")


def test_what_is_too_deep_to_be_written_again_is_not_kept_and_holds_up_no_other_letter() -> None:
    deep = json.dumps([_FIRST, {}])[:-1] + ',{"siret":"22222222200022","x":DEEP}]'
    deep = deep.replace("DEEP", 300 * "[" + 300 * "]")
    assert wire.decode(read_letter(WRITE_QUEUE, _body(deep)).body)["kwargs"]["records"] == ""
    envelope = json.dumps({"kwargs": {"records": "[{}]", "page": "DEEP"}})
    body = envelope.replace('"DEEP"', 300 * "[" + 300 * "]").encode()
    assert read_letter(WRITE_QUEUE, body).body == b""
