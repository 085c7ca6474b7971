"""The numbers of the whole system: one query over batches, and one to each further database.

No query reads what grows with the register: `status` counts texts, and rows of a table are
estimates of PostgreSQL's own statistics.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from shared.days import TIME_ZONE
from shared.imports.progress import BATCH_TOTALS
from shared.imports.watermarks import UNMEASURED_SINCE
from shared.terminal.words import mib, thousands

_SMALL_BYTES = 2**20
_OF_A_SHARD = """
      -- The former is known only after an ANALYZE, the latter is forgotten after a crash.
      'register', (SELECT json_object_agg(name,
          greatest(reltuples, pg_stat_get_live_tuples(oid))::bigint)
        FROM pg_class JOIN (VALUES
          ('establishments_estimated', 'etablissements'::regclass),
          ('legal_units_estimated', 'unites_legales'),
          ('pages_estimated', 'pro_localisations')) counted (name, relation) ON relation = oid),
      'failed_items', (SELECT json_build_object(
        'open', count(*) FILTER (WHERE resolved_at IS NULL),
        'resolved', count(*) FILTER (WHERE resolved_at IS NOT NULL AND closed_because IS NULL),
        'no_longer_due', count(*) FILTER (WHERE closed_because IS NOT NULL)) FROM failed_items),
      'sizes', (SELECT json_build_object(
        -- pg_database_size looks at each of some 600 files, mostly of PostgreSQL's own tables,
        -- which hardly change: those are as large as its statistics say. It is less by up to 6 MiB:
        -- free space maps, empty tables, toasted catalogues.
        'database_bytes', coalesce(sum(bytes), 0) + (
          SELECT sum(relpages) * current_setting('block_size')::int FROM pg_class
          WHERE NOT relisshared AND relnamespace NOT IN (
            (SELECT current_schema()::regnamespace), 'pg_toast'::regnamespace)),
        'tables', coalesce(json_object_agg(relname, json_build_object(
          'bytes', bytes, 'rows_estimated', rows) ORDER BY bytes DESC, relname), '{}'))
        FROM (SELECT relname, pg_total_relation_size(oid) AS bytes,
            nullif(reltuples, -1)::bigint AS rows
          FROM pg_class
          -- In a query of its own the schema is looked up once, not for each table.
          WHERE relkind = 'r' AND relnamespace = (SELECT current_schema()::regnamespace)
            -- To weigh a table takes a look at each of its files: not at those of empty ones.
            AND pg_relation_size(oid) > 0) t)
"""
_STATS = text(f"""
    SELECT json_build_object(
      'batches', json_build_object(
        'pending', b.pending, 'running', b.running, 'complete', b.complete, 'failed', b.failed),
      'items', json_build_object(
        'expected', b.expected, 'processed', b.received,
        'inserted', b.inserted, 'updated', b.updated, 'unchanged', b.unchanged,
        'succeeded', b.received - b.failed_rows, 'failed', b.failed_rows,
        'success_rate', CASE WHEN b.received = 0 THEN NULL
          ELSE round((b.received - b.failed_rows)::numeric / b.received, 6) END,
        'missing', d.missing, 'surplus', d.surplus),
      'dead_letters', (SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL),
      'quota', (SELECT coalesce(json_agg(json_build_object(
        'key', key_fingerprint, 'requests_per_minute', requests_per_minute,
        'requests_per_hour', requests_per_hour, 'share_left_by_others', adaptation,
        'paused_until', CASE WHEN paused_until > now() THEN paused_until END)), '[]') FROM quota),
      'unknown_keys', (SELECT coalesce(json_agg(key ORDER BY key), '[]') FROM schema_drift),
      'unknown_codes', (SELECT coalesce(json_object_agg(field, codes), '{{}}') FROM (
        SELECT field, json_agg(code ORDER BY code) AS codes FROM unknown_codes GROUP BY field) c),
      'freshness', (SELECT coalesce(json_agg(json_build_object(
        'collection', collection, 'treated_until', treated_until,
        'age_hours', round(extract(epoch FROM
          now() - (treated_until AT TIME ZONE '{TIME_ZONE}'))::numeric / 3600, 1))
        ORDER BY collection), '[]') FROM watermarks),
      'freshness_unmeasured', json_build_object('mend_by_delta_since', {UNMEASURED_SINCE}),
      'requests', json_build_object(
        'last_60_seconds', (SELECT count(*) FROM insee_requests
          WHERE granted_at > now() - interval '60 s'),
        'http_429', (SELECT count(*) FROM insee_requests WHERE http_status = 429)),
      {_OF_A_SHARD})
    FROM (
      SELECT {BATCH_TOTALS}, coalesce(sum(expected), 0)::bigint AS expected
      FROM import_batches) b, (
      -- These columns come last in a row: reaching them costs a third of reading the row.
      SELECT coalesce(sum(cardinality(missing_sirets)), 0)::bigint AS missing,
             coalesce(sum(cardinality(surplus_sirets)), 0)::bigint AS surplus
      FROM import_batches WHERE missing_sirets <> '{{}}' OR surplus_sirets <> '{{}}') d
""")
_SHARD_STATS = text(f"SELECT json_build_object({_OF_A_SHARD})")

Stats = dict[str, Any]


def read_stats(connection: Connection, shards: Sequence[Connection] = ()) -> Stats:
    """Return the numbers as plain JSON, by group; `shards` are in other databases."""
    stats: Stats = connection.execute(_STATS).scalar_one()
    for shard in shards:
        stats = _added(stats, shard.execute(_SHARD_STATS).scalar_one())
    return stats


def _added(stats: Stats, more: Stats) -> Stats:
    """Add numbers of the same name. A number that one side does not know is unknown.

    A name that one side lacks is a table that is empty there.
    """
    return stats | {
        name: _sum(stats[name], value) if name in stats else value for name, value in more.items()
    }


def _sum(value: Any, more: Any) -> Any:
    if isinstance(more, dict):
        return _added(value, more)
    return None if value is None or more is None else value + more


def described(stats: Stats) -> Iterator[tuple[str, str]]:
    """Yield a group and a line about one number of it, for people."""
    for group, values in stats.items():
        numbers = values if isinstance(values, dict) else {"": values}
        for name, value in numbers.items():
            if name == "tables":
                yield from ((group, line) for line in _largest(value))
            elif name.endswith("_bytes"):
                yield group, f"{name.removesuffix('_bytes')}: {mib(value)}"
            else:
                yield group, f"{name}: {_readable(value)}" if name else _readable(value)


def _largest(tables: Mapping[str, Mapping[str, int | None]]) -> Iterator[str]:
    """Yield a line for each table that takes space; programs get all tables that hold a row."""
    large = {name: size for name, size in tables.items() if (size["bytes"] or 0) >= _SMALL_BYTES}
    for name, size in large.items():
        rows = size["rows_estimated"]
        # PostgreSQL estimates no rows before its first ANALYZE.
        estimate = "" if rows is None else f", about {thousands(rows)} rows"
        yield f"{name}: {mib(size['bytes'] or 0)}{estimate}"
    yield f"{len(tables) - len(large)} smaller tables"


def _readable(value: object) -> str:
    if isinstance(value, int):
        return thousands(value)
    if isinstance(value, list):
        return "; ".join(_readable(each) for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_readable(each)}" for name, each in value.items())
    return "none" if value is None else str(value)
