"""Sixty texts of the template over all sections of the NAF, as a page: docs/texts-sample.md.

`python -m tests.unit.reviewer.notices.texts_sample` writes the page.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.reviewer.notices.template import PROMPT_VERSION, generate
from shared.sirene.context import Context, Former, Sites, Succession, Trade
from shared.sirene.facts import Facts
from shared.sirene.reference import (
    departement_of,
    libelle_activite,
    libelle_categorie_juridique,
    libelle_commune,
    libelle_effectif,
    region_of,
)

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "texts-sample.md"
YEAR = 2026
_ROWS = ROOT / "tests" / "fixtures" / "texts" / "sample.txt"
_MONTH = dt.date(2026, 11, 1)
_HEAD = f"""# Sixty texts of the template

Written by `{PROMPT_VERSION}` in {YEAR} about invented establishments; `make texts-sample` writes
this page again. Each text is followed by its row of `tests/fixtures/texts/sample.txt`: legal form,
activity, commune and date of creation, then what else its facts and its context say.
"""


def rows() -> Iterator[str]:
    for line in _ROWS.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line


def facts_of_row(number: int, row: str) -> Facts:
    nom, form, activity, commune, created, rest = row.split("|")
    parts = (part.partition("=") for part in rest.split("; "))
    more = {key: value for key, _, value in parts}
    day = dt.date.fromisoformat(created)
    departement = departement_of(commune)
    band, band_year = _figure(more.get("band"))
    unit_band, unit_year = _figure(more.get("unit-band"))
    category, _, category_year = more.get("category", "").partition("/")
    siren = f"{900_000_000 + number * 7919:09d}"
    return Facts(
        siret=f"{siren}{number % 90 + 10:05d}",
        siren=siren,
        nom=nom,
        forme=libelle_categorie_juridique(form),
        categorie_juridique=form,
        activite=libelle_activite(activity, "NAFRev2"),
        commune=libelle_commune(commune),
        code_commune=commune,
        departement=departement,
        region=region_of(departement),
        annee_creation=day.year,
        date_creation=day,
        tranche_effectifs=band,
        effectif=libelle_effectif(band),
        annee_effectifs=band_year,
        est_siege=more.get("siege") != "no",
        enseigne=more.get("enseigne"),
        denomination=more.get("unit"),
        voie=more.get("voie"),
        unite_date_creation=_day(more.get("since")),
        unite_tranche_effectifs=unit_band,
        unite_effectif=libelle_effectif(unit_band),
        unite_annee_effectifs=unit_year,
        categorie_entreprise=category or None,
        annee_categorie_entreprise=int(category_year) if category_year else None,
        economie_sociale_solidaire="ess" in more,
        societe_mission="mission" in more,
        employeur=True if "employer" in more else None,
        context=_context(more),
    )


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def _figure(text: str | None) -> tuple[str | None, int | None]:
    value, _, year = (text or "").partition("/")
    return value or None, int(year) if year else None


def _context(more: Mapping[str, str]) -> Context:
    return Context(
        trade=_trade(more.get("trade")),
        sites=_sites(more.get("sites")),
        former_activites=tuple(_former(more.get("was"), activity=True)),
        former_enseignes=tuple(_former(more.get("sign"), activity=False)),
        predecessors=tuple(_predecessors(more)),
    )


def _trade(text: str | None) -> Trade | None:
    if text is None:
        return None
    count, employers, *rank = map(int, text.split("/"))
    return Trade(
        etablissements=count,
        with_employees=employers,
        month=_MONTH,
        rank=rank[0] if rank else None,
    )


def _sites(text: str | None) -> Sites | None:
    if text is None:
        return None
    open_sites, closed, communes = map(int, text.split("/"))
    return Sites(open=open_sites, closed=closed, communes=communes, month=_MONTH)


def _former(text: str | None, *, activity: bool) -> Iterator[Former]:
    if text is not None:
        value, _, day = text.partition("@")
        label = libelle_activite(value, "NAFRev2") if activity else value
        yield Former(value=label or value, until=dt.date.fromisoformat(day))


def _predecessors(more: Mapping[str, str]) -> Iterator[Succession]:
    for key in ("from", "from-siege"):
        if key in more:
            commune, voie, day = re.split(r", |@", more[key])
            yield Succession(
                siret="90000000000000",
                day=dt.date.fromisoformat(day),
                same_unit=True,
                transfert_siege=key == "from-siege",
                continuite_economique=True,
                commune=commune,
                voie=voie,
            )
    if "after" in more:
        yield Succession(
            siret="90000000000000",
            day=dt.date.fromisoformat(more["after"]),
            same_unit=False,
            transfert_siege=False,
            continuite_economique=True,
        )


def texts() -> Iterator[tuple[str, Facts, str]]:
    for number, row in enumerate(rows(), start=1):
        facts = facts_of_row(number, row)
        yield row, facts, generate(facts, YEAR).text


def page() -> str:
    parts = [_HEAD]
    for number, (row, _, text) in enumerate(texts(), start=1):
        brief = " · ".join(filter(None, row.split("|")))
        parts.append(f"{number}. {text}\n\n   `{brief}`\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
