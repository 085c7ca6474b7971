"""The facts on which a text about an establishment may rely, resolved from the register."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import orjson

from shared.sirene.context import NO_CONTEXT, Context
from shared.sirene.read_only import read_only

FACTS_VERSION = "facts-4"
"""Raise it when a field changes its meaning: every stored hash then differs, every text is due."""


@read_only
class Facts:
    """Labels instead of codes wherever a reader sees them; None where the register says nothing.

    The code of the activity and its nomenclature are no facts: no text says them, so that an
    activity whose label stays the same under another code asks for no new text.

    `effectif` is INSEE's label of `tranche_effectifs` ("3 à 5 salariés"); None for NN or unknown.
    `denomination` is the name of the legal unit where `nom` is another one, over the door; it is
    None for a sole trader, whose own name is a person's.
    `annee_creation` and `date_creation` are None for 1900-01-01, INSEE's mark of "unknown".
    `voie` is number and street as a reader writes them ("12 bis rue des Tilleuls"), which follows
    from `adresse`, the same as registered: only the latter has a part in the hash. Both are None
    for a sole trader, whose address is a person's. `region` and `departement` are INSEE's codes.
    `unite_...`, `categorie_entreprise` (PME, ETI, GE), `economie_sociale_solidaire`,
    `societe_mission` and `employeur` are of the legal unit; a band of headcount, as a category, is
    of its `annee`. `context` is what other rows say; it has a hash of its own.
    """

    siret: str
    siren: str
    nom: str
    forme: str | None = None
    categorie_juridique: str | None = None
    activite: str | None = None
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
    adresse: str | None = None
    voie: str | None = None
    code_postal: str | None = None
    region: str | None = None
    annee_effectifs: int | None = None
    unite_date_creation: dt.date | None = None
    unite_tranche_effectifs: str | None = None
    unite_effectif: str | None = None
    unite_annee_effectifs: int | None = None
    categorie_entreprise: str | None = None
    annee_categorie_entreprise: int | None = None
    economie_sociale_solidaire: bool = False
    societe_mission: bool = False
    employeur: bool | None = None
    context: Context = NO_CONTEXT

    @property
    def unite_annee_creation(self) -> int | None:
        return None if self.unite_date_creation is None else self.unite_date_creation.year


NOT_HASHED = frozenset({"context", "voie"})
"""The context has a hash of its own, and what follows from other fields needs none."""
_FIELDS = tuple(
    sorted(field.name for field in dataclasses.fields(Facts) if field.name not in NOT_HASHED)
)
_VALUES = attrgetter(*_FIELDS)
# The names come before the values once for all, so that other names make another hash.
_BEGUN = hashlib.sha256(f"{FACTS_VERSION}\n{' '.join(_FIELDS)}\n".encode())


def facts_hash(facts: Facts) -> str:
    """Return SHA-256 in hex of the names and values of the facts: equal in every process.

    A text is made again only when this differs from the hash of the accepted text.
    """
    hashed = _BEGUN.copy()
    hashed.update(orjson.dumps(_VALUES(facts)))
    return hashed.hexdigest()


BAND_YEARS = 3
"""A headcount is told until this many years after its own."""


def said(values: Mapping[str, object]) -> dict[str, object]:
    """Leave out what the register does not say, at every depth of these facts."""
    nested = {
        name: said(value) if isinstance(value, dict) else value for name, value in values.items()
    }
    return {name: value for name, value in nested.items() if value not in (None, {}, ())}


def as_told(facts: Facts, today: dt.date) -> Facts:
    """Return what a text of today may tell: no old headcount or category, no unit of tomorrow.

    The hash does not know the day: what has grown old since keeps its date in the text.
    """
    untold: dict[str, Any] = {}
    if _is_old(facts.annee_effectifs, today):
        untold |= dict.fromkeys(("tranche_effectifs", "effectif", "annee_effectifs"))
    if _is_old(facts.unite_annee_effectifs, today):
        untold |= dict.fromkeys(
            ("unite_tranche_effectifs", "unite_effectif", "unite_annee_effectifs")
        )
    if _is_old(facts.annee_categorie_entreprise, today):
        untold |= dict.fromkeys(("categorie_entreprise", "annee_categorie_entreprise"))
    if facts.unite_date_creation is not None and facts.unite_date_creation > today:
        untold["unite_date_creation"] = None
    return dataclasses.replace(facts, **untold) if untold else facts


def _is_old(year: int | None, today: dt.date) -> bool:
    return year is None or year < today.year - BAND_YEARS
