import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.context import Context, Sites
from shared.sirene.facts import FACTS_VERSION, NOT_HASHED, Facts, facts_hash

_BAKERY = Facts(
    siret="33333333300017",
    siren="333333333",
    nom="L'ÉPI D'OR",
    commune="Les Herbiers",
    annee_creation=2004,
    date_creation=dt.date(2004, 1, 1),
    est_siege=True,
)
_TEXTS = st.none() | st.text(max_size=20).filter(lambda text: text.isprintable())
_YEARS = st.none() | st.integers(1, 9999)
_ANY_FACTS = st.builds(
    Facts,
    siret=st.text("0123456789", max_size=14),
    siren=st.text("0123456789", max_size=9),
    nom=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    forme=_TEXTS,
    categorie_juridique=_TEXTS,
    activite=_TEXTS,
    commune=_TEXTS,
    code_commune=_TEXTS,
    departement=_TEXTS,
    annee_creation=_YEARS,
    date_creation=st.none() | st.dates(),
    tranche_effectifs=_TEXTS,
    effectif=_TEXTS,
    est_siege=st.booleans(),
    sigle=_TEXTS,
    enseigne=_TEXTS,
    denomination=_TEXTS,
    adresse=_TEXTS,
    voie=_TEXTS,
    code_postal=_TEXTS,
    region=_TEXTS,
    annee_effectifs=_YEARS,
    unite_date_creation=st.none() | st.dates(),
    unite_tranche_effectifs=_TEXTS,
    unite_effectif=_TEXTS,
    unite_annee_effectifs=_YEARS,
    categorie_entreprise=_TEXTS,
    annee_categorie_entreprise=_YEARS,
    economie_sociale_solidaire=st.booleans(),
    societe_mission=st.booleans(),
    employeur=st.none() | st.booleans(),
)


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    """A changed digest makes half a million texts due again: raise FACTS_VERSION on purpose."""
    assert facts_hash(_BAKERY) == "5e22c26601592d4017ee1e94d2719ffdce3dfe2d2c3097a773cc0fbe1bc3bcbd"


@given(_ANY_FACTS)
def test_the_hash_is_that_of_the_names_and_the_values_in_json(facts: Facts) -> None:
    values = dataclasses.asdict(facts)
    for name in NOT_HASHED:
        del values[name]
    for name in ("date_creation", "unite_date_creation"):
        if values[name] is not None:
            values[name] = values[name].isoformat()
    names = sorted(values)
    plain = json.dumps([values[name] for name in names], ensure_ascii=False, separators=(",", ":"))
    hashed = hashlib.sha256(f"{FACTS_VERSION}\n{' '.join(names)}\n{plain}".encode())
    assert facts_hash(facts) == hashed.hexdigest()


_FIELDS = {field.name for field in dataclasses.fields(Facts)} - NOT_HASHED


@pytest.mark.parametrize("field", sorted(_FIELDS))
def test_a_change_of_any_fact_changes_the_hash(field: str) -> None:
    values: dict[str, Any] = {
        "est_siege": False,
        "annee_creation": 2005,
        "date_creation": dt.date(2004, 1, 2),
    }
    changed = dataclasses.replace(_BAKERY, **{field: values.get(field, "autre chose")})
    assert facts_hash(changed) != facts_hash(_BAKERY)


def test_what_other_rows_say_has_a_hash_of_its_own() -> None:
    sites = Sites(open=2, closed=0, communes=2, month=dt.date(2026, 11, 1))
    changed = dataclasses.replace(_BAKERY, context=Context(sites=sites))
    assert facts_hash(changed) == facts_hash(_BAKERY)
