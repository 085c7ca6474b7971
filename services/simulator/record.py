"""A record of the API: its blocks, its periods and its values."""

from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
# A record, or a block of one, while it is made.
Draft = dict[str, Any]

BLOCKS = ("uniteLegale", "adresseEtablissement", "adresse2Etablissement")
PERIODS = ("periodesEtablissement", "periodesUniteLegale")


def flattened(record: Record) -> Draft:
    """Return every value outside of the periods by name: names do not repeat between blocks."""
    flat = {name: value for name, value in record.items() if name not in PERIODS}
    for block in BLOCKS:
        inner = flat.pop(block, None)
        if isinstance(inner, Mapping):
            flat.update(inner)
    return flat


def periods_of(record: Record) -> Sequence[Record]:
    for name in PERIODS:
        periods = record.get(name)
        if isinstance(periods, list):
            return periods
    return ()


def periods_at(periods: Sequence[Record], date: str | None) -> Sequence[Record]:
    """Return the period that holds the date; all of them without a date."""
    if date is None:
        return periods
    return [
        period
        for period in periods
        if str(period.get("dateDebut") or "") <= date <= str(period.get("dateFin") or "9999")
    ]
