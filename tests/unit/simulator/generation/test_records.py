"""Generated records against the shape of a live answer and INSEE's dictionary of variables."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.simulator.generation import reference, vocabulary
from services.simulator.generation.identifiers import LA_POSTE, luhn_sum
from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister

Record = Mapping[str, Any]
_TYPES = {"str": str, "bool": bool, "int": int}
_NATURES = {"string": str, "date": str, "datetime": str, "boolean": bool, "integer": int}
_BLOCKS = ("uniteLegale", "adresseEtablissement", "adresse2Etablissement")


@pytest.fixture(scope="module")
def shapes(insee: Path) -> Sequence[Record]:
    shapes: list[Record] = json.loads((insee / "live_shape_2026-08.json").read_text("utf-8"))[
        "etablissements_shape"
    ]
    return shapes


@pytest.fixture(scope="module")
def unmasked(register: GeneratedRegister) -> Sequence[Record]:
    sirets = (register.identifier("siret", p) for p in range(register.size("siret")))
    return [record for record in map(register.unmasked, sirets) if record is not None]


@pytest.fixture(scope="module")
def served(register: GeneratedRegister) -> Sequence[Record]:
    return [register.record("siret", p) for p in range(register.size("siret"))]


def _blocks(record: Record) -> list[tuple[str, Record]]:
    own = {k: v for k, v in record.items() if not isinstance(v, (dict, list))}
    periods = [("periodesEtablissement", period) for period in record["periodesEtablissement"]]
    return [("etablissement", own), *((name, record[name]) for name in _BLOCKS), *periods]


def test_keys_and_their_order_are_those_of_a_live_answer(
    served: Sequence[Record], shapes: Sequence[Record]
) -> None:
    plain, purged = shapes[0], shapes[2]
    for record in served:
        shape = purged if "unitePurgeeUniteLegale" in record["uniteLegale"] else plain
        assert list(record) == list(shape)
        for block in _BLOCKS:
            assert list(record[block]) == list(shape[block])
        for period in record["periodesEtablissement"]:
            assert list(period) == list(shape["periodesEtablissement"][0])


def test_what_a_live_answer_types_has_that_type_or_is_null(
    served: Sequence[Record], shapes: Sequence[Record]
) -> None:
    typed = {
        (block, name): _TYPES[kind]
        for shape in shapes
        for block, values in _blocks(shape)
        for name, kind in values.items()
        if kind is not None
    }
    seen: set[tuple[str, str]] = set()
    for record in served:
        for block, values in _blocks(record):
            for name, value in values.items():
                kind = typed.get((block, name))
                if kind is not None and value is not None:
                    assert type(value) is kind, (record["siret"], name, value)
                    seen.add((block, name))
    assert seen == set(typed)


def test_only_what_the_dictionary_calls_nullable_is_null(unmasked: Sequence[Record]) -> None:
    variables = {variable.nom: variable for variable in reference.variables()}
    for record in unmasked:
        for _, values in _blocks(record):
            for name, value in values.items():
                variable = variables[name]
                if value is None:
                    assert variable.nullable, name
                else:
                    assert type(value) is _NATURES[variable.nature], name


def test_the_same_seed_gives_the_same_register_and_another_seed_another() -> None:
    def sample(seed: int) -> list[Record]:
        register = GeneratedRegister(SimulatorOptions(establishments=300, seed=seed))
        return [register.record("siret", position) for position in range(0, 300, 7)]

    assert sample(3) == sample(3)
    assert sample(3) != sample(4)


def test_identifiers_rise_and_pass_their_check(register: GeneratedRegister) -> None:
    sirets = [register.identifier("siret", p) for p in range(register.size("siret"))]
    assert sirets == sorted(set(sirets))
    post = [siret for siret in sirets if siret.startswith(LA_POSTE)]
    assert len(post) > 5
    for siret in sirets:
        assert luhn_sum(siret[:9]) % 10 == 0
        assert siret in post or luhn_sum(siret) % 10 == 0


def test_shares_are_those_of_the_real_register(unmasked: Sequence[Record]) -> None:
    total = len(unmasked)
    states = Counter(
        r["periodesEtablissement"][0]["etatAdministratifEtablissement"] for r in unmasked
    )
    partial = sum(r["statutDiffusionEtablissement"] == "P" for r in unmasked)
    natural = sum(r["uniteLegale"]["categorieJuridiqueUniteLegale"] == "1000" for r in unmasked)
    assert 0.26 < states["F"] / total < 0.34
    assert 0.10 < partial / total < 0.16
    assert 0.42 < natural / total < 0.56
    assert {len(r["periodesEtablissement"]) for r in unmasked} == set(range(1, 8))


def test_establishments_of_a_unit_agree_about_it_and_one_is_its_seat(
    unmasked: Sequence[Record],
) -> None:
    by_siren: dict[str, list[Record]] = {}
    for record in unmasked:
        by_siren.setdefault(record["siren"], []).append(record)
    assert any(len(records) > 5 for records in by_siren.values())
    for records in by_siren.values():
        assert all(record["uniteLegale"] == records[0]["uniteLegale"] for record in records)
        seats = [record["nic"] for record in records if record["etablissementSiege"]]
        assert seats == [records[0]["uniteLegale"]["nicSiegeUniteLegale"]]


def test_periods_follow_each_other_newest_first(unmasked: Sequence[Record]) -> None:
    for record in unmasked:
        periods = record["periodesEtablissement"]
        assert record["nombrePeriodesEtablissement"] == len(periods)
        assert periods[0]["dateFin"] is None
        assert all(period["dateFin"] is not None for period in periods[1:])
        assert not any(value for name, value in periods[-1].items() if name.startswith("change"))


def test_closed_establishments_of_ceased_units_are_closed(unmasked: Sequence[Record]) -> None:
    for record in unmasked:
        if record["uniteLegale"]["etatAdministratifUniteLegale"] == "C":
            state = record["periodesEtablissement"][0]["etatAdministratifEtablissement"]
            assert state == "F" or record["dateCreationEtablissement"] is None


def test_communes_are_real_and_weigh_what_their_population_weighs() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=20_000))
    known = {commune.code: commune for commune in reference.communes().communes}
    departements: Counter[str] = Counter()
    for position in range(register.size("siret")):
        code = register.row("siret", position, None).value("codeCommuneEtablissement")
        departements[known[str(code)].departement if code else "étranger"] += 1
    assert 0.018 < departements["33"] / 20_000 < 0.03
    assert 0.028 < departements["59"] / 20_000 < 0.046
    assert 0 < departements["étranger"] < 120


def test_all_establishments_can_be_placed_in_chosen_departements() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=500, departements=("33", "2A")))
    codes = {
        str(register.row("siret", position, None).value("codeCommuneEtablissement"))[:2]
        for position in range(500)
    }
    assert codes == {"33", "2A"}


def test_the_dirt_of_the_real_register_is_there() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=12_000, seed=2))
    facts: Counter[str] = Counter()
    names: set[object] = set()
    for position in range(register.size("siret")):
        record: Any = register.unmasked(register.identifier("siret", position))
        created, treated = (
            record["dateCreationEtablissement"],
            record["dateDernierTraitementEtablissement"],
        )
        address, newest = record["adresseEtablissement"], record["periodesEtablissement"][0]
        oldest = record["periodesEtablissement"][-1]
        facts["unknown creation"] += created == "1900-01-01"
        facts["null creation"] += created is None
        facts["future creation"] += (created or "") > "2026-08-05"
        facts["null treatment"] += treated is None
        facts["treatment without time"] += len(treated or "") == 10
        facts["treatment without milliseconds"] += len(treated or "") == 19
        facts["creation after treatment"] += (created or "") > (treated or "9")
        facts["impossible year"] += (oldest["dateDebut"] or "2000")[:2] not in {"19", "20"}
        facts["null state"] += oldest["etatAdministratifEtablissement"] is None
        facts["PARIS 7"] += address["libelleCommuneEtablissement"] == "PARIS 7"
        facts["PARIS"] += address["libelleCommuneEtablissement"] == "PARIS"
        facts["AV"] += address["typeVoieEtablissement"] == "AV"
        facts["AVENUE"] += address["typeVoieEtablissement"] == "AVENUE"
        facts["abroad"] += address["codePaysEtrangerEtablissement"] is not None
        facts["NAP"] += oldest["nomenclatureActivitePrincipaleEtablissement"] == "NAP"
        facts["closed"] += newest["etatAdministratifEtablissement"] == "F"
        names |= {
            newest["enseigne1Etablissement"],
            record["uniteLegale"]["denominationUniteLegale"],
        }
    assert min(facts.values()) > 0, facts
    assert len(names & set(vocabulary.STRANGE_NAMES)) > len(vocabulary.STRANGE_NAMES) // 2


def test_saint_martin_has_no_postcode() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=30, departements=("978",)))
    for position in range(30):
        record: Any = register.unmasked(register.identifier("siret", position))
        assert record["adresseEtablissement"]["codePostalEtablissement"] is None


def test_no_sunday_has_treatments(register: GeneratedRegister) -> None:
    days = Counter(
        str(register.row("siret", p, None).value("dateDernierTraitementEtablissement"))[:10]
        for p in range(register.size("siret"))
    )
    assert days["2026-08-02"] == 0
    assert days["2026-08-04"] > 0
    assert days["2025-12-06"] > 300
