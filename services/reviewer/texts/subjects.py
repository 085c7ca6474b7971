"""What the register says now about the establishments that avis are about."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select, text

from services.reviewer.reviews.source import Source
from services.reviewer.reviews.store import read_sources, sources_hash
from shared.avis import PENDING, AvisOutcome
from shared.db.tables import avis, etablissements, oppositions, pro_localisations, unites_legales
from shared.sirene.facts import Facts, facts_hash
from shared.sirene.pages import avis_outcome, facts_of
from shared.sirene.records import Etablissement, Page, UniteLegale

_OF_THESE = text("avis.id = ANY(CAST(:ids AS bigint[]))")


def _labelled(table: Table, prefix: str) -> list[ColumnElement[object]]:
    """The table's columns under names that no other table of the join has."""
    return [column.label(prefix + column.name) for column in table.columns]


_SUBJECTS = (
    select(
        avis.c.id.label("avis_id"),
        avis.c.kind,
        oppositions.c.siren.is_not(None).label("opposed"),
        *_labelled(etablissements, "e_"),
        *_labelled(unites_legales, "u_"),
        *_labelled(pro_localisations, "p_"),
    )
    .join(pro_localisations, pro_localisations.c.id == avis.c.pro_localisation_id)
    .join(etablissements, etablissements.c.siret == pro_localisations.c.siret)
    .join(unites_legales, unites_legales.c.siren == pro_localisations.c.siren)
    .outerjoin(oppositions, oppositions.c.siren == avis.c.siren)
    .where(_OF_THESE)
)

# In the writer's order, each sorted: an update of any of these rows waits until the text is in.
_LOCKS = (
    text("""
        SELECT 1 FROM unites_legales
        WHERE siren IN (SELECT siren FROM avis WHERE id = ANY(CAST(:ids AS bigint[])))
        ORDER BY siren FOR SHARE
    """),
    text("""
        SELECT 1 FROM etablissements
        WHERE siret IN (SELECT siret FROM avis WHERE id = ANY(CAST(:ids AS bigint[])))
        ORDER BY siret FOR SHARE
    """),
    text("""
        SELECT 1 FROM pro_localisations
        WHERE id IN (SELECT pro_localisation_id FROM avis WHERE id = ANY(CAST(:ids AS bigint[])))
        ORDER BY siret, activite_principale, code_commune FOR SHARE
    """),
    text("""
        SELECT 1 FROM sources
        WHERE siret IN (SELECT siret FROM avis
          WHERE id = ANY(CAST(:ids AS bigint[])) AND kind = 'synthese')
        ORDER BY digest FOR SHARE
    """),
)


@dataclass(frozen=True, slots=True)
class AvisSubject:
    """The rows that one avis is about, as they were in one statement's snapshot.

    `sources` are None for a notice; a synthese's may be none at all.
    """

    etablissement: Etablissement
    unite: UniteLegale
    page: Page
    opposed: bool
    fetched_at: dt.datetime
    sources: tuple[Source, ...] | None = None

    @property
    def facts_hash(self) -> str:
        """Of everything that the text is made of."""
        own = facts_hash(self.facts)
        return own if self.sources is None else f"{own}+{sources_hash(self.sources)}"

    @property
    def facts(self) -> Facts:
        return facts_of(self.etablissement, self.unite, self.page)

    def outcome(self, *, sole_traders: bool) -> AvisOutcome:
        """Return `pending` where a text may be written, else the outcome that says why not."""
        outcome = avis_outcome(
            self.etablissement,
            self.unite,
            self.page.status,
            opposed=self.opposed,
            sole_traders=sole_traders,
        )
        return AvisOutcome.NO_REVIEWS if outcome is PENDING and self.sources == () else outcome


def lock_subjects(connection: Connection, avis_ids: Sequence[int]) -> None:
    """Hold units, establishments and pages of these avis as they are, to the transaction's end."""
    for statement in _LOCKS:
        connection.execute(statement, {"ids": list(avis_ids)})


def read_subjects(connection: Connection, avis_ids: Sequence[int]) -> dict[int, AvisSubject]:
    """By avis id; an avis whose page, establishment or unit is gone has none."""
    rows = connection.execute(_SUBJECTS, {"ids": list(avis_ids)}).mappings().all()
    reviewed = [row["e_siret"] for row in rows if row["kind"] == "synthese"]
    sources = read_sources(connection, reviewed) if reviewed else {}
    return {row["avis_id"]: _subject(row, sources) for row in rows}


def _subject(row: RowMapping, sources: Mapping[str, Sequence[Source]]) -> AvisSubject:
    columns = {str(name): value for name, value in row.items()}
    theirs = tuple(sources.get(columns["e_siret"], ()))
    return AvisSubject(
        Etablissement.from_row(columns, prefix="e_"),
        UniteLegale.from_row(columns, prefix="u_"),
        Page.from_row(columns, prefix="p_"),
        columns["opposed"],
        columns["e_fetched_at"],
        theirs if columns["kind"] == "synthese" else None,
    )
