"""The register and the banks of pairs that people write over it."""

import csv
import json
from pathlib import Path

import pytest

from services.simulator.generation.identifiers import luhn_sum
from services.writer.stock.columns import layout_of
from tests.benchmarks.pairs.banks import banks, read_bank
from tests.benchmarks.pairs.fixed_register import ESTABLISHMENTS, rows, write_stock_of

SIRET = rows()[0]["siret"]
GOOD = {"kind": "typo", "query": "a query", "siret": SIRET}


def bank_of(folder: Path, *pairs: object) -> Path:
    path = folder / "bank.jsonl"
    path.write_text("\n".join(json.dumps(pair) for pair in pairs), encoding="utf-8")
    return path


def test_the_register_holds_3_000_establishments_with_names_and_places() -> None:
    sirets = [row["siret"] for row in rows()]
    assert len(set(sirets)) == ESTABLISHMENTS
    assert all(luhn_sum(siret[:9]) % 10 == 0 for siret in sirets)
    for row in rows():
        assert row["denominationUniteLegale"] or row["nomUniteLegale"]
        assert row["libelleCommuneEtablissement"]


def test_the_register_is_written_as_stock_files(tmp_path: Path) -> None:
    counts = {}
    for path in write_stock_of(tmp_path):
        with Path(path).open(encoding="utf-8", newline="") as lines:
            header, *written = csv.reader(lines)
        layout = layout_of(header)
        assert not layout.absent
        counts[layout.collection] = len(written)
    assert counts["etablissements"] == ESTABLISHMENTS
    assert 1_000 < counts["unites_legales"] <= ESTABLISHMENTS


def test_every_bank_can_be_read() -> None:
    assert all(read_bank(path) for path in banks())


def test_a_pair_may_have_several_right_answers(tmp_path: Path) -> None:
    other = rows()[1]["siret"]
    [pair] = read_bank(bank_of(tmp_path, GOOD | {"also": [other]}))
    assert pair.sirets == {SIRET, other}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([GOOD, "odd"], "line 2: no pair"),
        ([{"kind": "typo", "siret": SIRET}], "no pair"),
        ([GOOD | {"kind": "strange"}], "unknown kind 'strange'"),
        ([GOOD | {"siret": "00000000000000"}], "not in the register: 00000000000000"),
        ([GOOD | {"note": "x"}], "unknown note"),
        ([GOOD, GOOD], "line 2: an empty query, or one that was there"),
        ([GOOD | {"query": " "}], "an empty query"),
    ],
)
def test_what_is_no_pair_is_told_with_its_line(
    pairs: list[object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        read_bank(bank_of(tmp_path, *pairs))
