"""What a person asks to import, checked against the reference tables before anything is kept."""

import csv
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from shared.errors import UserError
from shared.imports.scope import Scope
from shared.sirene.identifiers import is_siret
from shared.sirene.reference import communes, departements, libelle_activite

_ETATS = {"A": "open", "F": "closed"}


def checked_scope(  # noqa: PLR0913  # each an option of the command
    *,
    region: Sequence[str] | None = None,
    departement: Sequence[str] | None = None,
    commune: Sequence[str] | None = None,
    activite: Sequence[str] | None = None,
    etat: str | None = None,
    siret_from: str | None = None,
    siret_to: str | None = None,
    everything: bool = False,
) -> Scope:
    """Raises UserError for what is unknown or impossible, and where nothing is asked for."""
    places = [*(region or ()), *(departement or ()), *(commune or ())]
    if everything and places:
        raise UserError(f"--all is every place: leave it out, or {', '.join(places)}")
    if not (everything or places or activite or etat or siret_from or siret_to):
        raise UserError(
            "say what to import: --departement 33, --region Bretagne, --commune 33063, "
            "--activite 47.11D, or --all"
        )
    in_regions = [code for name in region or () for code in _departements_of(name)]
    low, high = _checked_range(siret_from, siret_to)
    return Scope(
        departements=list(
            dict.fromkeys([*in_regions, *map(_checked_departement, departement or ())])
        ),
        communes=_distinct(map(_checked_commune, commune or ())),
        activites=_distinct(map(_checked_activite, activite or ())),
        etat_administratif=None if etat is None else _checked_etat(etat),
        siret_from=low,
        siret_to=high,
    )


def _distinct(codes: Iterable[str]) -> list[str]:
    """In the order in which they were named."""
    return list(dict.fromkeys(codes))


@functools.cache
def _regions() -> Mapping[str, str]:
    """Code by code, and by name as `_plain` writes it."""
    table = resources.files("services.fetcher.commands") / "data" / "regions.csv"
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {row["code"]: row["code"] for row in rows} | {
        _plain(row["nom"]): row["code"] for row in rows
    }


def _plain(name: str) -> str:
    """Without accents, case, hyphens and apostrophes, which nobody types alike."""
    apart = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", apart.lower().replace("'", " ")))


def _departements_of(region: str) -> list[str]:
    code = _regions().get(_plain(region.replace("’", "'")))
    if code is None:
        raise UserError(f"unknown region {region!r}: use a code like 53, or a name like Bretagne")
    return [each for each, found in departements().items() if found.region == code]


def _checked_departement(code: str) -> str:
    if code.upper() not in departements():
        raise UserError(f"unknown département {code!r}: use a code like 33, 2A or 974")
    return code.upper()


def _checked_commune(code: str) -> str:
    if code.upper() not in communes():
        raise UserError(f"unknown commune {code!r}: use an INSEE code like 33063, no postcode")
    return code.upper()


def _checked_activite(code: str) -> str:
    if libelle_activite(code.upper(), None) is None:
        raise UserError(f"unknown activity {code!r}: use a whole NAF code like 47.11D")
    return code.upper()


def _checked_etat(etat: str) -> str:
    if etat.upper() not in _ETATS:
        choices = " or ".join(f"{code} ({meaning})" for code, meaning in _ETATS.items())
        raise UserError(f"unknown state {etat!r}: use {choices}")
    return etat.upper()


def _checked_range(low: str | None, high: str | None) -> tuple[str | None, str | None]:
    """Ends of a range need no check digit: they name nobody."""
    for option, siret in (("--siret-from", low), ("--siret-to", high)):
        if siret is not None and not is_siret(siret):
            raise UserError(f"{option} {siret!r} is no SIRET: use 14 digits")
    if low is not None and high is not None and low > high:
        raise UserError(f"the range is reversed: {low} comes after {high}")
    return low, high
