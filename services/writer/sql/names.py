"""Lists of column names in SQL, for statements over tables of dozens of columns."""

from collections.abc import Iterable
from dataclasses import fields

from shared.sirene.records import Etablissement, Page, PeriodeEtablissement, UniteLegale


def fields_of(
    record: type[UniteLegale | Etablissement | PeriodeEtablissement | Page],
) -> tuple[str, ...]:
    """Return the names of the record's columns."""
    return tuple(field.name for field in fields(record))


def columns(names: Iterable[str], prefix: str = "") -> str:
    return ", ".join(prefix + name for name in names)


def excluded(names: Iterable[str]) -> str:
    """Return the assignments with which ON CONFLICT takes over the columns of the new row."""
    return ", ".join(f"{name} = excluded.{name}" for name in names)
