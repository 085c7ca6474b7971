"""An establishment with its unit, and the page and avis that follow from the two. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from shared.avis import PENDING, WITHDRAWN, AvisOutcome
from shared.sirene.facts import facts_hash
from shared.sirene.mapping.copy_values import texts_of
from shared.sirene.mapping.rows import ETABLISSEMENT_COLUMNS, UNITE_COLUMNS
from shared.sirene.names import display_name
from shared.sirene.pages import (
    ETABLISSEMENT_FACTS,
    UNITE_FACTS,
    EtablissementFacts,
    UniteFacts,
    avis_outcome,
    page_of,
    page_status,
    registered_facts,
)
from shared.sirene.records import (
    NAMES_OF_A_PERSON,
    OPEN_TO_ALL,
    SOLE_TRADER,
    Page,
    PageStatus,
)

_NO_FACTS = ""
"""The facts of a person who must not be written about leave no trace, not even their hash."""

_ETABLISSEMENT_TEXTS = itemgetter(*map(ETABLISSEMENT_COLUMNS.index, ETABLISSEMENT_FACTS))
_UNITE_TEXTS = itemgetter(*map(UNITE_COLUMNS.index, UNITE_FACTS))
_DATES = (ETABLISSEMENT_FACTS.index("date_creation"), ETABLISSEMENT_FACTS.index("date_debut"))
_UNITE_DATE = UNITE_FACTS.index("date_creation")
_TREATED = ETABLISSEMENT_FACTS.index("date_dernier_traitement")
_SIEGE = ETABLISSEMENT_FACTS.index("siege")
_NAMES = attrgetter(*NAMES_OF_A_PERSON)
_PERSONS = frozenset({SOLE_TRADER, None})
_WITH_FACTS = frozenset({PENDING, AvisOutcome.SKIPPED_SOLE_TRADER, AvisOutcome.NOT_UNDERSTOOD})


class StoredPage(NamedTuple):
    """The row that an establishment has in pro_localisations, open or closed."""

    slug: str
    activite_principale: str
    code_commune: str
    nom: str | None


class Kept(NamedTuple):
    """The rows beside those of an establishment and its unit that decide on its page.

    `absent`: INSEE, asked by number, no longer lists it.
    """

    page: StoredPage | None = None
    opposed: bool = False
    absent: bool = False


_NOTHING_KEPT = Kept()


class PageSubject(NamedTuple):
    """An establishment as it is stored now, with its page and the outcome of its avis.

    `page` is None where none may be open. `is_purged`: the record is open to all, and names nobody
    where a person should be named. `loses_name`: it is, and the stored page has another name.
    """

    siret: str
    siren: str
    stored: StoredPage | None
    outcome: AvisOutcome
    page: Page | None
    facts_hash: str
    is_silenced_with_unit: bool
    is_purged: bool
    loses_name: bool

    @classmethod
    def of(
        cls,
        etablissement: EtablissementFacts,
        unite: UniteFacts,
        *,
        sole_traders: bool,
        kept: Kept = _NOTHING_KEPT,
    ) -> "PageSubject":
        is_open = page_status(etablissement) == "open" and not kept.absent
        page = page_of(etablissement, unite) if is_open else None
        status: PageStatus = "closed" if page is None else "open"
        outcome = avis_outcome(
            etablissement, unite, status, sole_traders=sole_traders, opposed=kept.opposed
        )
        is_purged = outcome not in WITHDRAWN and _is_purged(unite)
        return cls(
            etablissement.siret,
            etablissement.siren,
            kept.page,
            outcome,
            page,
            facts_hash(registered_facts(etablissement, unite, page))
            if page is not None and outcome in _WITH_FACTS
            else _NO_FACTS,
            kept.opposed or unite.statut_diffusion != OPEN_TO_ALL,
            is_purged,
            is_purged
            and kept.page is not None
            and kept.page.nom is not None
            and kept.page.nom != _name_of(etablissement, unite),
        )

    @property
    def changes_slug(self) -> bool:
        if self.stored is None or self.page is None:
            return False
        return self.stored.slug != self.page.slug

    @property
    def changes_place(self) -> bool:
        """Say whether its texts get other neighbours (`shared.db.neighbours`)."""
        if self.stored is None or self.page is None:
            return False
        return self.stored[1:3] != (self.page.activite_principale, self.page.code_commune)


def is_hidden_or_purged(unite: UniteFacts) -> bool:
    """Return whether something may be to erase, even where no page is open."""
    return unite.statut_diffusion != OPEN_TO_ALL or _is_purged(unite)


def _is_purged(unite: UniteFacts) -> bool:
    return unite.categorie_juridique in _PERSONS and not any(_NAMES(unite))


def _name_of(etablissement: EtablissementFacts, unite: UniteFacts) -> str | None:
    name = display_name(etablissement, unite)
    return None if name is None else name.registered


def stored_subject(row: Sequence[Any], *, sole_traders: bool) -> PageSubject:
    """Make the subject from a row that `pages` reads."""
    stored, opposed, absent, *columns = row
    return PageSubject.of(
        EtablissementFacts._make(columns[: len(ETABLISSEMENT_FACTS)]),
        UniteFacts._make(columns[len(ETABLISSEMENT_FACTS) :]),
        sole_traders=sole_traders,
        kept=Kept(stored and StoredPage._make(stored), opposed, absent),
    )


def made_subjects(lines: Iterable[tuple[str, str]], *, sole_traders: bool) -> list[PageSubject]:
    """Make the subjects of rows that were just inserted: no opposition concerns them.

    `lines`: the line of the unit and the line of the establishment.
    """
    subjects: list[PageSubject] = []
    last, unite = "", None
    for unite_line, line in lines:
        if unite is None or unite_line != last:
            last = unite_line
            values: list[Any] = [text or None for text in _UNITE_TEXTS(texts_of(last))]
            values[_UNITE_DATE] = values[_UNITE_DATE] and date.fromisoformat(values[_UNITE_DATE])
            unite = UniteFacts._make(values)
        columns: list[Any] = [text or None for text in _ETABLISSEMENT_TEXTS(texts_of(line))]
        for place in _DATES:
            columns[place] = columns[place] and date.fromisoformat(columns[place])
        treated, siege = columns[_TREATED], columns[_SIEGE]
        columns[_TREATED] = treated and datetime.fromisoformat(treated)
        columns[_SIEGE] = siege and siege == "t"
        etablissement = EtablissementFacts._make(columns)
        subjects.append(PageSubject.of(etablissement, unite, sole_traders=sole_traders))
    return subjects
