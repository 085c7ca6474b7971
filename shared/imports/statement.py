"""The statement of batches, a run or a day, by département: expected, received, stored, missing.

Each batch states its missing and surplus establishments when it closes. A missing one that is
stored by now no longer counts, nor a surplus one that left the window or that INSEE has answered
for by number. Numbers are sums over batches; sets are unions.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from shared.days import TIME_ZONE
from shared.imports.listed import listed

# An establishment with a row but without a commune: INSEE places it abroad.
NOWHERE = "none"
# An establishment received but not stored: nothing tells its place.
UNKNOWN = "unknown"

# The latest answer for each siret asked for by number; INSEE no longer lists an unlisted one.
ASKED = """
    asked AS (
      SELECT DISTINCT ON (a.siret) a.siret, b.id AS batch_id, b.completed_at,
        a.siret = ANY (b.surplus_sirets) AS is_unlisted
      FROM import_batches b CROSS JOIN unnest(b.sirets) AS a (siret)
      WHERE b.sirets IS NOT NULL AND b.status = 'complete'
      ORDER BY a.siret, b.id DESC)"""
_ACTIVITE, _ETAT = (listed(name, "e") for name in ("activite_principale", "etat_administratif"))
_CHOSEN = f"""
    chosen AS MATERIALIZED (
      SELECT b.id, b.status, b.expected, b.received_distinct, b.missing_sirets, b.surplus_sirets,
        b.departement, b.code_commune, b.activite_principale, b.etat_administratif,
        b.siret_from, b.siret_to,
        -- As departement_of does: overseas three characters, Corsica 2A and 2B.
        coalesce(b.departement,
          left(b.code_commune, CASE WHEN b.code_commune ~ '^9[78]' THEN 3 ELSE 2 END)) AS place
      FROM import_batches b
      WHERE (CAST(:batch_id AS bigint) IS NULL OR b.id = :batch_id)
        AND (CAST(:run_id AS bigint) IS NULL OR b.run_id = :run_id)
        AND (CAST(:day AS date) IS NULL
          OR (b.completed_at AT TIME ZONE '{TIME_ZONE}')::date = :day)),
    closed AS (SELECT * FROM chosen WHERE status = 'complete'),
    {ASKED},
    differences AS MATERIALIZED (
      SELECT DISTINCT 'missing' AS kind, m.siret, coalesce(c.place, '{UNKNOWN}') AS place,
        c.place IS NOT NULL AS is_placed
      FROM closed c CROSS JOIN unnest(c.missing_sirets) AS m (siret)
      WHERE NOT EXISTS (SELECT FROM etablissements e WHERE e.siret = m.siret)
      UNION ALL
      SELECT DISTINCT CASE WHEN a.is_unlisted THEN 'gone' ELSE 'surplus' END, e.siret,
        coalesce(c.place, e.departement, '{NOWHERE}'), c.place IS NOT NULL
      FROM closed c CROSS JOIN unnest(c.surplus_sirets) AS s (siret)
      JOIN etablissements e ON e.siret = s.siret
        AND (c.departement IS NULL OR e.departement = c.departement)
        AND (c.code_commune IS NULL OR e.code_commune = c.code_commune)
        AND (c.activite_principale IS NULL
          OR c.activite_principale IN ({_ACTIVITE}, e.activite_principale_naf25))
        AND (c.etat_administratif IS NULL OR {_ETAT} = c.etat_administratif)
        AND (c.siret_from IS NULL OR e.siret >= c.siret_from)
        AND (c.siret_to IS NULL OR e.siret <= c.siret_to)
      LEFT JOIN asked a ON a.siret = e.siret AND a.batch_id >= c.id
      WHERE a.siret IS NULL OR a.is_unlisted)"""
_PLACES = text(f"""
    WITH {_CHOSEN},
    received AS (
      SELECT DISTINCT c.id, u.siret
      FROM closed c
      JOIN import_pages p ON p.batch_id = c.id
      JOIN slice_receipts r ON r.batch_id = p.batch_id AND r.page = p.number
        AND r.fetch_id = p.fetch_id
      CROSS JOIN unnest(r.sirets) AS u (siret)
      WHERE c.place IS NULL),
    parts AS (
      SELECT place, true AS is_placed, sum(expected) AS expected,
        sum(received_distinct) AS received, 0 AS failed, 0 AS missing, 0 AS surplus, 0 AS gone
      FROM closed WHERE place IS NOT NULL GROUP BY place
      UNION ALL
      SELECT CASE WHEN e.siret IS NULL THEN '{UNKNOWN}' ELSE coalesce(e.departement, '{NOWHERE}')
        END, false, NULL, count(*), 0, 0, 0, 0
      FROM received LEFT JOIN etablissements e USING (siret) GROUP BY 1
      UNION ALL
      SELECT CASE WHEN c.place IS NOT NULL THEN c.place WHEN e.siret IS NULL THEN '{UNKNOWN}'
        ELSE coalesce(e.departement, '{NOWHERE}') END, c.place IS NOT NULL, NULL, 0, count(*),
        0, 0, 0
      FROM failed_items f JOIN chosen c ON c.id = f.batch_id
      LEFT JOIN etablissements e ON e.siret = f.key
      WHERE f.kind = 'write' AND f.resolved_at IS NULL GROUP BY 1, 2
      UNION ALL
      SELECT place, is_placed, NULL, 0, 0, count(*) FILTER (WHERE kind = 'missing'),
        count(*) FILTER (WHERE kind = 'surplus'), count(*) FILTER (WHERE kind = 'gone')
      FROM differences GROUP BY place, is_placed)
    SELECT place AS departement,
      CASE WHEN bool_and(is_placed) THEN sum(expected)::bigint END AS expected,
      sum(received)::bigint AS received, sum(received - missing)::bigint AS stored,
      sum(failed)::bigint AS failed_items, sum(missing)::bigint AS missing,
      sum(surplus)::bigint AS surplus, sum(gone)::bigint AS gone
    FROM parts GROUP BY place
    ORDER BY place IN ('{NOWHERE}', '{UNKNOWN}'), place
""")
# It reads only the rows of batches, however much they received: it ends each large import.
_WHOLE = text(f"""
    WITH {_CHOSEN}
    SELECT 'all' AS departement, count(*) AS batches,
      count(*) FILTER (WHERE status IN ('pending', 'running')) AS open_batches,
      count(*) FILTER (WHERE status = 'failed') AS failed_batches,
      coalesce(sum(expected) FILTER (WHERE status = 'complete'), 0)::bigint AS expected,
      coalesce(sum(received_distinct), 0)::bigint AS received,
      coalesce(sum(greatest(expected - received_distinct, 0)), 0)::bigint AS not_received,
      (SELECT count(*) FROM failed_items f JOIN chosen c ON c.id = f.batch_id
       WHERE f.kind = 'write' AND f.resolved_at IS NULL) AS failed_items,
      (SELECT count(DISTINCT siret) FROM differences WHERE kind = 'missing') AS missing,
      (SELECT count(DISTINCT siret) FROM differences WHERE kind = 'surplus') AS surplus,
      (SELECT count(DISTINCT siret) FROM differences WHERE kind = 'gone') AS gone
    FROM chosen
""")
_SIRETS = text(f"""
    WITH {_CHOSEN}
    SELECT DISTINCT kind, siret FROM differences ORDER BY kind, siret
""")


@dataclass(frozen=True)
class StatementSubject:
    """The batches of a statement: those of a run, one, or all that closed on a day in Paris."""

    run_id: int | None = None
    batch_id: int | None = None
    day: dt.date | None = None

    def __str__(self) -> str:
        if self.run_id is not None:
            return f"run {self.run_id}"
        return f"batch {self.batch_id}" if self.batch_id is not None else f"{self.day}"


@dataclass(frozen=True)
class StatementLine:
    """One département, or all; `expected` is None where a batch asked for several places."""

    departement: str
    expected: int | None
    received: int
    stored: int
    failed_items: int
    missing: int
    surplus: int
    gone: int


@dataclass(frozen=True)
class Statement:
    """`not_received` counts establishments expected but not received, of unknown siret."""

    subject: StatementSubject
    batches: int
    open_batches: int
    failed_batches: int
    not_received: int
    total: StatementLine
    lines: list[StatementLine] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """True where all that the closed batches promise is there; open batches do not count."""
        total = self.total
        return not (
            self.failed_batches
            or self.not_received
            or total.missing
            or total.surplus
            or total.failed_items
        )


def read_statement(
    connection: Connection, subject: StatementSubject, *, by_departement: bool = True
) -> Statement:
    """Read a statement in one transaction.

    By département it also reads the receipts of batches with several places.
    """
    lines = connection.execute(_PLACES, vars(subject)).mappings() if by_departement else ()
    whole = dict(connection.execute(_WHOLE, vars(subject)).mappings().one())
    about_batches = ("batches", "open_batches", "failed_batches", "not_received")
    numbers = {name: whole.pop(name) for name in about_batches}
    total = StatementLine(**whole, stored=whole["received"] - whole["missing"])
    return Statement(subject, **numbers, total=total, lines=[StatementLine(**ln) for ln in lines])


def read_sirets(connection: Connection, subject: StatementSubject) -> Mapping[str, list[str]]:
    """Return the sets of sirets, sorted: `missing`, `surplus` and `gone`."""
    found: dict[str, list[str]] = {"missing": [], "surplus": [], "gone": []}
    for row in connection.execute(_SIRETS, vars(subject)):
        found[row.kind].append(row.siret)
    return found


def latest_run(connection: Connection) -> int | None:
    run_id: int | None = connection.scalar(text("SELECT max(id) FROM import_runs"))
    return run_id


def batch_exists(connection: Connection, batch_id: int) -> bool:
    query = text("SELECT EXISTS (SELECT FROM import_batches WHERE id = :id)")
    return bool(connection.scalar(query, {"id": batch_id}))


def in_one_line(statement: Statement) -> str:
    """Return the total in one line, as the last line of an import command."""
    total = statement.total
    parts = {
        "expected": total.expected or 0,
        "received": total.received,
        "stored": total.stored,
        "failed items open": total.failed_items,
        "missing": total.missing + statement.not_received,
        "surplus": total.surplus,
    }
    numbers = ", ".join(f"{name} {count:,}".replace(",", " ") for name, count in parts.items())
    gone = f"; {total.gone} stored are gone from INSEE" if total.gone else ""
    return f"statement of {statement.subject}: {numbers}{gone}"
