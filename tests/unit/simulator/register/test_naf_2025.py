"""The night of NAF 2025, in each of the forms that INSEE may send."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.fetcher.plan.windows import Window
from services.simulator.api.operations import Api
from services.simulator.api.search import RecordSearch
from services.simulator.errors import BadChangeError
from services.simulator.faults import FaultDesk
from services.simulator.options import Faults, SimulatorOptions
from services.simulator.record import periods_of
from services.simulator.register.naf_2025 import FORMS
from services.simulator.register.recorded import RecordedRegister
from services.simulator.register.registers import GeneratedRegister
from services.simulator.register.stock_files import write_stock

_OPTIONS = SimulatorOptions(establishments=300, seed=3, day="2026-12-31")
_NAMES = {
    "new-period": "NAF2025",
    "in-place": "NAF25",
    "other-name": "NAFRev3",
    "old-name": "NAFRev2",
    "keys-gone": "NAF2025",
    "key-added": "NAF2025",
}


def _played(form: str) -> GeneratedRegister:
    register = GeneratedRegister(_OPTIONS)
    register.play_naf_2025(form)
    return register


def _pairs(form: str) -> list[tuple[Any, Any]]:
    before, after = GeneratedRegister(_OPTIONS), _played(form)
    return [(before.record("siret", n), after.record("siret", n)) for n in range(300)]


@pytest.mark.parametrize("form", FORMS)
def test_every_row_is_treated_on_the_day_and_coded_anew_where_a_code_is_known(form: str) -> None:
    coded = 0
    for before, after in _pairs(form):
        assert after["dateDernierTraitementEtablissement"].startswith("2027-01-01T00:0")
        assert after["uniteLegale"]["dateDernierTraitementUniteLegale"].startswith("2027-01-01T00")
        code = before["activitePrincipaleNAF25Etablissement"]
        newest, old = periods_of(after)[0], periods_of(before)[0]
        if code is None or old["nomenclatureActivitePrincipaleEtablissement"] != "NAFRev2":
            assert periods_of(after) == periods_of(before)
            continue
        coded += 1
        assert newest["activitePrincipaleEtablissement"] == code
        assert newest["nomenclatureActivitePrincipaleEtablissement"] == _NAMES[form]
        assert newest["etatAdministratifEtablissement"] == old["etatAdministratifEtablissement"]
        assert after["nombrePeriodesEtablissement"] == len(periods_of(after))
    assert coded > 100


@pytest.mark.parametrize("form", FORMS)
def test_a_new_period_begins_on_the_day_and_ends_the_one_before(form: str) -> None:
    before, after = next(
        pair for pair in _pairs(form) if pair[0]["activitePrincipaleNAF25Etablissement"]
    )
    periods = periods_of(after)
    if not FORMS[form].new_period:
        assert len(periods) == len(periods_of(before))
        return
    assert (periods[0]["dateDebut"], periods[0]["dateFin"]) == ("2027-01-01", None)
    assert periods[1] == {**periods_of(before)[0], "dateFin": "2026-12-31"}
    changed = {name for name, value in periods[0].items() if value is True}
    assert changed == {"changementActivitePrincipaleEtablissement"}


@pytest.mark.parametrize("form", FORMS)
def test_keys_come_and_go_in_records_as_in_stock_files(form: str, tmp_path: Path) -> None:
    record: Any = _played(form).record("siret", 0)
    gone, added = form == "keys-gone", form == "key-added"
    assert ("activitePrincipaleNAF25Etablissement" in record) is not gone
    assert ("activitePrincipaleNAF25UniteLegale" in record["uniteLegale"]) is not gone
    assert ("activitePrincipaleNAFRev2Etablissement" in record) is added
    assert ("activitePrincipaleNAFRev2UniteLegale" in record["uniteLegale"]) is added
    options = SimulatorOptions(establishments=60, seed=3, day="2026-12-31", naf_2025=form)
    files = write_stock(tmp_path, options)
    for collection, suffix in (("siret", "Etablissement"), ("siren", "UniteLegale")):
        with files[collection].path.open(encoding="utf-8", newline="") as lines:  # type: ignore[index]
            rows = list(csv.DictReader(lines))
        assert (f"activitePrincipaleNAF25{suffix}" in rows[0]) is not gone
        assert (f"activitePrincipaleNAFRev2{suffix}" in rows[0]) is added
        assert _NAMES[form] in {row[f"nomenclatureActivitePrincipale{suffix}"] for row in rows}
        assert all(row[f"dateDernierTraitement{suffix}"].startswith("2027") for row in rows)


def test_a_query_finds_what_a_record_says_and_the_night_comes_once() -> None:
    register = GeneratedRegister(_OPTIONS)
    search = RecordSearch(register)
    day = "dateDernierTraitementEtablissement:[2027-01-01T00:00:00 TO 2027-01-01T23:59:59]"
    of_units = "dateDernierTraitementUniteLegale:[2027-01-01T00:00:00 TO 2027-01-01T23:59:59]"
    assert not search.hits("siret", day, None)
    register.play_naf_2025("new-period")
    assert len(search.hits("siret", day, None)) == 300
    assert len(search.hits("siret", of_units, None)) == 300
    named = "periode(nomenclatureActivitePrincipaleEtablissement:NAF2025 AND -dateFin:*)"
    found = search.hits("siret", named, None)
    assert found
    record: Any = register.record("siret", found[0])
    code = record["uniteLegale"]["activitePrincipaleUniteLegale"]
    assert found[0] in search.hits("siret", f"activitePrincipaleUniteLegale:{code}", None)
    with pytest.raises(BadChangeError, match="passed already"):
        register.play_naf_2025("new-period")


def test_an_import_by_a_code_of_naf_2025_finds_the_same_before_and_after_the_night() -> None:
    register = GeneratedRegister(_OPTIONS)
    announced = [
        register.record("siret", n)["activitePrincipaleNAF25Etablissement"] for n in range(300)
    ]
    [(code, times)] = Counter(each for each in announced if each).most_common(1)
    assert times > 3
    query = Window(activite_principale=code).query
    wanted = [n for n, each in enumerate(announced) if each == code]
    assert list(RecordSearch(register).hits("siret", query, None)) == wanted
    register.play_naf_2025("keys-gone")
    assert set(RecordSearch(register).hits("siret", query, None)) <= set(wanted)
    assert RecordSearch(register).hits("siret", query, None)


def test_informations_tells_the_day_as_one_of_mass_treatment() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=3, naf_2025="in-place"))
    answer = json.loads(Api(register, FaultDesk(Faults(), seed=1)).answer("informations", {}).body)
    dates = answer["datesDernieresMisesAJourDesDonnees"]
    assert {each["dateDernierTraitementDeMasse"][:10] for each in dates} == {"2026-08-06"}
    assert {each["dateDernierTraitementMaximum"][:10] for each in dates} == {"2026-08-06"}


def test_a_change_after_the_night_is_kept() -> None:
    register = _played("in-place")
    siret = register.identifier("siret", 0)
    register.changes.set(siret, {"dateDernierTraitementEtablissement": "2027-02-01T10:00:00.000"})
    record = register.record("siret", 0)
    assert record["dateDernierTraitementEtablissement"] == "2027-02-01T10:00:00.000"


def test_recorded_records_pass_the_night_too(insee: Path) -> None:
    recorded = RecordedRegister(insee / "etablissements.jsonl", "2026-12-31", "new-period")
    records = [recorded.record("siret", n) for n in range(recorded.size("siret"))]
    assert any(
        periods_of(each)[0]["nomenclatureActivitePrincipaleEtablissement"] == "NAF2025"
        for each in records
    )
    assert records == [recorded.record("siret", n) for n in range(recorded.size("siret"))]


def test_a_form_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(BadChangeError, match="known: new-period, in-place"):
        GeneratedRegister(SimulatorOptions(establishments=3, naf_2025="other"))
