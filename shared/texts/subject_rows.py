"""The rows that a text is about: its establishment, the unit, and the page."""

from collections.abc import Mapping
from typing import Any

from shared.db.tables import etablissements, pro_localisations, unites_legales
from shared.sirene.records import Etablissement, Page, UniteLegale

# Each table's columns have a prefix: their names repeat.
SUBJECT_COLUMNS = ", ".join(
    f"{table.name}.{column.name} AS {prefix}{column.name}"
    for prefix, table in (("e_", etablissements), ("u_", unites_legales), ("p_", pro_localisations))
    for column in table.columns
)
"""SQL of the columns of the three tables."""


def records_of(columns: Mapping[str, Any]) -> tuple[Etablissement, UniteLegale, Page]:
    """Return the records of a row that has `SUBJECT_COLUMNS`."""
    return (
        Etablissement.from_row(columns, prefix="e_"),
        UniteLegale.from_row(columns, prefix="u_"),
        Page.from_row(columns, prefix="p_"),
    )
