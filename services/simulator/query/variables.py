"""The variables that `q` may name in each collection, inside or outside of `periode(...)`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from services.simulator.generation import reference

Collection = Literal["siret", "siren"]

_TEXT_STEMS = (
    "denomination", "nom", "prenom", "sigle", "enseigne", "libelle", "pseudonyme", "complement",
)  # fmt: skip
_NOT_TEXT = ("nomenclature", "nombre")


@dataclass(frozen=True, slots=True)
class Field:
    """A variable of `q`; `historised` ones stand inside `periode(...)`, the others outside."""

    name: str
    nature: str
    historised: bool
    text: bool
    maskable: bool


@cache
def fields_of(collection: Collection) -> Mapping[str, Field]:
    found: dict[str, Field] = {}
    for variable in reference.variables():
        in_unit = variable.bloc == "uniteLegale"
        if collection == "siret":
            historised = variable.bloc == "periodesEtablissement"
        elif in_unit or variable.nom == "siren":
            historised = variable.historise
        else:
            continue
        found[variable.nom] = _field(variable, historised)
    if collection == "siren":
        for name in ("dateDebut", "dateFin"):
            found[name] = Field(name, "date", historised=True, text=False, maskable=False)
        name = "nombrePeriodesUniteLegale"
        found[name] = Field(name, "integer", historised=False, text=False, maskable=False)
    return found


def _field(variable: reference.Variable, historised: bool) -> Field:
    name = variable.nom
    return Field(
        name,
        variable.nature,
        historised=historised,
        text=name.startswith(_TEXT_STEMS) and not name.startswith(_NOT_TEXT),
        maskable=bool(variable.masque),
    )
