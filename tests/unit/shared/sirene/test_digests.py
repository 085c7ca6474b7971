"""Digests that are sent with records equal those that the receiver makes, or are refused."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from shared.messages import WriteSlice
from shared.sirene.digests import (
    Digests,
    content_hash,
    digests_of,
    encoded,
    from_lines,
    split_record,
    to_lines,
)

Record = dict[str, Any]
RecordWith = Callable[..., Record]

DIGESTS = Digests("12345678900011", "ab" * 16, "cd" * 16)


def test_equal_contents_have_equal_hashes_in_every_process() -> None:
    assert content_hash(b"a") == "e8064bab48621f74488551745cce2ff2"
    assert content_hash(b"a") != content_hash(b"b")


def test_every_recorded_establishment_is_read_again_with_the_digests_that_were_sent(
    recorded_etablissements: list[Record],
) -> None:
    for record in recorded_etablissements:
        line, digests = encoded(record)
        assert b"\n" not in line
        again = orjson.loads(line)
        assert again == {key: value for key, value in record.items() if key != "score"}
        assert digests == digests_of(split_record(record)) == digests_of(split_record(again))


@pytest.mark.parametrize("record", [None, "x\ny", {"siret": "1"}, {"siret": "12345678900011"}])
def test_what_cannot_be_split_is_sent_as_it_is(record: object) -> None:
    line, digests = encoded(record)
    assert (orjson.loads(line), digests) == (record, None)


def test_a_units_other_establishment_has_the_same_digest_of_the_unit(
    record_with: RecordWith,
) -> None:
    one, other = (
        digests_of(split_record(record_with(trancheEffectifsEtablissement=code)))
        for code in ("01", "02")
    )
    assert one.unite == other.unite
    assert one.etablissement != other.etablissement


@pytest.mark.parametrize("digests", [[DIGESTS], [None], [None, DIGESTS, None]])
def test_lines_are_read_back(digests: list[Digests | None]) -> None:
    assert from_lines(to_lines(digests, of="[...]"), of="[...]") == digests


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda lines: lines.replace("mapping-", "mapping-0"),
        lambda lines: lines.replace("ab", "AB"),
        lambda lines: lines + "0",
        lambda lines: lines.replace(" ", "  "),
        lambda lines: lines.replace("12345678900011", "SECRET"),
    ],
)
def test_lines_of_another_version_or_shape_are_no_digests(change: Callable[[str], str]) -> None:
    lines = to_lines([DIGESTS], of="[]")
    assert from_lines(lines, of="[]")
    assert not from_lines(change(lines), of="[]")


def test_digests_of_another_text_are_no_digests() -> None:
    assert not from_lines(to_lines([DIGESTS], of="[...]"), of="[]")


def test_an_array_is_cut_into_the_records_that_it_was_made_of() -> None:
    lines = [b'{"a": ",\\n,"}', b'"x"', b"[]"]
    array = WriteSlice.array_of(lines)
    message = WriteSlice(1, 1, 1, 0, "2026-08-05T12:00:00+00:00", array)
    assert json.loads(array) == [json.loads(line) for line in lines]
    assert [line.removeprefix(b",") for line in message.record_lines()] == lines
