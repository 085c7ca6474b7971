"""The variables that `q` may name in each collection, inside or outside of `periode(...)`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Literal

from services.simulator.generation.reference import Variable, variables

Collection = Literal["siret", "siren"]

_TEXT_STEMS = (
    "denomination", "nom", "prenom", "sigle", "enseigne", "libelle", "pseudonyme", "complement",
)  # fmt: skip
_NOT_TEXT = ("nomenclature", "nombre")
# They stand in the records of units; INSEE's dictionary has them for establishments alone.
_MORE_OF_UNITS = (
    Variable("periodesUniteLegale", "dateDebut", "date", historise=True),
    Variable("periodesUniteLegale", "dateFin", "date", historise=True),
    Variable("uniteLegale", "nombrePeriodesUniteLegale", "integer"),
)


@cache
def fields_of(collection: Collection) -> Mapping[str, Variable]:
    """Return them by name; `historise` ones stand inside `periode(...)`, the others outside."""
    if collection == "siret":
        found = [replace(v, historise=v.bloc == "periodesEtablissement") for v in variables()]
    else:
        units = (v for v in variables() if v.bloc == "uniteLegale" or v.nom == "siren")
        found = [*units, *_MORE_OF_UNITS]
    return {variable.nom: variable for variable in found}


def is_text(name: str) -> bool:
    """Return whether INSEE searches the words of this variable, and not its whole value."""
    return name.startswith(_TEXT_STEMS) and not name.startswith(_NOT_TEXT)
