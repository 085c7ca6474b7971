"""Facts in French: nothing is told that the register does not say."""

import dataclasses
import datetime as dt

import orjson

from services.operator.editorial.facts import fact_lines
from shared.sirene.context import Context, Sites
from shared.sirene.facts import Facts, said


def test_facts_are_told_by_their_french_names_and_dates() -> None:
    sites = Sites(open=3, closed=1, communes=2, month=dt.date(2026, 11, 1))
    facts = Facts(
        siret="55210055400013",
        siren="552100554",
        nom="Vert Horizon",
        commune="Bordeaux",
        code_commune="33063",
        date_creation=dt.date(2009, 3, 1),
        est_siege=True,
        employeur=False,
        context=Context(sites=sites),
    )
    stored = orjson.loads(orjson.dumps(said(dataclasses.asdict(facts))))
    assert [tuple(line) for line in fact_lines(stored)] == [
        ("Nom", "Vert Horizon"),
        ("Commune", "Bordeaux"),
        ("Siège de l’unité", "oui"),
        ("Création de l’établissement", "01/03/2009"),
        (
            "Établissements de l’unité",
            "ouverts 3, fermés 1, communes 2, au 01/11/2026",
        ),
    ]
