"""A page as its template shows it: title, facts with their dates, history, text. Pure."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.portal.pages.french import capitalised, long_date, spaced_siren, spaced_siret
from services.portal.pages.subject import HistoryPeriod, PageRows, PublishedText
from shared.days import day_in_france
from shared.sirene.dates import is_plausible
from shared.sirene.facts import Facts
from shared.sirene.names import display_form, enseigne_of
from shared.sirene.pages import facts_of
from shared.sirene.reference import departements, libelle_activite

_NAMELESS = "Établissement"


class ShownFact(NamedTuple):
    """A cell of the page: `dated` says of when it is."""

    label: str
    value: str
    dated: str = ""


class Stage(NamedTuple):
    """A time in the history of an establishment, the newest first."""

    since: str
    what: str
    is_closed: bool = False


@dataclass(frozen=True)
class PageView:
    slug: str
    siret: str
    siren: str
    title: str
    name: str | None
    activite: str | None
    code_activite: str
    commune: str | None
    code_commune: str
    departement: str | None
    is_masked: bool
    is_siege: bool
    is_indexed: bool
    facts: Sequence[ShownFact]
    unite: Sequence[ShownFact]
    stages: Sequence[Stage]
    notice: PublishedText | None
    synthese: PublishedText | None
    read_on: str
    registered: Facts | None

    @property
    def description(self) -> str:
        """Return the sentence for search engines."""
        parts = (self.name or _NAMELESS, self.activite, self.commune)
        return f"{' – '.join(part for part in parts if part)}. SIRET {spaced_siret(self.siret)}."


def view_of(rows: PageRows, *, index_sole_traders: bool) -> PageView:
    page, name = rows.page, rows.name
    facts = None if rows.is_masked else facts_of(rows.etablissement, rows.unite, page)
    place = departements().get(rows.etablissement.departement or "")
    allowed = index_sole_traders or not rows.is_of_person
    return PageView(
        slug=page.slug,
        siret=page.siret,
        siren=page.siren,
        title=name or f"{_NAMELESS} {spaced_siret(page.siret)}",
        name=name,
        activite=page.libelle_activite,
        code_activite=page.activite_principale,
        commune=page.libelle_commune,
        code_commune=page.code_commune,
        departement=None if place is None else place.nom,
        is_masked=rows.is_masked,
        is_siege=facts is not None and facts.est_siege,
        # A page that only repeats the register has nothing to add to it.
        is_indexed=name is not None and rows.notice is not None and allowed,
        facts=tuple(_facts(rows, facts)),
        unite=() if facts is None else tuple(_unite(facts)),
        stages=() if rows.is_masked else tuple(_stages(rows)),
        notice=None if rows.is_masked else rows.notice,
        synthese=None if rows.is_masked else rows.synthese,
        read_on=long_date(day_in_france(rows.fetched_at)),
        registered=facts,
    )


def _facts(rows: PageRows, facts: Facts | None) -> Iterator[ShownFact]:
    page = rows.page
    if page.libelle_activite is not None:
        yield ShownFact("Activité", page.libelle_activite, f"code {page.activite_principale}")
    place = [page.libelle_commune or page.code_commune]
    if facts is not None and facts.adresse is not None:
        street = facts.voie or display_form(facts.adresse, code_commune=page.code_commune)
        yield ShownFact("Adresse", f"{street}, {facts.code_postal or ''} {place[0]}".strip())
    else:
        yield ShownFact("Commune", place[0])
    yield ShownFact("SIRET", spaced_siret(page.siret))
    if facts is None:
        return
    if facts.date_creation is not None:
        yield ShownFact("Sous ce numéro depuis le", long_date(facts.date_creation))
    if facts.enseigne is not None and facts.enseigne != page.nom:
        yield ShownFact("Enseigne", display_form(facts.enseigne, code_commune=page.code_commune))
    if facts.effectif is not None:
        yield ShownFact(
            "Effectif du lieu", capitalised(facts.effectif), _year(facts.annee_effectifs)
        )


def _unite(facts: Facts) -> Iterator[ShownFact]:
    if facts.denomination is not None:
        denomination = display_form(facts.denomination, sigle=facts.sigle)
        yield ShownFact("Dénomination", denomination)
    if facts.sigle is not None and facts.sigle != facts.nom:
        yield ShownFact("Sigle", facts.sigle)
    yield ShownFact("SIREN", spaced_siren(facts.siren))
    if facts.forme is not None:
        yield ShownFact("Forme juridique", facts.forme)
    if facts.unite_date_creation is not None:
        yield ShownFact("Création", long_date(facts.unite_date_creation))
    if facts.unite_effectif is not None:
        effectif = capitalised(facts.unite_effectif)
        yield ShownFact("Effectif", effectif, _year(facts.unite_annee_effectifs))
    if facts.categorie_entreprise is not None:
        dated = _year(facts.annee_categorie_entreprise)
        yield ShownFact("Catégorie", facts.categorie_entreprise, dated)
    if facts.economie_sociale_solidaire:
        yield ShownFact("Économie sociale et solidaire", "Oui")
    if facts.societe_mission:
        yield ShownFact("Société à mission", "Oui")


def _year(year: int | None) -> str:
    return "" if year is None else f"en {year}"


def _stages(rows: PageRows) -> Iterator[Stage]:
    """Tell the changes of state, activity and sign. Former signs of a person are not told."""
    if not rows.has_whole_history:
        return
    told: list[Stage] = []
    before = ""
    for period in rows.periods:
        what = _what(period, with_sign=not rows.is_of_person)
        if what and what != before:
            told.append(Stage(_since(period.date_debut), what, period.etat_administratif == "F"))
            before = what
    # A history of one time says what the facts say already.
    yield from reversed(told if len(told) > 1 else ())


def _what(period: HistoryPeriod, *, with_sign: bool) -> str:
    if period.etat_administratif == "F":
        return "Fermé"
    label = libelle_activite(period.activite_principale, period.nomenclature_activite_principale)
    sign = (enseigne_of(period) or period.denomination_usuelle) if with_sign else None
    return " – ".join(
        part
        for part in (label, None if sign is None else f"«\u00a0{display_form(sign)}\u00a0»")
        if part
    )


def _since(day: dt.date | None) -> str:
    return f"depuis le {long_date(day)}" if day is not None and is_plausible(day) else "à l’origine"
