"""The shapes of a record: the fields that a caller asks for, and the schemas of the faults."""

from collections.abc import Mapping, Sequence

from services.simulator.record import PERIODS, Record, periods_at

_ALWAYS = frozenset({"siren", "siret", "nic"})
_NEW_KEYS = {
    "activitePrincipaleNAF30Etablissement": None,
    "indiceSobrieteEtablissement": {"classe": "A", "annee": 2026},
}
_MISSING_KEYS = (
    "dateCreationEtablissement", "anneeEffectifsEtablissement", "adresse2Etablissement",
    "anneeCategorieEntreprise", "complementAdresseEtablissement", "sigleUniteLegale",
    "changementEnseigneEtablissement",
)  # fmt: skip


def at_date(record: Record, date: str) -> Record:
    """Keep only the period that holds the date."""
    periods = {name: record[name] for name in PERIODS if isinstance(record.get(name), list)}
    return {**record, **{name: periods_at(found, date) for name, found in periods.items()}}


def with_fields(record: Record, champs: Sequence[str]) -> Record:
    """Keep the identifiers and these fields; `champs` may name a block or a field inside it."""
    wanted = _ALWAYS | set(champs)
    kept: dict[str, object] = {}
    for name, value in record.items():
        if name in wanted:
            kept[name] = value
        elif isinstance(value, Mapping):
            inner = {key: item for key, item in value.items() if key in wanted}
            if inner:
                kept[name] = inner
        elif isinstance(value, list):
            parts = [{k: v for k, v in part.items() if k in wanted} for part in value]
            if any(parts):
                kept[name] = parts
    return kept


def without_nulls(record: Record) -> Record:
    """Drop keys without a value, and blocks that become empty."""
    kept: dict[str, object] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            inner = without_nulls(value)
            if inner:
                kept[name] = inner
        elif isinstance(value, list):
            kept[name] = [without_nulls(part) for part in value]
        elif value is not None:
            kept[name] = value
    return kept


def with_new_keys(record: Record) -> Record:
    unit = record.get("uniteLegale")
    changed = {**record, **_NEW_KEYS}
    if isinstance(unit, Mapping):
        changed["uniteLegale"] = {**unit, "labelUniteLegale": "RGE"}
    return changed


def without_some_keys(record: Record) -> Record:
    """Drop some keys, as older and reduced records do."""
    return {
        name: without_some_keys(value)
        if isinstance(value, Mapping)
        else [without_some_keys(part) for part in value]
        if isinstance(value, list)
        else value
        for name, value in record.items()
        if name not in _MISSING_KEYS
    }
