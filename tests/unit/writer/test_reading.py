import json
from pathlib import Path
from typing import Any

import pytest

from services.writer.reading import MAX_MESSAGE_LENGTH, ReadSlice, read_slice
from shared.messages import ContractError, WriteSlice

RECORDED = Path(__file__).parents[2] / "fixtures" / "insee" / "etablissements.jsonl"


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
            fetched_at="2026-08-05T12:00:00+00:00",
            records=json.dumps(records),
        )
    )


def test_listed_sirets_include_those_that_cannot_be_written() -> None:
    read = _read(_record(), _record(siret="12000101199999", nic=None, siren=None, uniteLegale=None))
    assert read.records == 2
    assert read.sirets == ("12000101100010", "12000101199999")
    assert [row.siret for row in read.rows] == ["12000101100010"]
    assert [fault.code for fault in read.faults] == ["missing_unite_legale"]


def test_a_fault_without_siret_is_named_by_its_place() -> None:
    (fault,) = _read({}).faults
    assert (fault.key, fault.siren, fault.payload) == ("1/2/4/0", None, None)


@pytest.mark.parametrize("statut", ["P", "N", None, "[ND]", 1])
def test_only_what_is_open_to_all_keeps_its_payload(statut: object) -> None:
    hidden = _record(statutDiffusionEtablissement=statut, dateCreationEtablissement="never")
    open_to_all = _record(dateCreationEtablissement="never")
    assert [fault.payload is None for fault in _read(hidden, open_to_all).faults] == [True, False]


def test_a_lone_surrogate_neither_stops_the_slice_nor_reaches_a_row() -> None:
    enseigne = "CHEZ \ud800\x00 JEANNE"
    record = _record()
    record["periodesEtablissement"][0]["enseigne1Etablissement"] = enseigne
    broken = _record(dateCreationEtablissement=enseigne)
    read = _read(record, broken)
    assert read.rows[0].mapped.etablissement.enseigne1 == "CHEZ  JEANNE"
    assert read.faults[0].payload is not None


def test_messages_are_bounded() -> None:
    assert all(
        len(fault.message) <= MAX_MESSAGE_LENGTH for fault in _read(_record(siret="x")).faults
    )


@pytest.mark.parametrize("body", ["", "{}", "null", "[1", "[" * 100_000])
def test_what_is_no_array_breaks_the_contract(body: str) -> None:
    with pytest.raises(ContractError):
        read_slice(WriteSlice(1, 1, 1, 0, "2026-08-05T12:00:00+00:00", body))
