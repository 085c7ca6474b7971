"""Facts for the reviewer's tests."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from shared.sirene.facts import Facts

FactsLike = Callable[..., Facts]

_GARAGE = Facts(
    siret="12345678900012",
    siren="123456789",
    nom="GARAGE DU PORT",
    forme="Société à responsabilité limitée (sans autre indication)",
    categorie_juridique="5499",
    activite="Entretien et réparation de véhicules automobiles légers",
    commune="VANNES",
    code_commune="56260",
    departement="56",
    annee_creation=2011,
    date_creation=dt.date(2011, 3, 1),
    tranche_effectifs="01",
    effectif="1 ou 2 salariés",
    est_siege=True,
    unite_date_creation=dt.date(2011, 3, 1),
)


@pytest.fixture
def facts_like() -> FactsLike:
    """Return the facts of a garage, some of them changed."""

    def change(**changes: Any) -> Facts:
        return dataclasses.replace(_GARAGE, **changes)

    return change
