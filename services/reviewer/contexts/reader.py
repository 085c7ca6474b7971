"""The reader of contexts: what rows beside their own say of many establishments at once."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine

from services.reviewer.contexts.context_rows import Links, read_links, read_periods, read_sites
from services.reviewer.contexts.histories import (
    Period,
    former_activites,
    former_enseignes,
    held_until,
    is_recoded,
)
from services.reviewer.texts.subject_rows import read_subjects
from services.reviewer.texts.subjects import AvisSubject
from shared.clock import Clock
from shared.imports.completeness import Completeness, read_completeness
from shared.sirene.context import Context, Former, Sites
from shared.sirene.records import SOLE_TRADER
from shared.trades import ToldTrades, trade_of

_FRESH_SECONDS = 60.0
"""Time for which what is complete is not asked for again."""


@dataclass
class ContextReader:
    """Reads contexts for one process; many threads may do so.

    Nobody who calls it may hold more than one connection of a pool: it takes one of each.
    """

    control: Engine
    shards: Sequence[Engine]
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _complete: Completeness | None = None
    _read_at: float = 0.0

    def subjects(self, shard: Engine, avis_ids: Sequence[int]) -> dict[int, AvisSubject]:
        """Return the subjects of these avis of a shard, with their contexts."""
        with shard.connect() as connection:
            subjects = read_subjects(connection, avis_ids)
        return self.describe(subjects)

    def describe(self, subjects: Mapping[int, AvisSubject]) -> dict[int, AvisSubject]:
        """Return the subjects with their contexts; a synthese tells none."""
        told = [each for each in subjects.values() if each.sources is None]
        contexts = self._read(told) if told else {}
        return {
            avis_id: subject
            if (read := contexts.get(subject.etablissement.siret)) is None
            or subject.sources is not None
            else replace(subject, context=read[0], unknown=read[1])
            for avis_id, subject in subjects.items()
        }

    def _read(self, subjects: Sequence[AvisSubject]) -> dict[str, tuple[Context, frozenset[str]]]:
        sirets = sorted({each.etablissement.siret for each in subjects})
        sirens = sorted({each.etablissement.siren for each in subjects})
        with ExitStack() as stack:
            engines = dict.fromkeys([self.control, *self.shards])
            opened = {each: stack.enter_context(each.connect()) for each in engines}
            control, shards = opened[self.control], [opened[each] for each in self.shards]
            complete = self._completeness(control, shards)
            trades = trade_of(
                control, sirets, now=self.clock.now(), shards=shards, complete=complete
            )
            links = read_links(control, shards, sirets)
            sites: dict[str, Sites] = {}
            periods: dict[str, list[Period]] = {}
            for shard in shards:
                sites |= read_sites(shard, sirens, complete.month)
                periods |= read_periods(shard, sirets)
        return {
            (siret := each.etablissement.siret): _context(
                each,
                trades,
                sites.get(each.etablissement.siren),
                periods.get(siret, []),
                links.get(siret),
            )
            for each in subjects
        }

    def _completeness(self, control: Connection, shards: Sequence[Connection]) -> Completeness:
        with self._lock:
            kept, read_at = self._complete, self._read_at
        if kept is not None and self.clock.monotonic_seconds() < read_at + _FRESH_SECONDS:
            return kept
        complete = read_completeness(control, now=self.clock.now(), shards=shards)
        with self._lock:
            self._complete, self._read_at = complete, self.clock.monotonic_seconds()
        return complete


def _context(
    subject: AvisSubject,
    trades: ToldTrades,
    sites: Sites | None,
    periods: Sequence[Period],
    links: Links | None,
) -> tuple[Context, frozenset[str]]:
    """Return the context, and the parts of it that are unknown."""
    etablissement, unite = subject.etablissement, subject.unite
    trade = trades.told.get(etablissement.siret)
    held = held_until(periods, subject.today, etablissement.nombre_periodes)
    is_person = unite.categorie_juridique in {SOLE_TRADER, None}
    names = (subject.page.nom, unite.denomination, unite.sigle)
    signs: Iterable[Former] = () if is_person else former_enseignes(held or (), names)
    context = Context(
        trade=trade,
        sites=sites,
        former_activites=former_activites(held or (), subject.page.libelle_activite),
        former_enseignes=tuple(signs),
        predecessors=() if links is None else tuple(links.predecessors),
        successors=() if links is None else tuple(links.successors),
    )
    unknown = {
        "trade": trade is None,
        "rank": trade is None or etablissement.siret in trades.unranked,
        "sites": sites is None,
        "former_activites": held is None or is_recoded(held),
        # A person's may not be told, known or not.
        "former_enseignes": held is None and not is_person,
    }
    return context, frozenset(part for part, is_unknown in unknown.items() if is_unknown)
