"""Operations of the API without a socket: paging, walks, single records, shapes."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.simulator.faults import FaultDesk
from services.simulator.generation.diffusion import MASK
from services.simulator.generation.identifiers import encode_cursor
from services.simulator.register.registers import GeneratedRegister

Call = Callable[..., tuple[int, Any]]


def _walk(call: Call, path: str, list_name: str, key: str, **params: str) -> tuple[list[str], int]:
    """Walk to the end; return the identifiers in order, and the number of requests."""
    found: list[str] = []
    curseur, requests = "*", 0
    while True:
        status, body = call(path, curseur=curseur, **params)
        assert status == 200
        requests += 1
        assert body["header"]["curseur"] == curseur
        assert body["header"]["nombre"] == len(body[list_name])
        found += [record[key] for record in body[list_name]]
        if body["header"]["curseurSuivant"] == curseur:
            assert body[list_name] == []
            return found, requests
        curseur = body["header"]["curseurSuivant"]


def test_a_walk_finds_each_establishment_once_and_ends_with_an_empty_page(
    call: Call, register: GeneratedRegister
) -> None:
    found, requests = _walk(call, "/siret", "etablissements", "siret", nombre="1000")
    assert found == [register.identifier("siret", p) for p in range(register.size("siret"))]
    assert requests == 6 + 1


def test_a_walk_of_a_query_finds_what_one_by_one_reading_finds(
    call: Call, register: GeneratedRegister
) -> None:
    q = "codeCommuneEtablissement:59* AND periode(etatAdministratifEtablissement:A AND -dateFin:*)"
    found, _ = _walk(call, "/siret", "etablissements", "siret", nombre="17", q=q)
    expected = []
    for position in range(register.size("siret")):
        record: Any = register.record("siret", position)
        code = record["adresseEtablissement"]["codeCommuneEtablissement"] or ""
        state = record["periodesEtablissement"][0]["etatAdministratifEtablissement"]
        if code.startswith("59") and state == "A":
            expected.append(record["siret"])
    assert found == expected
    assert len(found) > 50


def test_a_walk_can_go_on_from_any_siret_even_one_that_is_not_there(
    call: Call, register: GeneratedRegister
) -> None:
    nowhere = encode_cursor("50000000000000")
    _, body = call("/siret", curseur=nowhere, nombre="1")
    following = register.position_from("siret", "50000000000000")
    assert body["etablissements"][0]["siret"] == register.identifier("siret", following)


def test_units_are_walked_like_establishments(call: Call) -> None:
    q = "siren:[300000000 TO 400000000]"
    found, requests = _walk(call, "/siren", "unitesLegales", "siren", nombre="200", q=q)
    assert found == sorted(found) != []
    assert requests == -(-len(found) // 200) + 1
    assert all("300000000" <= siren <= "400000000" for siren in found)


def test_pages_by_start_and_number_need_no_cursor(call: Call) -> None:
    status, first = call("/siret")
    assert status == 200
    assert first["header"] == {
        "statut": 200, "message": "OK", "total": 6000, "debut": 0, "nombre": 20,
    }  # fmt: skip
    _, second = call("/siret", debut="15", nombre="10")
    assert second["etablissements"][:5] == first["etablissements"][15:]


def test_asking_for_no_rows_tells_only_the_total(call: Call) -> None:
    status, body = call("/siret", nombre="0", q="siren:[300000000 TO 400000000]")
    assert status == 200
    assert list(body) == ["header"]
    assert body["header"]["total"] > 100
    assert body["header"]["nombre"] == 0


@pytest.mark.parametrize(
    "params",
    [
        {"nombre": "1001"},
        {"nombre": "-1"},
        {"nombre": "beaucoup"},
        {"debut": "10001"},
        {"date": "2024"},
        {"curseur": "pasuncurseur"},
        {"curseur": "*", "tri": "siren"},
        {"tri": "etatAdministratifEtablissement"},
        {"q": "etatAdministratifEtablissement:A"},
    ],
)
def test_a_parameter_that_cannot_be_is_a_400_with_a_header(
    call: Call, params: dict[str, str]
) -> None:
    status, body = call("/siret", **params)
    assert status == 400
    assert body["header"]["statut"] == 400
    assert body["header"]["message"].startswith("Erreur de syntaxe")


def test_nothing_found_is_a_404_that_repeats_the_query(call: Call) -> None:
    for params in ({}, {"curseur": "*"}, {"nombre": "0"}):
        status, body = call("/siret", q="siren:000000000", **params)
        assert status == 404
        message = "Aucun élément trouvé pour q=siren:000000000"
        assert body == {"header": {"statut": 404, "message": message}}


def test_one_establishment_and_one_unit(call: Call, register: GeneratedRegister) -> None:
    siret = register.identifier("siret", 4321)
    status, body = call(f"/siret/{siret}")
    assert status == 200
    assert body["header"] == {"statut": 200, "message": "ok"}
    assert body["etablissement"]["siret"] == siret
    status, body = call(f"/siren/{siret[:9]}")
    assert body["header"] == {"statut": 200, "message": "OK"}
    assert body["uniteLegale"]["siren"] == siret[:9]
    assert call("/siret/00000000000000")[0] == 404
    assert call("/siret/12")[0] == 400


def test_a_unit_says_the_same_in_both_collections(call: Call, register: GeneratedRegister) -> None:
    for number in range(0, register.size("siren"), 211):
        siren = register.identifier("siren", number)
        unit = call(f"/siren/{siren}")[1]["uniteLegale"]
        _, found = call("/siret", q=f"siren:{siren}")
        for record in found["etablissements"]:
            for name, value in record["uniteLegale"].items():
                assert unit.get(name, unit["periodesUniteLegale"][0].get(name)) == value, name


def test_duplicates_redirect_and_secret_units_are_refused(
    call: Call, register: GeneratedRegister
) -> None:
    for duplicate, target in register.doublons.items():
        status, body = call(f"/siren/{duplicate}")
        assert status == 301
        assert body["header"]["statut"] == 0
        assert body["header"]["message"].endswith(f" : {target}")
        assert call(f"/siret/{duplicate}00015")[1]["header"]["statut"] == 301
        assert call(f"/siren/{target}")[0] == 200
    for secret in register.non_diffusibles:
        status, body = call(f"/siren/{secret}")
        assert status == 403
        assert body["header"]["message"] == f"Unité légale non diffusable ({secret})"
    assert min(len(register.doublons), len(register.non_diffusibles)) > 2


def test_champs_keeps_the_fields_asked_for_and_the_identifiers(call: Call) -> None:
    champs = "codeCommuneEtablissement,denominationUniteLegale,etatAdministratifEtablissement"
    _, body = call("/siret", champs=champs, nombre="1")
    record = body["etablissements"][0]
    assert set(record) == {
        "siren", "nic", "siret", "uniteLegale", "adresseEtablissement", "periodesEtablissement",
    }  # fmt: skip
    assert set(record["adresseEtablissement"]) == {"codeCommuneEtablissement"}
    assert all(
        set(p) == {"etatAdministratifEtablissement"} for p in record["periodesEtablissement"]
    )


def test_nulls_can_be_left_out(call: Call) -> None:
    _, full = call("/siret", nombre="50")
    _, short = call("/siret", nombre="50", masquerValeursNulles="true")
    assert "null" in str(full).replace("None", "null")
    assert "None" not in str(short)
    assert len(short["etablissements"]) == 50
    for record in short["etablissements"]:
        assert "adresse2Etablissement" not in record or MASK in str(record["adresse2Etablissement"])


def test_a_date_gives_the_one_period_of_that_day(call: Call) -> None:
    _, body = call("/siret", date="2010-01-01", nombre="200", q="siren:[300000000 TO 450000000]")
    assert body["etablissements"] != []
    for record in body["etablissements"]:
        (period,) = record["periodesEtablissement"]
        assert period["dateDebut"] <= "2010-01-01" <= (period["dateFin"] or "9999")


def test_rows_can_be_sorted_and_counted(call: Call) -> None:
    q = "codeCommuneEtablissement:75*"
    _, body = call("/siret", q=q, nombre="1000", tri="dateCreationEtablissement desc")
    dates = [r["dateCreationEtablissement"] for r in body["etablissements"]]
    known = [date for date in dates if date is not None]
    assert known == sorted(known, reverse=True)
    _, body = call("/siret", q=q, nombre="1000", **{"facette.champ": "codeCommuneEtablissement"})
    counted = {c["valeur"]: c["nombre"] for c in body["facettes"][0]["comptages"]}
    assert counted == Counter(
        r["adresseEtablissement"]["codeCommuneEtablissement"] for r in body["etablissements"]
    )


def test_informations_have_the_shape_that_was_recorded(call: Call, insee: Path) -> None:
    recorded = json.loads((insee / "informations_2026-08-05.json").read_text("utf-8"))
    _, body = call("/informations")
    assert list(body) == list(recorded)
    key = "datesDernieresMisesAJourDesDonnees"
    assert [list(item) for item in body[key]] == [list(item) for item in recorded[key]]
    assert body["etatsDesServices"] == recorded["etatsDesServices"]


def test_no_row_was_treated_after_what_informations_tell(call: Call) -> None:
    last = call("/informations")[1]["datesDernieresMisesAJourDesDonnees"][1]
    moment = last["dateDernierTraitementMaximum"]
    assert call("/siret", q=f"dateDernierTraitementEtablissement:{{{moment} TO *]")[0] == 404
    assert call("/siret", q="dateDernierTraitementEtablissement:[2026-08-05 TO *]")[0] == 200


def test_a_masked_unit_is_absent_from_queries_by_postcode_but_not_by_commune(
    call: Call,
) -> None:
    commune = "codeCommuneEtablissement:75*"
    by_commune = call("/siret", q=commune, nombre="0")[1]["header"]["total"]
    by_both = call("/siret", q=f"{commune} AND codePostalEtablissement:75*", nombre="0")[1]
    partial = call("/siret", q=f"{commune} AND statutDiffusionEtablissement:P", nombre="0")[1]
    assert by_both["header"]["total"] == by_commune - partial["header"]["total"]


def test_the_fault_knobs_change_the_schema_and_empty_days(call: Call, desk: FaultDesk) -> None:
    desk.change({"new_keys": True, "missing_keys": True, "days_of_404": ["2026-08-04"]})
    record = call("/siret", nombre="1")[1]["etablissements"][0]
    assert "labelUniteLegale" in record["uniteLegale"]
    assert "adresse2Etablissement" not in record
    day = "dateDernierTraitementEtablissement:[2026-08-04T00:00:00 TO 2026-08-04T23:59:59]"
    assert call("/siret", q=day)[0] == 404
    desk.change({"days_of_404": []})
    assert call("/siret", q=day)[0] == 200
