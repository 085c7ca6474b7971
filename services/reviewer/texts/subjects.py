"""The subject of an avis: an establishment as the register has it now. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.reviewer.reviews.selection import select
from services.reviewer.reviews.source import Source, sources_hash
from shared.avis import PENDING, AvisOutcome
from shared.sirene.context import NO_CONTEXT, Context
from shared.sirene.facts import Facts, as_told, facts_hash, said
from shared.sirene.pages import avis_outcome, facts_of, registered_facts
from shared.sirene.records import Etablissement, Page, UniteLegale


@dataclass(frozen=True, slots=True)
class AvisSubject:
    """The rows that one avis is about, as one statement saw them.

    `sources` is None for a notice; it may be empty for a synthese. `today` is the day in France on
    which they were read, and `context` what other rows said later; what may be so of its parts in
    `unknown`, nobody knows.
    """

    etablissement: Etablissement
    unite: UniteLegale
    page: Page
    opposed: bool
    fetched_at: dt.datetime
    today: dt.date
    sources: tuple[Source, ...] | None = None
    context: Context = NO_CONTEXT
    unknown: frozenset[str] = frozenset()

    @property
    def facts_hash(self) -> str:
        """Return a hash of everything that the text is made of."""
        own = facts_hash(registered_facts(self.etablissement, self.unite, self.page))
        return own if self.sources is None else f"{own}+{sources_hash(self.sources)}"

    @property
    def facts(self) -> Facts:
        """Return the facts that a text of this day may tell."""
        facts = facts_of(self.etablissement, self.unite, self.page)
        return replace(as_told(facts, self.today), context=self.context)

    def outcome(self, *, sole_traders: bool) -> AvisOutcome:
        """Return `pending` where a text may be written, else the outcome that says why not."""
        outcome = avis_outcome(
            self.etablissement,
            self.unite,
            self.page.status,
            opposed=self.opposed,
            # Reviews of a sole trader are a person's data.
            sole_traders=sole_traders and self.sources is None,
        )
        if outcome is not PENDING or self.sources is None:
            return outcome
        return PENDING if select(self.facts, self.sources).quoted else AvisOutcome.NO_REVIEWS


def fact_lines(facts: Mapping[str, object]) -> dict[str, str]:
    """Return what facts and context say, in words for people."""
    lines = said(facts)
    context = lines.pop("context", {})
    assert isinstance(context, dict)
    return {name: _words(value) for name, value in (lines | context).items()}


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in said(value).items())
    return "; ".join(map(_words, value)) if isinstance(value, list | tuple) else str(value)
