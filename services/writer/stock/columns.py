"""The columns of the stock files under INSEE's names and the register's."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Literal

from shared.errors import UserError
from shared.sirene.mapping.insee_keys import UNITE, camel
from shared.sirene.records import STOCK_OPTIONAL_FIELDS, Etablissement, UniteLegale

StockCollection = Literal["unites_legales", "etablissements"]
COLLECTIONS: Sequence[StockCollection] = ("unites_legales", "etablissements")
"""The names of the tables, in the order in which they are loaded."""

_DERIVED = frozenset({"departement", "region"})
_SAME = {name: name for name in ("siren", "nic", "siret")}
_NAMES: Mapping[StockCollection, Mapping[str, str]] = {
    "unites_legales": {**_SAME, **UNITE},
    "etablissements": {**_SAME, "siege": "etablissementSiege", "date_debut": "dateDebut"},
}
# More missing columns than these would only hide the message.
_NAMED = 5
_SUFFIXES: Mapping[StockCollection, str] = {
    "unites_legales": "UniteLegale",
    "etablissements": "Etablissement",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """`columns` maps the register's columns to those of the file.

    `absent` maps those that the file lacks: they stay NULL in new rows.
    """

    collection: StockCollection
    columns: Mapping[str, str]
    unknown: Sequence[str]
    absent: Mapping[str, str]

    @property
    def absent_names(self) -> Sequence[str]:
        return sorted(self.absent.values())


def key_of(collection: StockCollection) -> str:
    return "siren" if collection == "unites_legales" else "siret"


@cache
def _known(collection: StockCollection) -> frozenset[str]:
    table = resources.files("services.writer.stock") / "data" / "columns.csv"
    with table.open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        file = f"Stock{_SUFFIXES[collection]}"
        return frozenset(row["column"] for row in rows if row["file"] == file)


@cache
def _mapping(collection: StockCollection) -> Mapping[str, str]:
    record = UniteLegale if collection == "unites_legales" else Etablissement
    return {
        field.name: _NAMES[collection].get(field.name) or camel(field.name) + _SUFFIXES[collection]
        for field in fields(record)
        if field.name not in _DERIVED
    }


def layout_of(names: Sequence[str]) -> Layout:
    """Tell the kind of file by its header; raise UserError where it is no stock file to load."""
    header = frozenset(names)
    if "dateFin" in header:
        raise UserError("is a history file: periods come from the API, only the stock is loaded")
    if "siret" in header:
        collection: StockCollection = "etablissements"
    elif "siren" in header:
        collection = "unites_legales"
    else:
        raise UserError("is no StockEtablissement and no StockUniteLegale: it has no siren column")
    if len(header) != len(names):
        raise UserError("names a column twice")
    columns = _mapping(collection)
    missing = {column: key for column, key in columns.items() if key not in header}
    required = sorted(key for column, key in missing.items() if column not in STOCK_OPTIONAL_FIELDS)
    if required:
        more = f" and {len(required) - _NAMED} more" if len(required) > _NAMED else ""
        raise UserError(f"lacks the columns {', '.join(required[:_NAMED])}{more}")
    return Layout(
        collection,
        {column: key for column, key in columns.items() if column not in missing},
        unknown=sorted(header - _known(collection)),
        absent=missing,
    )
