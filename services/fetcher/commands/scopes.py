"""The scope that a person names, checked against the reference tables."""

import csv
import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from importlib import resources

from services.fetcher.commands.options import ScopeOptions
from shared.clock import utc_now
from shared.days import day_in_france
from shared.errors import UserError
from shared.imports.scope import Scope
from shared.sirene.identifiers import is_siret
from shared.sirene.reference import (
    COG_YEAR,
    NAF_2025_DAY,
    arrondissements_of,
    communes,
    departements,
    is_naf_2025,
    libelle_activite,
)
from shared.terminal.cli import warn

_CODE_COMMUNE = re.compile(r"[0-9]{5}|2[AB][0-9]{3}")
_KINDS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "département": (lambda code: code in departements(), "a code like 33, 2A or 974"),
    "commune": (
        lambda code: _CODE_COMMUNE.fullmatch(code) is not None,
        "an INSEE code like 33063, no postcode",
    ),
    "activity": (
        lambda code: "." in code and libelle_activite(code, None) is not None,
        "a whole NAF code like 47.11D",
    ),
    "state": (lambda code: code in {"A", "F"}, "A (open) or F (closed)"),
}


def checked_scope(named: ScopeOptions) -> Scope:
    """Raises UserError where a value is unknown or impossible, and where nothing is named."""
    places = [*(named.region or ()), *(named.departement or ()), *(named.commune or ())]
    if named.everything and places:
        raise UserError(f"--all is every place: leave it out, or {', '.join(places)}")
    if not any(vars(named).values()):
        raise UserError(
            "say what to import: --departement 33, --region Bretagne, --commune 33063, "
            "--activite 47.11D, or --all"
        )
    in_regions = [code for name in named.region or () for code in _departements_of(name)]
    low, high = _checked_range(named.siret_from, named.siret_to)
    return Scope(
        departements=list(
            dict.fromkeys([*in_regions, *_checked("département", named.departement)])
        ),
        communes=_communes(named.commune),
        activites=_activites(named.activite),
        etat_administratif=(None if named.etat is None else _checked("state", [named.etat])[0]),
        siret_from=low,
        siret_to=high,
    )


@functools.cache
def _regions() -> Mapping[str, str]:
    """Return the codes of the regions, by code and by name as `_plain` writes it."""
    table = resources.files("services.fetcher.commands") / "data" / "regions.csv"
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {row["code"]: row["code"] for row in rows} | {
        _plain(row["nom"]): row["code"] for row in rows
    }


def _plain(name: str) -> str:
    """Drop accents, case, hyphens and apostrophes, which nobody types alike."""
    apart = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", apart.lower().replace("'", " ")))


def _departements_of(region: str) -> list[str]:
    code = _regions().get(_plain(region.replace("’", "'")))
    if code is None:
        raise UserError(f"unknown region {region!r}: use a code like 53, or a name like Bretagne")
    return [each for each, found in departements().items() if found.region == code]


def _checked(kind: str, codes: Iterable[str] | None) -> list[str]:
    """Return the codes in capitals, each once. Raises UserError where one is unknown."""
    is_known, advice = _KINDS[kind]
    for code in codes or ():
        if not is_known(code.upper()):
            raise UserError(f"unknown {kind} {code!r}: use {advice}")
    return list(dict.fromkeys(code.upper() for code in codes or ()))


def _activites(named: Iterable[str] | None) -> list[str]:
    """Return the codes, and say where INSEE will not find all of them under its present codes."""
    found = _checked("activity", named)
    is_reference = day_in_france(utc_now()) >= NAF_2025_DAY
    for code in found:
        if is_naf_2025(code) and not is_reference:
            warn(
                f"activity {code} is of NAF 2025: until {NAF_2025_DAY} it finds establishments by "
                "the code that INSEE announces for them; closed ones have none"
            )
        elif is_reference and not is_naf_2025(code):
            warn(
                f"activity {code} is not of NAF 2025: since {NAF_2025_DAY} only establishments "
                "that INSEE has not coded anew bear it"
            )
    return found


def _communes(named: Iterable[str] | None) -> list[str]:
    """Return the codes by which the register knows these communes.

    Paris, Lyon and Marseille are coded by arrondissement. A code that the table lacks may be newer
    than the table: INSEE is asked for it, after a warning.
    """
    found: list[str] = []
    for code in _checked("commune", named):
        if code not in communes():
            warn(
                f"commune {code} is not in INSEE's table of {COG_YEAR}: is it a new commune, "
                "and no postcode?"
            )
        found += arrondissements_of(code) or [code]
    return list(dict.fromkeys(found))


def _checked_range(low: str | None, high: str | None) -> tuple[str | None, str | None]:
    """Check the form only: the ends of a range name nobody, so their check digit may be wrong."""
    for option, siret in (("--siret-from", low), ("--siret-to", high)):
        if siret is not None and not is_siret(siret):
            raise UserError(f"{option} {siret!r} is no SIRET: use 14 digits")
    if low is not None and high is not None and low > high:
        raise UserError(f"the range is reversed: {low} comes after {high}")
    return low, high
