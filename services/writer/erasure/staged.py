"""Rows that an interrupted `stock` left in its staging tables, and that must not be shown.

A load that runs is left alone: it honours oppositions and tombstones when its rows enter the
register. One that is interrupted may never go on.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, TextClause, text

from services.writer.erasure.tombstones import IS_TOMBSTONE, is_person, nulled
from services.writer.sql.versions import is_hidden_by, is_partial
from shared.db.connections.deadlines import lift_limit
from shared.db.leases.keeper import is_renewed
from shared.db.leases.rows import LeaseName, hold_off
from shared.db.personal_columns import PERSONAL, STAGING
from shared.sirene.records import SIGN_FIELDS, STREET_FIELDS

log = structlog.get_logger()

_IS_THERE = text("SELECT to_regclass(:table) IS NOT NULL")
_OPPOSED = "EXISTS (SELECT FROM oppositions o WHERE o.siren = n.siren)"
_CONCERNED = "(CAST(:sirens AS text[]) IS NULL OR n.siren = ANY(CAST(:sirens AS text[])))"


def _filled(table: str) -> str:
    return f"num_nonnulls({', '.join(PERSONAL[table])}) > 0"


# The version decides as in the register. An establishment that was seen before the P of its unit
# goes with it, whatever its own date says.
_CLEAR: Mapping[str, TextClause] = {
    "stock_unites_legales": text(f"""
        UPDATE stock_unites_legales n SET
          {nulled(PERSONAL["unites_legales"])}
        WHERE {_CONCERNED} AND {_filled("unites_legales")} AND ({_OPPOSED}
          OR {is_person("n")} AND n.statut_diffusion = 'O' AND (
            EXISTS (SELECT FROM erasures t WHERE t.siren = n.siren AND t.siret IS NULL
              AND {IS_TOMBSTONE} AND {is_hidden_by("n", "t")})
            OR EXISTS (SELECT FROM unites_legales u
              WHERE u.siren = n.siren AND {is_partial("u")} AND {is_hidden_by("n", "u")})))
    """),
    "stock_etablissements": text(f"""
        UPDATE stock_etablissements n SET
          {nulled(STREET_FIELDS)}, {nulled(SIGN_FIELDS, where="f.whole", row="n.")}
        FROM (
          SELECT n.ctid AS place, {_OPPOSED} OR {is_person("u")} AS whole
          FROM stock_etablissements n LEFT JOIN unites_legales u USING (siren)
          WHERE {_CONCERNED} AND {_filled("etablissements")} AND ({_OPPOSED}
            OR n.statut_diffusion = 'O' AND (
              EXISTS (SELECT FROM erasures t WHERE t.siren = n.siren AND {IS_TOMBSTONE}
                AND CASE WHEN t.siret IS NULL THEN t.fetched_at > n.fetched_at
                  ELSE t.siret = n.siret AND {is_hidden_by("n", "t")} END)
              OR {is_partial("u")} AND u.fetched_at > n.fetched_at
              OR EXISTS (SELECT FROM etablissements e
                WHERE e.siret = n.siret AND {is_partial("e")} AND {is_hidden_by("n", "e")})))) f
        WHERE n.ctid = f.place
          AND num_nonnulls({", ".join(STREET_FIELDS)},
            CASE WHEN f.whole THEN coalesce({", ".join(SIGN_FIELDS)}) END) > 0
    """),
}


def clear_staged(engine: Engine, sirens: Collection[str] | None = None) -> Counter[str]:
    """Clear these units' rows, or those of all, in what an interrupted load left behind.

    Returns the cleared rows by table. A table is read as a whole: it has no index yet. After a kill
    it waits for the end of the load's lease, some seconds.
    """
    cleared = _clear(engine, sirens)
    if cleared is None and not is_renewed(engine, LeaseName.STOCK):
        cleared = _clear(engine, sirens)
    return cleared or Counter()


def _clear(engine: Engine, sirens: Collection[str] | None) -> Counter[str] | None:
    """Return None where a load has the tables."""
    with engine.begin() as connection:
        tables = [table for table in STAGING if _is_there(connection, table)]
        if not tables:
            return Counter()
        if not hold_off(connection, LeaseName.STOCK):
            return None
        lift_limit(connection)
        those = {"sirens": None if sirens is None else sorted(sirens)}
        cleared = {table: connection.execute(_CLEAR[table], those).rowcount for table in tables}
    return +Counter(cleared)


def _is_there(connection: Connection, table: str) -> bool:
    return bool(connection.scalar(_IS_THERE, {"table": table}))


@dataclass(frozen=True, slots=True)
class StagedRows:
    """The loop that clears what INSEE masks, or a person objects to, after a load was killed."""

    engines: Sequence[Engine]

    def step(self) -> None:
        for engine in self.engines:
            if cleared := clear_staged(engine):
                log.info("cleared staged rows", rows=sum(cleared.values()))
