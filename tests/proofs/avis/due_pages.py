"""Establishments to write about, as the writer leaves them: one trade, no two neighbours."""

import datetime as dt
from dataclasses import asdict

from sqlalchemy import Connection, Engine, insert

from shared.db.tables import avis, etablissements, pro_localisations, unites_legales
from shared.sirene.facts import facts_hash
from shared.sirene.pages import avis_outcome, facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale

_AT_ONCE = 1000
_KEPT = {"content_hash": b"", "fetched_at": dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)}
# The year makes prompts differ.
_FIRST_YEAR, _YEARS = 1950, 70
_HEADCOUNTS = ("01", "02", "03", "11", "12", "21", "22", "31")
_FORMS = ("5499", "5710", "5202", "5599")


def add_subjects(engine: Engine, count: int) -> None:
    """Add this many units, each with an establishment, its pro_localisation and a due text."""
    for start in range(0, count, _AT_ONCE):
        with engine.begin() as connection:
            _add(connection, range(start, min(start + _AT_ONCE, count)))


def _add(connection: Connection, numbers: range) -> None:
    records = [_records(number) for number in numbers]
    connection.execute(insert(unites_legales), [asdict(unit) | _KEPT for unit, _ in records])
    connection.execute(insert(etablissements), [asdict(place) | _KEPT for _, place in records])
    pages = []
    for unit, place in records:
        page = page_of(place, unit)
        assert page is not None
        pages.append(page)
    ids = connection.execute(
        insert(pro_localisations).returning(pro_localisations.c.id, sort_by_parameter_order=True),
        [asdict(page) for page in pages],
    ).scalars()
    due = [
        {
            "pro_localisation_id": page_id,
            "siret": place.siret,
            "siren": unit.siren,
            "kind": "notice",
            "outcome": avis_outcome(place, unit, page.status, sole_traders=False, opposed=False),
            "facts_hash": facts_hash(facts_of(place, unit, page)),
        }
        for page_id, page, (unit, place) in zip(ids, pages, records, strict=True)
    ]
    connection.execute(insert(avis), due)


def _records(number: int) -> tuple[UniteLegale, Etablissement]:
    siren = f"{number + 1:09d}"
    unit = UniteLegale(
        siren=siren,
        statut_diffusion="O",
        etat_administratif="A",
        categorie_juridique=_FORMS[number % len(_FORMS)],
        denomination=f"ATELIER DUPONT {number}",
    )
    place = Etablissement(
        siret=f"{siren}00011",
        siren=siren,
        nic="00011",
        statut_diffusion="O",
        etat_administratif="A",
        date_creation=dt.date(_FIRST_YEAR + number % _YEARS, 3, 1),
        siege=True,
        tranche_effectifs=_HEADCOUNTS[number % len(_HEADCOUNTS)],
        activite_principale="43.32A",
        nomenclature_activite_principale="NAFRev2",
        # Each one has its own Bordeaux: neighbours' texts are compared, and llmock has only one.
        code_commune=f"{number:05d}",
        libelle_commune="BORDEAUX",
        departement="33",
    )
    return unit, place
