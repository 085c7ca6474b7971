"""The facts on which a text about an establishment may rely, resolved from the register."""

import dataclasses
import datetime as dt
import hashlib
from dataclasses import dataclass
from operator import attrgetter

import orjson

from shared.sirene.context import NO_CONTEXT, Context

FACTS_VERSION = "facts-4"
"""Raise it when a field changes its meaning: every stored hash then differs, every text is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels instead of codes wherever a reader sees them; None where the register says nothing.

    The code of the activity and its nomenclature are no facts: no text says them, so that an
    activity whose label stays the same under another code asks for no new text.

    `effectif` is INSEE's label of `tranche_effectifs` ("3 à 5 salariés"); None for NN or unknown.
    `denomination` is the name of the legal unit where `nom` is another one, over the door; it is
    None for a sole trader, whose own name is a person's.
    `annee_creation` and `date_creation` are None for 1900-01-01, INSEE's mark of "unknown".
    `voie` is number and street as a reader writes them ("12 bis rue des Tilleuls"); `region` and
    `departement` are INSEE's codes. `unite_...`, `categorie_entreprise` (PME, ETI, GE),
    `economie_sociale_solidaire`, `societe_mission` and `employeur` are of the legal unit; a band of
    headcount holds at the end of its `annee`. `context` is what other rows say; it has a hash of
    its own.
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


_OF_OTHER_ROWS = "context"
_FIELDS = tuple(
    sorted(field.name for field in dataclasses.fields(Facts) if field.name != _OF_OTHER_ROWS)
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
