"""The numbers of the whole system in one query over per-batch rows."""

from sqlalchemy import Connection, text

_STATS = text("""
    SELECT json_build_object(
      'batches', json_build_object(
        'pending', b.pending, 'running', b.running, 'complete', b.complete, 'failed', b.failed),
      'items', json_build_object(
        'expected', b.expected, 'processed', b.received,
        'inserted', b.inserted, 'updated', b.updated, 'unchanged', b.unchanged,
        'succeeded', b.received - b.failed_rows, 'failed', b.failed_rows,
        'success_rate', CASE WHEN b.received = 0 THEN NULL
          ELSE round((b.received - b.failed_rows)::numeric / b.received, 6) END,
        'missing', b.missing, 'surplus', b.surplus),
      'failed_items', (SELECT json_build_object(
        'open', count(*) FILTER (WHERE resolved_at IS NULL),
        'resolved', count(*) FILTER (WHERE resolved_at IS NOT NULL)) FROM failed_items),
      'dead_letters', (SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL),
      'quota', (SELECT coalesce(json_agg(json_build_object(
        'key', key_fingerprint, 'requests_per_minute', requests_per_minute,
        'paused_until', CASE WHEN paused_until > now() THEN paused_until END)), '[]') FROM quota),
      'requests', (SELECT json_build_object(
        'total', count(*), 'http_429', count(*) FILTER (WHERE http_status = 429),
        'last_60_seconds', count(*) FILTER (WHERE granted_at > now() - interval '60 s'))
        FROM insee_requests),
      'avis', (SELECT coalesce(json_object_agg(outcome, n), '{}') FROM
        (SELECT outcome, count(*) AS n FROM avis GROUP BY outcome) o),
      'unknown_keys', (SELECT coalesce(json_agg(key ORDER BY key), '[]') FROM schema_drift),
      'freshness', (SELECT coalesce(json_agg(json_build_object(
        'collection', collection, 'treated_until', treated_until,
        'age_hours', round(extract(epoch FROM
          now() - (treated_until AT TIME ZONE 'Europe/Paris'))::numeric / 3600, 1))
        ORDER BY collection), '[]') FROM watermarks),
      'database_bytes', pg_database_size(current_database()))
    FROM (
      SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
             count(*) FILTER (WHERE status = 'running') AS running,
             count(*) FILTER (WHERE status = 'complete') AS complete,
             count(*) FILTER (WHERE status = 'failed') AS failed,
             coalesce(sum(expected), 0)::bigint AS expected,
             coalesce(sum(received), 0)::bigint AS received,
             coalesce(sum(inserted), 0)::bigint AS inserted,
             coalesce(sum(updated), 0)::bigint AS updated,
             coalesce(sum(unchanged), 0)::bigint AS unchanged,
             coalesce(sum(import_batches.failed), 0)::bigint AS failed_rows,
             coalesce(sum(cardinality(missing_sirets)), 0)::bigint AS missing,
             coalesce(sum(cardinality(surplus_sirets)), 0)::bigint AS surplus
      FROM import_batches) b
""")

Stats = dict[str, object]


def read_stats(connection: Connection) -> Stats:
    """Return the numbers as plain JSON, by group."""
    stats: Stats = connection.execute(_STATS).scalar_one()
    return stats
