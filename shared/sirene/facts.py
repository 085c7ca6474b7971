"""What a text about an establishment may rely on, resolved from the register once and for all."""

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from operator import attrgetter
from typing import cast

import orjson

FACTS_VERSION = "facts-2"
"""Raise it when a field changes its meaning: every stored hash then differs, every text is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels, not codes, wherever a reader would see them; None where the register says nothing.

    `effectif` is INSEE's label of `tranche_effectifs` ("3 à 5 salariés"); None for NN or unknown.
    `denomination` is the legal unit's own name where `nom` is another one, over the door; None too
    for a sole trader, whose own name is a person's.
    `annee_creation` and `date_creation` are None for 1900-01-01, INSEE's mark of "unknown".
    """

    siret: str
    siren: str
    nom: str
    forme: str | None = None
    categorie_juridique: str | None = None
    activite: str | None = None
    activite_code: str | None = None
    nomenclature: str | None = None
    commune: str | None = None
    code_commune: str | None = None
    departement: str | None = None
    annee_creation: int | None = None
    date_creation: dt.date | None = None
    tranche_effectifs: str | None = None
    effectif: str | None = None
    est_siege: bool = False
    sigle: str | None = None
    enseigne: str | None = None
    denomination: str | None = None


_PREFIX = f"{FACTS_VERSION}\n".encode()
_FIELDS = tuple(sorted(field.name for field in dataclasses.fields(Facts)))
_VALUES = attrgetter(*_FIELDS)


def to_json(facts: Facts) -> str:
    """Canonical: equal facts give equal bytes in every process and Python version."""
    return _to_bytes(facts).decode()


def _to_bytes(facts: Facts) -> bytes:
    return orjson.dumps(dict(zip(_FIELDS, _VALUES(facts), strict=True)))


def from_json(text: str | bytes) -> Facts:
    """Reads what `to_json` wrote. Raises ValueError or TypeError for anything else."""
    values = json.loads(text)
    if not isinstance(values, dict):
        raise TypeError("facts are a JSON object")
    date_creation = values.get("date_creation")
    if date_creation is not None:
        values["date_creation"] = dt.date.fromisoformat(cast("str", date_creation))
    return Facts(**values)


def facts_hash(facts: Facts) -> str:
    """SHA-256 in hex; a text is made again only when this differs from the accepted one's."""
    return hashlib.sha256(_PREFIX + _to_bytes(facts)).hexdigest()
