import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.facts import FACTS_VERSION, Facts, facts_hash

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
    annee_creation=st.none() | st.integers(1, 9999),
    date_creation=st.none() | st.dates(),
    tranche_effectifs=_TEXTS,
    effectif=_TEXTS,
    est_siege=st.booleans(),
    sigle=_TEXTS,
    enseigne=_TEXTS,
    denomination=_TEXTS,
)


def test_the_hash_is_the_same_in_every_process_and_release() -> None:
    """A changed digest makes half a million texts due again: raise FACTS_VERSION on purpose."""
    assert facts_hash(_BAKERY) == "cbb8c5b0bef6cbcf9ba181ea1b14b6ff3d3f34737e8903a5939357a054769753"


@given(_ANY_FACTS)
def test_the_hash_is_that_of_the_plain_fields_in_canonical_json(facts: Facts) -> None:
    values = dataclasses.asdict(facts)
    if facts.date_creation is not None:
        values["date_creation"] = facts.date_creation.isoformat()
    plain = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    hashed = hashlib.sha256(f"{FACTS_VERSION}\n{plain}".encode())
    assert facts_hash(facts) == hashed.hexdigest()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Facts)])
def test_a_change_of_any_fact_changes_the_hash(field: str) -> None:
    values: dict[str, Any] = {
        "est_siege": False,
        "annee_creation": 2005,
        "date_creation": dt.date(2004, 1, 2),
    }
    changed = dataclasses.replace(_BAKERY, **{field: values.get(field, "autre chose")})
    assert facts_hash(changed) != facts_hash(_BAKERY)
