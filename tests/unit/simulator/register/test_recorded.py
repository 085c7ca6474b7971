import json
from pathlib import Path

import pytest

from services.simulator.api.operations import Api
from services.simulator.errors import BadOptionError
from services.simulator.faults import FaultDesk
from services.simulator.options import Faults
from services.simulator.register.recorded import RecordedRegister


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_recorded_records_are_served_unchanged_in_the_order_of_their_siret(insee: Path) -> None:
    path = insee / "etablissements.jsonl"
    api = Api(RecordedRegister(path, "2026-08-05"), FaultDesk(Faults(), 1))
    body = json.loads(api.answer("/siret", {"curseur": "*", "nombre": "1000"}).body)
    assert body["etablissements"] == sorted(_lines(path), key=lambda record: str(record["siret"]))
    for record in _lines(path):
        one = json.loads(api.answer(f"/siret/{record['siret']}", {}).body)
        assert one["etablissement"] == record


def test_recorded_units_and_establishments_may_share_a_file(insee: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.jsonl"
    path.write_text(
        (insee / "etablissements.jsonl").read_text("utf-8")
        + (insee / "unites_legales.jsonl").read_text("utf-8"),
        "utf-8",
    )
    register = RecordedRegister(path, "2026-08-05")
    assert register.size("siret") == len(_lines(insee / "etablissements.jsonl"))
    units = _lines(insee / "unites_legales.jsonl")
    assert register.size("siren") == len({unit["siren"] for unit in units})


def test_queries_work_on_recorded_records(insee: Path) -> None:
    register = RecordedRegister(insee / "etablissements.jsonl", "2026-08-05")
    api = Api(register, FaultDesk(Faults(), 1))
    q = "siren:306138900 AND periode(activitePrincipaleEtablissement:47.64Z AND -dateFin:*)"
    found = json.loads(api.answer("/siret", {"q": q, "nombre": "100"}).body)["etablissements"]
    expected = [
        record["siret"]
        for record in _lines(insee / "etablissements.jsonl")
        if record["siren"] == "306138900"
        and "47.64Z" in json.dumps(record["periodesEtablissement"])
    ]
    assert [record["siret"] for record in found] == sorted(map(str, expected))


@pytest.mark.parametrize("line", ["{", "[]", '{"siren": 3}'])
def test_a_file_of_something_else_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(BadOptionError, match="line 2"):
        RecordedRegister(path, "2026-08-05")
