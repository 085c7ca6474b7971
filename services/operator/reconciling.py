"""Counters against what they count: receipts, pages, and the rows themselves.

A run's and the whole's numbers are sums over batches, and those of avis, failed items and dead
letters are counted when they are asked for: the batches' counters are all that can drift.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, text

# A receipt counts where its GET is still its page's. What became of rows is counted over every
# slice that was committed, whether its receipt still counts or not.
_BATCHES = text("""
    WITH counting AS MATERIALIZED (
      SELECT r.batch_id, r.records, r.sirets
      FROM slice_receipts r
      JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
        AND p.fetch_id = r.fetch_id),
    receipts AS (
      SELECT batch_id, sum(records) AS records, count(*) AS slices FROM counting GROUP BY 1),
    committed AS (
      SELECT batch_id, sum(records) AS records FROM slice_receipts GROUP BY 1),
    pages AS (
      SELECT batch_id, sum(slices_done) AS slices_done FROM import_pages GROUP BY 1),
    listed AS (
      SELECT DISTINCT c.batch_id, s.siret
      FROM counting c JOIN import_batches b ON b.id = c.batch_id AND b.status = 'complete',
        unnest(c.sirets) AS s (siret)),
    seen AS (
      SELECT l.batch_id, count(*) AS listed, count(e.siret) AS present
      FROM listed l LEFT JOIN etablissements e USING (siret) GROUP BY 1),
    -- Missing when the batch was closed, and stored since, by a retry: no fault of the counter.
    arrived AS (
      SELECT b.id AS batch_id, count(*) AS sirets
      FROM import_batches b, unnest(b.missing_sirets) AS m (siret)
      JOIN etablissements e USING (siret)
      WHERE b.status = 'complete' GROUP BY 1)
    SELECT b.id, b.status = 'complete' AS is_complete,
      b.received, coalesce(receipts.records, 0)::bigint AS real_received,
      b.inserted + b.updated + b.unchanged + b.failed AS outcomes,
      coalesce(committed.records, 0)::bigint AS real_outcomes,
      coalesce(pages.slices_done, 0)::bigint AS slices_done,
      coalesce(receipts.slices, 0) AS real_slices_done,
      coalesce(b.received_distinct, 0) AS received_distinct,
      coalesce(seen.listed, 0) AS real_received_distinct,
      coalesce(b.stored, 0) AS stored,
      coalesce(seen.present, 0) - coalesce(arrived.sirets, 0) AS real_stored,
      coalesce(cardinality(b.missing_sirets), 0) AS missing,
      coalesce(seen.listed, 0) - coalesce(seen.present, 0) + coalesce(arrived.sirets, 0)
        AS real_missing
    FROM import_batches b
    LEFT JOIN receipts ON receipts.batch_id = b.id
    LEFT JOIN committed ON committed.batch_id = b.id
    LEFT JOIN pages ON pages.batch_id = b.id
    LEFT JOIN seen ON seen.batch_id = b.id
    LEFT JOIN arrived ON arrived.batch_id = b.id
    ORDER BY b.id
""")
# Nothing deletes a row, and each was new once: to a batch, or to a stock file.
_ROWS = text("""
    SELECT (SELECT coalesce(sum(inserted), 0)::bigint FROM import_batches)
             + (SELECT coalesce(sum(inserted), 0)::bigint FROM stock_loads
                WHERE collection = 'etablissements') AS inserted,
           (SELECT count(*) FROM etablissements) AS real_inserted
""")

_ALWAYS_EXACT = ("received", "outcomes", "slices_done")
# Stated once, when the batch completes.
_AT_THE_END = ("received_distinct", "stored", "missing")


@dataclass(frozen=True)
class Comparison:
    counter: str
    counted: int
    real: int
    batch_id: int | None = None
    """None: the sum over all batches."""

    @property
    def difference(self) -> int:
        return self.counted - self.real


@dataclass(frozen=True)
class Reconciliation:
    batches: int
    totals: list[Comparison]
    differing: list[Comparison]
    """Counters of single batches that are not what they should be."""

    @property
    def agrees(self) -> bool:
        # Differences of two batches may cancel out in the total.
        return not self.differing and all(total.difference == 0 for total in self.totals)


def reconcile(connection: Connection) -> Reconciliation:
    """Compare in one snapshot, so that an import that runs meanwhile is no difference.

    The connection must not have begun a transaction yet.
    """
    connection = connection.execution_options(isolation_level="REPEATABLE READ")
    rows = connection.execute(_BATCHES).all()
    stored = connection.execute(_ROWS).one()
    comparisons = [each for row in rows for each in _compare(row)]
    totals = [_total(name, comparisons) for name in (*_ALWAYS_EXACT, *_AT_THE_END)]
    totals.append(Comparison("inserted", stored.inserted, stored.real_inserted))
    return Reconciliation(
        batches=len(rows),
        totals=totals,
        differing=[each for each in comparisons if each.difference],
    )


def _compare(row: Row[tuple[object, ...]]) -> Iterable[Comparison]:
    for name in _ALWAYS_EXACT + (_AT_THE_END if row.is_complete else ()):
        yield Comparison(name, getattr(row, name), getattr(row, f"real_{name}"), row.id)


def _total(name: str, comparisons: Iterable[Comparison]) -> Comparison:
    mine = [each for each in comparisons if each.counter == name]
    return Comparison(name, sum(each.counted for each in mine), sum(each.real for each in mine))
