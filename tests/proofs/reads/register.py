"""The register as its rows say it: the pages to ask for, their states, the erasures beside them."""

import html
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from services.writer.erasure.oppositions import forget
from shared import page_changes
from shared.page_changes import Cursor
from tests.readers import TakenMarks

_AT_ONCE = 300
_MOST_TAKEN = 200
_FROM = """
    FROM pro_localisations p
    JOIN etablissements e ON e.siret = p.siret JOIN unites_legales u ON u.siren = p.siren
"""
_SHOWN = """(p.status = 'open' AND p.nom IS NOT NULL
    AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O'
    AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = p.siren))"""
_BOUNDS = text("SELECT min(id), max(id) FROM pro_localisations")
_PAGES = text(f"""
    SELECT p.siren, p.siret, p.slug, p.nom, p.libelle_commune, p.code_commune,
      p.activite_principale
    {_FROM} WHERE p.id >= :first AND {_SHOWN} ORDER BY p.id LIMIT {_AT_ONCE}
""")
_STATE = text(f"""
    SELECT p.slug, {_SHOWN},
      (SELECT array_agg(v.text ORDER BY v.kind) FROM avis_published v WHERE v.siret = p.siret)
    {_FROM} WHERE p.siret = :siret
""")
_FOUND = text("""
    SELECT siret FROM search_entries WHERE siret = ANY(CAST(:sirets AS text[]))
""")
_OF_UNITE = text("SELECT siret FROM etablissements WHERE siren = :siren")


class KnownPage(NamedTuple):
    siren: str
    siret: str
    slug: str
    nom: str
    libelle_commune: str | None
    code_commune: str
    activite_principale: str


class PageState(NamedTuple):
    """The state of a page in one snapshot: its name under this slug, and these texts."""

    slug: str
    is_shown: bool
    texts: Sequence[str] | None

    def fits(self, slug: str, status: int, body: str) -> bool:
        """Return whether such an answer to a request for the slug is of this state."""
        if not self.is_shown or slug != self.slug:
            return status in {301, 404, 410}
        shown = html.unescape(body)
        if not self.texts:
            return status in {200, 304} and '<p class="label">' not in body
        return status in {200, 304} and all(each in shown for each in self.texts)


@dataclass
class ReadRegister:
    """Pages that readers know; `taken` has the sirets of those that were erased beside them."""

    engine: Engine
    dice: random.Random
    pages: Sequence[KnownPage] = ()
    taken: TakenMarks = field(default_factory=TakenMarks)
    taken_pages: list[KnownPage] = field(default_factory=list)

    def renew(self) -> None:
        """Look for other pages: those that readers know are a part that moves on."""
        with self.engine.connect() as connection:
            first, last = connection.execute(_BOUNDS).one()
            if first is not None:
                start = self.dice.randint(first, max(first, last - _AT_ONCE))
                rows = connection.execute(_PAGES, {"first": start})
                self.pages = [KnownPage._make(row) for row in rows] or self.pages

    def state_of(self, siret: str) -> PageState:
        """Return what is committed now. A page is never deleted."""
        with self.engine.connect() as connection:
            return PageState._make(connection.execute(_STATE, {"siret": siret}).one())

    def end_of_changes(self, after: Cursor | None, limit: int) -> Cursor:
        """Return the place that a reader reaches who asks now for the changes behind another."""
        with self.engine.connect() as connection:
            return page_changes.read(connection, after, limit).next

    def erase_one(self) -> bool:
        """Let a unit object whose pages are found; return whether there was one."""
        known = self.pages
        with self.engine.connect() as connection:
            sirets = [page.siret for page in known]
            found = set(connection.scalars(_FOUND, {"sirets": sirets}))
            chosen = next((page for page in known if page.siret in found), None)
            if chosen is None:
                return False
            marks = list(_sirets_of(connection, chosen.siren))
        forget(self.engine, chosen.siren, reason="proof")
        self.taken.add(marks)
        self.taken_pages = [*self.taken_pages[-_MOST_TAKEN:], chosen]
        return True


def _sirets_of(connection: Connection, siren: str) -> Sequence[str]:
    return connection.scalars(_OF_UNITE, {"siren": siren}).all()
