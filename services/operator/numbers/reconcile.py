"""Counters of batches compared with receipts, pages and rows.

Only these counters and those of trades can drift: numbers of runs are sums over batches, and avis,
failed items and dead letters are counted at each question.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, text

from services.operator.numbers.trades import TradesFound, mend_trades

# A receipt counts while its page still names its GET. Outcomes of rows are counted over every slice
# that was committed, also where its receipt no longer counts.
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
    -- Missing when the batch was closed, stored since by a retry: no fault of the counter.
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
# The same numbers of shards in other databases: the control database has the receipts of their
# slices, and they have the sirets.
_COUNTING_PAGES = text("""
    SELECT array_agg(p.batch_id) AS batches, array_agg(p.number) AS pages,
      array_agg(p.fetch_id) AS fetches
    FROM import_pages p JOIN import_batches b ON b.id = p.batch_id WHERE b.status = 'complete'
""")
_MISSING = text("""
    SELECT array_agg(b.id) AS batches, array_agg(m.siret) AS sirets
    FROM import_batches b, unnest(b.missing_sirets) AS m (siret) WHERE b.status = 'complete'
""")
_SHARD_SEEN = text("""
    WITH listed AS (
      SELECT DISTINCT r.batch_id, s.siret
      FROM unnest(CAST(:batches AS bigint[]), CAST(:pages AS int[]), CAST(:fetches AS bigint[]))
        AS p (batch_id, page, fetch_id)
      JOIN shard_receipts r USING (batch_id, page, fetch_id),
        unnest(r.sirets) AS s (siret))
    SELECT l.batch_id, count(*) AS listed, count(e.siret) AS present
    FROM listed l LEFT JOIN etablissements e USING (siret) GROUP BY 1
""")
_SHARD_ARRIVED = text("""
    SELECT m.batch_id, count(*) AS sirets
    FROM unnest(CAST(:batches AS bigint[]), CAST(:sirets AS text[])) AS m (batch_id, siret)
    JOIN etablissements e USING (siret) GROUP BY 1
""")
_SHARD_ROWS = text("SELECT count(*) FROM etablissements")
# A batch or a stock file inserted each row once. A row that was lost is inserted again by a repair,
# which asks for it by number, as a retry asks for one that no batch could store. A repair may also
# bring what is new at INSEE: its rows are a bound.
_ROWS = text("""
    SELECT (SELECT coalesce(sum(inserted), 0)::bigint FROM import_batches)
             + (SELECT coalesce(sum(inserted), 0)::bigint FROM stock_loads
                WHERE collection = 'etablissements') AS inserted,
           (SELECT coalesce(sum(greatest(b.inserted - (
                SELECT count(*) FROM unnest(b.sirets) AS s (siret)
                WHERE s.siret IN (SELECT unnest(missing_sirets) FROM import_batches)), 0)), 0)
              FROM import_batches b WHERE b.sirets IS NOT NULL AND b.inserted > 0) AS repaired,
           (SELECT count(*) FROM etablissements) AS real_inserted
""")

_ALWAYS_EXACT = ("received", "outcomes", "slices_done")
# These are stated once, when the batch completes.
_AT_THE_END = ("received_distinct", "stored", "missing")


@dataclass(frozen=True)
class Comparison:
    """One counter and what it should be; `batch` is an id, or "all" for the sum over all."""

    batch: int | str
    counter: str
    counted: int
    real: int

    @property
    def difference(self) -> int:
        return self.counted - self.real


@dataclass(frozen=True)
class Reconciliation:
    """`differing` are counters of single batches that are wrong, `mended` counts of trades."""

    batches: int
    totals: list[Comparison]
    differing: list[Comparison]
    mended: int = 0

    @property
    def agrees(self) -> bool:
        # Differences of two batches, or of two trades, may cancel out in the total.
        are_right = all(total.difference == 0 for total in self.totals)
        return are_right and not self.differing and not self.mended


@dataclass
class _Elsewhere:
    """Numbers of the shards in other databases, by batch."""

    listed: Counter[int] = field(default_factory=Counter)
    present: Counter[int] = field(default_factory=Counter)
    arrived: Counter[int] = field(default_factory=Counter)
    etablissements: int = 0


def reconcile(connection: Connection, shards: Sequence[Connection] = ()) -> Reconciliation:
    """Compare in one snapshot, so that a running import is no difference; mend counts of trades.

    `shards` are the shards in other databases. Databases share no snapshot: rows written meanwhile
    can then show as a difference of the whole. No connection may have begun a transaction yet.
    """
    for each in (connection, *shards):
        each.execution_options(isolation_level="REPEATABLE READ")
    rows = connection.execute(_BATCHES).mappings().all()
    stored = connection.execute(_ROWS).one()
    elsewhere = _look_elsewhere(connection, shards)
    comparisons = [each for row in rows for each in _compare(row, elsewhere)]
    totals = [_total(name, comparisons) for name in (*_ALWAYS_EXACT, *_AT_THE_END)]
    real_inserted = stored.real_inserted + elsewhere.etablissements
    # A repair may have inserted some rows again, so fewer may be there than were inserted.
    counted = min(max(real_inserted, stored.inserted - int(stored.repaired)), stored.inserted)
    totals.append(Comparison("all", "inserted", counted, real_inserted))
    trades = sum(map(mend_trades, (connection, *shards)), TradesFound())
    totals.append(Comparison("all", "trades", trades.counted, trades.real))
    for each in (connection, *shards):
        each.commit()
    differing = [each for each in comparisons if each.difference]
    return Reconciliation(len(rows), totals, differing, trades.mended)


def _look_elsewhere(control: Connection, shards: Sequence[Connection]) -> _Elsewhere:
    found = _Elsewhere()
    if not shards:
        return found
    pages = dict(control.execute(_COUNTING_PAGES).mappings().one())
    missing = dict(control.execute(_MISSING).mappings().one())
    for shard in shards:
        for row in shard.execute(_SHARD_SEEN, pages):
            found.listed[row.batch_id] += row.listed
            found.present[row.batch_id] += row.present
        for row in shard.execute(_SHARD_ARRIVED, missing):
            found.arrived[row.batch_id] += row.sirets
        found.etablissements += shard.execute(_SHARD_ROWS).scalar_one()
    return found


def _compare(row: RowMapping, elsewhere: _Elsewhere) -> Iterable[Comparison]:
    batch_id: int = row["id"]
    listed, present = elsewhere.listed[batch_id], elsewhere.present[batch_id]
    arrived = elsewhere.arrived[batch_id]
    further = {
        "received_distinct": listed,
        "stored": present - arrived,
        "missing": listed - present + arrived,
    }
    for name in _ALWAYS_EXACT + (_AT_THE_END if row["is_complete"] else ()):
        real = row[f"real_{name}"] + further.get(name, 0)
        yield Comparison(batch_id, name, row[name], real)


def _total(name: str, comparisons: Iterable[Comparison]) -> Comparison:
    same = [each for each in comparisons if each.counter == name]
    counted, real = sum(each.counted for each in same), sum(each.real for each in same)
    return Comparison("all", name, counted, real)
