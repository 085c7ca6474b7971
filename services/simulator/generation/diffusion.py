"""Partial diffusion: what INSEE hides of a record, computed from the unmasked one.

The statuses of the establishment and of its unit are independent. A natural person's names, sex,
denominations and street address are hidden; of a legal person, street address and geolocation.
A mark replaces each hidden value, even where it was null.
"""

from functools import cache

from services.simulator.generation import reference
from services.simulator.generation.unites import NATURAL_PERSON
from services.simulator.record import Draft, Record

MASK = "[ND]"


@cache
def unit_fields() -> frozenset[str]:
    """Return the fields hidden when the unit is partial and a natural person."""
    return frozenset(v.nom for v in reference.variables() if v.bloc == "uniteLegale" and v.masque)


@cache
def address_fields() -> frozenset[str]:
    """Return the fields hidden when the establishment is partial, whoever owns it."""
    return frozenset(v.nom for v in reference.variables() if v.masque == "PM+PP")


@cache
def sign_fields() -> frozenset[str]:
    """Return the fields hidden when the establishment is partial and its unit a natural person."""
    periods = "periodesEtablissement"
    return frozenset(v.nom for v in reference.variables() if v.bloc == periods and v.masque)


def is_hidden(field: str, *, etablissement: str, unite: str, forme: str) -> bool:
    """Return whether the diffusion statuses (`O` or `P`) and the legal form hide this field."""
    if field in address_fields():
        return etablissement == "P"
    if forme != NATURAL_PERSON:
        return False
    return (unite == "P" and field in unit_fields()) or (
        etablissement == "P" and field in sign_fields()
    )


def masked_etablissement(record: Record) -> Draft:
    """Copy the record as the public may see it."""
    unit = record["uniteLegale"]
    natural = unit.get("categorieJuridiqueUniteLegale") == NATURAL_PERSON
    masked = dict(record)
    if natural and unit.get("statutDiffusionUniteLegale") == "P":
        masked["uniteLegale"] = _hide(unit, unit_fields())
    if record.get("statutDiffusionEtablissement") == "P":
        for block in ("adresseEtablissement", "adresse2Etablissement"):
            masked[block] = _hide(record[block], address_fields())
        if natural:
            periods = record["periodesEtablissement"]
            masked["periodesEtablissement"] = [_hide(period, sign_fields()) for period in periods]
    return masked


def masked_unite(record: Record) -> Draft:
    """Copy a record of `/siren` as the public may see it; its periods hold some of its names."""
    periods = record["periodesUniteLegale"]
    if record.get("statutDiffusionUniteLegale") != "P":
        return dict(record)
    if periods[0].get("categorieJuridiqueUniteLegale") != NATURAL_PERSON:
        return dict(record)
    masked = _hide(record, unit_fields())
    masked["periodesUniteLegale"] = [_hide(period, unit_fields()) for period in periods]
    return masked


def _hide(block: Record, hidden: frozenset[str]) -> Draft:
    return {name: MASK if name in hidden else value for name, value in block.items()}
