"""Queries that return JSON, by the name of the metric.

One is for the control database, one for each shard, and one for totals that are read more seldom.
"""

from sqlalchemy import text

from shared.avis import AvisOutcome
from shared.days import TIME_ZONE
from shared.db.days import MIDNIGHT, day_start
from shared.imports.progress import BATCH_TOTALS, RUNS_BY_STATUS, THROTTLED
from shared.imports.watermarks import UNMEASURED_SINCE
from shared.sirene.reference import CODED_FIELDS

# A single failure may be a server that was restarted.
_FAILURES = 2

CONTROL = text(f"""
    WITH open_runs AS (
      SELECT r.id, r.per_day,
        coalesce(r.resting_until > now(), false) OR r.halted_at IS NOT NULL AS rests,
        coalesce(sum(b.expected), 0) AS expected, coalesce(sum(b.received), 0) AS received,
        (SELECT coalesce(sum(p.records), 0) FROM import_batches d
           JOIN import_pages p ON p.batch_id = d.id
         WHERE d.run_id = r.id AND r.per_day IS NOT NULL
           AND p.share_day = {day_start("now()")}) AS today
      FROM import_runs r LEFT JOIN import_batches b ON b.run_id = r.id
      WHERE r.status IN ('pending', 'running') GROUP BY r.id),
    -- The latest certificate of each scope: one of another place clears nothing.
    latest AS (
      SELECT DISTINCT ON (scope) missing, surplus FROM certificates
      WHERE status IN ('counts_agree', 'agree', 'differ') ORDER BY scope, id DESC),
    -- One that compared no contents clears none of these.
    contents AS (
      SELECT DISTINCT ON (scope) altered FROM certificates
      WHERE altered IS NOT NULL ORDER BY scope, id DESC),
    key AS (SELECT * FROM quota ORDER BY updated_at DESC LIMIT 1)
    SELECT json_build_object(
      'sirenade_quota_limit_requests', (SELECT requests_per_minute FROM key),
      'sirenade_quota_used_requests', (SELECT count(*) FROM insee_requests
        WHERE granted_at > now() - interval '60 s' AND granted_at <= now()),
      'sirenade_quota_share_ratio', (SELECT adaptation FROM key),
      'sirenade_quota_pause_seconds', (SELECT greatest(0, extract(epoch FROM
        coalesce(paused_until, now()) - now()))::float FROM key),
      'sirenade_import_runs',
        (SELECT row_to_json(r) FROM (SELECT {RUNS_BY_STATUS} FROM import_runs) r),
      'sirenade_import_last_order_timestamp_seconds',
        (SELECT extract(epoch FROM max(created_at))::float FROM import_runs),
      'sirenade_import_last_end_timestamp_seconds',
        (SELECT extract(epoch FROM max(completed_at))::float FROM import_runs),
      'sirenade_import_batches', json_build_object(
        'pending', b.pending, 'running', b.running, 'complete', b.complete, 'failed', b.failed,
        'cancelled', b.cancelled),
      'sirenade_import_paused_runs', (SELECT json_build_object(
        'pending', count(*) FILTER (WHERE status = 'pending'),
        'running', count(*) FILTER (WHERE status = 'running'))
        FROM import_runs WHERE halted_at IS NOT NULL),
      'sirenade_import_rows', json_build_object(
        'inserted', b.inserted, 'updated', b.updated, 'unchanged', b.unchanged,
        'failed', b.failed_rows),
      'sirenade_import_missing_establishments', b.missing,
      'sirenade_import_expected_rows',
        (SELECT coalesce(sum(greatest(expected, received)), 0) FROM open_runs),
      'sirenade_import_received_rows', (SELECT coalesce(sum(received), 0) FROM open_runs),
      'sirenade_import_day_share_rows', (SELECT coalesce(sum(per_day), 0) FROM open_runs),
      'sirenade_import_left_today_rows', (SELECT coalesce(sum(CASE WHEN rests THEN 0
          ELSE greatest(0, least(expected - received, per_day - today)) END), 0) FROM open_runs),
      'sirenade_import_today_rows', (SELECT coalesce(sum(s.records), 0)
        FROM insee_requests q
          JOIN import_pages p ON p.batch_id = q.batch_id AND p.number = q.page
            AND p.fetch_id = q.id
          JOIN slice_receipts s ON s.batch_id = p.batch_id AND s.page = p.number
            AND s.fetch_id = p.fetch_id
        WHERE q.granted_at >= {MIDNIGHT}),
      'sirenade_import_waiting_pages', (SELECT count(*)
        FROM import_pages p JOIN import_batches b ON b.id = p.batch_id
          JOIN open_runs r ON r.id = b.run_id AND NOT r.rests
        WHERE p.slices_expected IS NULL AND b.status = 'running'),
      'sirenade_day_end_timestamp_seconds', extract(epoch FROM
        (date_trunc('day', now() AT TIME ZONE '{TIME_ZONE}') + interval '1 day')
        AT TIME ZONE '{TIME_ZONE}')::float,
      'sirenade_freshness_age_seconds', (SELECT json_object_agg(collection,
        extract(epoch FROM now() - (treated_until AT TIME ZONE '{TIME_ZONE}'))::float)
        FROM watermarks),
      'sirenade_freshness_unmeasured', ({UNMEASURED_SINCE} IS NOT NULL)::int,
      'sirenade_job_fault', (SELECT json_object_agg(j.job,
          (coalesce(d.is_fault, false) OR coalesce(f.attempts, 0) >= {_FAILURES})::int)
        FROM jobs j
          LEFT JOIN LATERAL (SELECT slot, is_fault FROM job_slots
            WHERE job = j.job AND status = 'done' ORDER BY slot DESC LIMIT 1) d ON true
          LEFT JOIN LATERAL (SELECT sum(attempts) AS attempts FROM job_slots
            WHERE job = j.job AND status = 'failed' AND slot > coalesce(d.slot, '')) f ON true
        WHERE j.seen_at > now() - interval '1 day'),
      'sirenade_restore_drill_last_success_timestamp_seconds', (SELECT
        extract(epoch FROM max(ended_at))::float FROM restore_drills WHERE outcome = 'passed'),
      'sirenade_restore_drill_failed', (SELECT (outcome IS NOT DISTINCT FROM 'failed'
          OR outcome IS NULL AND began_at < now() - interval '1 day')::int
        FROM restore_drills ORDER BY id DESC LIMIT 1),
      'sirenade_certificate_gap_establishments', (SELECT json_build_object(
        'missing', coalesce(sum(missing), 0), 'surplus', coalesce(sum(surplus), 0),
        'altered', (SELECT coalesce(sum(altered), 0) FROM contents)) FROM latest),
      'sirenade_unknown_codes', (SELECT json_object_agg(field, (
          SELECT count(*) FROM unknown_codes u
          WHERE u.field = f.field AND first_seen_at > now() - interval '7 days'))
        FROM unnest(CAST(:coded_fields AS text[])) AS f (field)),
      'sirenade_certificate_last_timestamp_seconds',
        (SELECT extract(epoch FROM max(finished_at))::float FROM certificates),
      'sirenade_dead_letters_waiting',
        (SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL),
      'sirenade_budget_cap_euros',
        (SELECT coalesce(cap_eur::float, 'Infinity') FROM review_budget),
      'sirenade_budget_spent_euros', (SELECT spent_eur FROM review_budget),
      'sirenade_budget_reserved_euros', (SELECT reserved_eur FROM review_budget),
      'sirenade_budget_paused', (SELECT json_build_object(
        'cap', (paused_because IS NOT DISTINCT FROM 'cap')::int,
        'asked', (paused_because IS NOT DISTINCT FROM 'asked')::int,
        'sample', (paused_because IS NOT DISTINCT FROM 'sample')::int) FROM review_budget),
      'sirenade_renewals_limit_avis',
        (SELECT coalesce(renewals_per_day::float, 'Infinity') FROM review_budget),
      'sirenade_provider_spent_euros',
        (SELECT json_object_agg(name, spent_eur) FROM review_providers),
      'sirenade_provider_calls', (SELECT json_object_agg(name, calls) FROM review_providers),
      'sirenade_provider_throttled_timestamp_seconds', {THROTTLED})
    FROM (
      SELECT {BATCH_TOTALS}, coalesce(sum(cardinality(missing_sirets)), 0) AS missing
      FROM import_batches) b
""").bindparams(coded_fields=list(CODED_FIELDS))

SHARD = text(f"""
    SELECT json_build_object(
      -- The turns of a day come in its first minutes.
      'sirenade_turns_overdue', (SELECT count(*) FROM turns
        WHERE day < (now() AT TIME ZONE '{TIME_ZONE}')::date - 1),
      'sirenade_failed_items_open', (SELECT json_build_object(
        'write', count(*) FILTER (WHERE kind = 'write'),
        'review', count(*) FILTER (WHERE kind = 'review'))
        FROM failed_items WHERE resolved_at IS NULL),
      'sirenade_avis_oldest_published_timestamp_seconds',
        (SELECT extract(epoch FROM min(published_at))::float
         FROM avis WHERE outcome = 'pending' AND published_at IS NOT NULL),
      'sirenade_avis_unpublished', (
        EXISTS (SELECT FROM avis WHERE outcome = 'pending' AND published_at IS NULL
          AND renewal_rank IS NULL AND (lease_until IS NULL OR lease_until < now()))
        AND NOT EXISTS (SELECT FROM avis WHERE outcome = 'pending'
          AND published_at IS NOT NULL))::int,
      'sirenade_avis_held', (SELECT json_build_object(
        'notice', count(*) FILTER (WHERE kind = 'notice'),
        'synthese', count(*) FILTER (WHERE kind = 'synthese'))
        FROM avis WHERE held_because IS NOT NULL),
      'sirenade_avis_oldest_held_timestamp_seconds',
        (SELECT extract(epoch FROM min(held_at))::float FROM avis WHERE held_because IS NOT NULL),
      'sirenade_sweep_last_end_timestamp_seconds',
        (SELECT extract(epoch FROM coalesce(max(ended_at), min(began_at)))::float
         FROM context_sweeps),
      'sirenade_sweep_made_due_avis', (SELECT coalesce(sum(made_due), 0) FROM context_sweeps))
""")

WHOLE = text("""
    SELECT json_build_object(
      'sirenade_avis', (SELECT json_object_agg(kind, outcomes) FROM (
        SELECT k.kind, json_object_agg(o.outcome, coalesce(n.count, 0)) AS outcomes
        FROM unnest(ARRAY['notice', 'synthese']) AS k (kind)
          CROSS JOIN unnest(CAST(:outcomes AS text[])) AS o (outcome)
          LEFT JOIN (SELECT kind, outcome, count(*) FROM avis GROUP BY kind, outcome) n
            USING (kind, outcome)
        GROUP BY k.kind) a),
      'sirenade_renewals_waiting_avis',
        (SELECT count(*) FROM avis WHERE outcome = 'pending' AND renewal_rank IS NOT NULL),
      'sirenade_database_bytes', pg_database_size(current_database()),
      -- reltuples is known only after an ANALYZE, n_live_tup is forgotten after a crash.
      'sirenade_register_rows', (SELECT json_object_agg(c.relname,
          greatest(c.reltuples, s.n_live_tup)::bigint)
        FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace
          AND c.relname IN ('unites_legales', 'etablissements', 'pro_localisations')),
      'sirenade_table_bytes', (SELECT json_object_agg(relname, pg_total_relation_size(oid))
        FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace))
""").bindparams(outcomes=list(AvisOutcome))
