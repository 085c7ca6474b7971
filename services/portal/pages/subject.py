"""The rows that a page is made of, as one value. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from shared.sirene.names import Name, NomSource
from shared.sirene.pages import (
    ETABLISSEMENT_FACTS,
    UNITE_FACTS,
    EtablissementFacts,
    UniteFacts,
    is_diffusible,
)
from shared.sirene.records import SOLE_TRADER, Page

PAGE_COLUMNS = (
    "id",
    "siret",
    "siren",
    "slug",
    "nom",
    "nom_source",
    "activite_principale",
    "code_commune",
    "libelle_activite",
    "libelle_commune",
)
_PERSONS = frozenset({SOLE_TRADER, None})


class PublishedText(NamedTuple):
    """A text as the view `avis_published` serves it; `json_ld_script` is fit for a script."""

    kind: str
    text: str
    label: str
    json_ld_script: str


class HistoryPeriod(NamedTuple):
    date_debut: dt.date | None
    date_fin: dt.date | None
    etat_administratif: str | None
    activite_principale: str | None
    nomenclature_activite_principale: str | None
    enseigne1: str | None
    enseigne2: str | None
    enseigne3: str | None
    denomination_usuelle: str | None
    code_commune: str | None = None


@dataclass(frozen=True)
class PageRows:
    """All that one statement read of a page, in one snapshot; `version` names that state."""

    version: str
    page: Page
    etablissement: EtablissementFacts
    unite: UniteFacts
    opposed: bool
    nombre_periodes: int | None
    fetched_at: dt.datetime
    texts: Sequence[PublishedText]
    periods: Sequence[HistoryPeriod]

    @classmethod
    def of(cls, values: Sequence[Any]) -> "PageRows":
        """Read a row of the statement PAGE."""
        rest = iter(values)
        version = next(rest)
        columns: Mapping[str, Any] = {name: next(rest) for name in PAGE_COLUMNS}
        etablissement = EtablissementFacts(*(next(rest) for _ in ETABLISSEMENT_FACTS))
        unite = UniteFacts(*(next(rest) for _ in UNITE_FACTS))
        opposed, nombre_periodes, fetched_at, texts, periods = rest
        return cls(
            version=version,
            page=Page.from_row({**columns, "status": "open"}),
            etablissement=etablissement,
            unite=unite,
            opposed=opposed,
            nombre_periodes=nombre_periodes,
            fetched_at=fetched_at,
            texts=[PublishedText(*each) for each in texts or ()],
            periods=[_period(each) for each in periods or ()],
        )

    @property
    def is_masked(self) -> bool:
        return self.opposed or not is_diffusible(self.etablissement, self.unite)

    @property
    def is_of_person(self) -> bool:
        return self.unite.categorie_juridique in _PERSONS

    @property
    def name(self) -> str | None:
        """The name as it is shown; None where there is none, or none may be shown."""
        if self.is_masked or self.page.nom is None:
            return None
        return shown_name(
            self.page.nom, self.page.nom_source, self.page.code_commune, self.unite.sigle
        )

    @property
    def notice(self) -> PublishedText | None:
        return next((each for each in self.texts if each.kind == "notice"), None)

    @property
    def synthese(self) -> PublishedText | None:
        return next((each for each in self.texts if each.kind == "synthese"), None)

    @property
    def has_whole_history(self) -> bool:
        """Return whether every period is stored: a stock file brings the newest one alone."""
        return len(self.periods) == self.nombre_periodes


def shown_name(nom: str, source: str | None, code_commune: str, sigle: str | None) -> str:
    """Return a page's name in French case."""
    return Name(nom, cast("NomSource", source or "denomination"), code_commune, sigle).display


def _period(values: Sequence[Any]) -> HistoryPeriod:
    begin, end, *others = values
    return HistoryPeriod(_day(begin), _day(end), *others)


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
