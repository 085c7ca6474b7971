import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.fetcher.walk.slices import slice_of
from services.writer.slices.decode import (
    MAX_MESSAGE_LENGTH,
    Fault,
    MappedRow,
    ReadSlice,
    map_rows,
    read_slice,
)
from shared.messages import ContractError, WriteSlice
from shared.sirene.digests import digests_of, split_record, to_lines

FETCHED_AT = "2026-08-05T12:00:00+00:00"
RECORDED = Path(__file__).parents[3] / "fixtures" / "insee" / "etablissements.jsonl"


def _record(**changes: Any) -> dict[str, Any]:
    first = RECORDED.read_text(encoding="utf-8").splitlines()[0]
    return {**json.loads(first), **changes}


def _read(*records: object) -> ReadSlice:
    return read_slice(
        WriteSlice(
            batch_id=1,
            page=2,
            fetch_id=3,
            slice=4,
            fetched_at=FETCHED_AT,
            records=json.dumps(records),
        )
    )


def _read_with_digests(*records: object, digests: str | None = None) -> ReadSlice:
    """Return the digests that the fetcher sends."""
    each = slice_of(records)
    message = WriteSlice(1, 2, 3, 4, FETCHED_AT, each.records, digests=digests or each.digests)
    return read_slice(message)


def _rows(read: ReadSlice) -> list[MappedRow]:
    return map_rows(read.sent)[0]


def _faults(*records: object) -> list[Fault]:
    """Return the faults of a whole slice in their order."""
    read = _read(*records)
    return [*read.faults, *map_rows(read.sent)[1]]


def test_listed_sirets_include_those_that_cannot_be_written() -> None:
    read = _read(_record(), _record(siret="12000101199999", nic=None, siren=None, uniteLegale=None))
    assert read.records == 2
    assert read.sirets == ("12000101100010", "12000101199999")
    assert [row.siret for row in _rows(read)] == ["12000101100010"]
    assert [fault.code for fault in read.faults] == ["missing_unite_legale"]


def test_a_fault_without_siret_is_named_by_its_place() -> None:
    (fault,) = _read({}).faults
    assert (fault.key, fault.siren, fault.payload) == ("1/2/4/0", None, None)


@pytest.mark.parametrize("statut", ["P", "N", None, "[ND]", 1])
def test_only_what_is_open_to_all_keeps_its_payload(statut: object) -> None:
    hidden = _record(statutDiffusionEtablissement=statut, dateCreationEtablissement="never")
    open_to_all = _record(dateCreationEtablissement="never")
    open_to_all |= {"siret": "12000101199999", "nic": None, "siren": None}  # told after the other
    assert [fault.payload is None for fault in _faults(hidden, open_to_all)] == [True, False]


def test_a_lone_surrogate_neither_stops_the_slice_nor_reaches_a_row() -> None:
    enseigne = "CHEZ \ud800\x00 JEANNE"
    record = _record()
    record["periodesEtablissement"][0]["enseigne1Etablissement"] = enseigne
    broken = _record(dateCreationEtablissement=enseigne)
    assert _rows(_read(record))[0].mapped.etablissement.enseigne1 == "CHEZ  JEANNE"
    assert _faults(broken)[0].payload is not None


def test_messages_are_bounded() -> None:
    (sent,) = _read(_record()).sent
    assert sent.fault("refused", "x" * 5000).message == "x" * MAX_MESSAGE_LENGTH


def _hashes(record: object) -> tuple[str, str]:
    (sent,) = _read(record).sent
    return sent.etablissement_hash, sent.unite_hash


def test_an_establishment_and_its_unit_are_compared_apart() -> None:
    record, renamed, moved = _record(), _record(), _record()
    renamed["uniteLegale"]["denominationUniteLegale"] = "AUTRE NOM"
    moved["adresseEtablissement"]["codeCommuneEtablissement"] = "33063"
    (own, of_unite), (own_renamed, of_renamed) = _hashes(record), _hashes(renamed)
    assert own == own_renamed
    assert of_unite != of_renamed
    assert _hashes(moved)[0] != own
    assert _hashes(moved)[1] == of_unite


def test_a_past_period_counts_and_a_score_does_not() -> None:
    record, other = _record(), _record(score=1.5)
    assert _hashes(record) == _hashes(other)
    other["periodesEtablissement"][-1]["enseigne1Etablissement"] = "AUTREFOIS"
    assert _hashes(record) != _hashes(other)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), 2**70])
def test_what_only_a_lenient_reader_takes_fails_no_neighbour(value: object) -> None:
    good, odd = _record(), _record(siret="12000101199999", nic=None, siren=None, score=value)
    assert [row.siret for row in _rows(_read(good, odd))] == [good["siret"], "12000101199999"]


def test_with_digests_a_slice_is_read_as_without_them() -> None:
    records = [_record(), {}, "x", _record(siret="12000101199999", nic=None, siren=None)]
    read, alone = _read_with_digests(*records), _read(*records)
    assert replace(read, sent=()) == replace(alone, sent=())
    assert [one[:3] for one in read.sent] == [one[:3] for one in alone.sent]
    assert [row.mapped for row in _rows(read)] == [row.mapped for row in _rows(alone)]


def test_what_is_only_compared_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orjson, "loads", None)
    assert len(_read_with_digests(_record()).sent) == 1


def test_digests_of_other_records_are_not_believed() -> None:
    other = slice_of([_record(trancheEffectifsEtablissement="a longer text")])
    read = _read_with_digests(_record(), digests=other.digests)
    assert [one[:3] for one in read.sent] == [one[:3] for one in _read(_record()).sent]


def test_records_that_are_not_in_lines_break_the_contract_of_their_digests() -> None:
    digests = digests_of(split_record(_record()))
    body = json.dumps([_record()])
    message = WriteSlice(1, 2, 3, 4, FETCHED_AT, body, digests=to_lines([digests], of=body))
    with pytest.raises(ContractError):
        map_rows(read_slice(message).sent)


def test_a_record_under_the_digests_of_another_is_a_fault() -> None:
    mine = _record(siret="12000101100010", nic=None, siren=None)
    other = _record(siret="12000101199999", nic=None, siren=None)
    read = _read_with_digests(mine, digests=slice_of([other]).digests)
    (fault,) = map_rows(read.sent)[1]
    assert (fault.code, fault.key) == ("bad_digest", "12000101199999")


def test_a_unit_that_several_establishments_bring_is_the_same_as_if_each_came_alone() -> None:
    first = _record()
    second = _record(siret="12000101199999", nic=None, siren=None)
    renamed = _record(siret="12000101199998", nic=None, siren=None)
    renamed["uniteLegale"]["denominationUniteLegale"] = "AUTRE NOM"
    records = [first, second, renamed]
    together = {row.siret: row.mapped for row in _rows(_read(*records))}
    assert together == {row.siret: row.mapped for one in records for row in _rows(_read(one))}


@pytest.mark.parametrize("body", ["", "{}", "null", "[1", "[" * 100_000])
def test_what_is_no_array_breaks_the_contract(body: str) -> None:
    with pytest.raises(ContractError):
        read_slice(WriteSlice(1, 1, 1, 0, "2026-08-05T12:00:00+00:00", body))


@pytest.mark.parametrize("statut", [{"value": "P"}, ["O"], None])
def test_a_statut_that_is_no_text_is_the_fault_of_its_record_alone(statut: object) -> None:
    bad = _record(siret="12345678900012", siren="123456789", nic="00012")
    bad["statutDiffusionEtablissement"] = statut
    read = _read(_record(), bad)
    rows, faults = map_rows(read.sent)
    assert (len(rows), len(faults) + len(read.faults)) == (1, 1)
    bad["uniteLegale"] = {**bad["uniteLegale"], "statutDiffusionUniteLegale": statut}
    assert len(map_rows(_read(_record(), bad).sent)[1]) == 1


def test_a_record_too_deep_to_be_written_again_fails_alone() -> None:
    bad = _record(siret="12345678900012", siren="123456789", nic="00012", x="DEEP")
    text = json.dumps([_record(), bad]).replace('"DEEP"', 1000 * "[" + 1000 * "]")
    read = read_slice(WriteSlice(1, 2, 3, 4, FETCHED_AT, text))
    assert [fault.code for fault in read.faults] == ["too_deep"]
    assert [fault.key for fault in read.faults] == ["12345678900012"]
    assert len(map_rows(read.sent)[0]) == 1
