"""The fetcher's SQL for runs, batches and pages."""

from sqlalchemy import text

READ_PLAN = text("""
    SELECT b.id, b.sirets, b.row_limit, b.expected
    FROM import_runs r LEFT JOIN import_batches b ON b.run_id = r.id
    WHERE r.id = :run_id AND r.status <> 'pending' ORDER BY b.number
""")
PER_MINUTE = text("SELECT max(requests_per_minute) FROM quota")
# Deltas go one after the other: each begins where the one before it ends. A delta that waits for
# INSEE has a warning, and holds up no other, nor does one that is paused.
LEASE_RUN = text("""
    UPDATE import_runs SET lease_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = (
      SELECT id FROM import_runs r
      WHERE status = 'pending' AND (lease_until IS NULL OR lease_until < now())
        AND halted_at IS NULL
        AND (kind <> 'delta' OR NOT EXISTS (SELECT FROM import_runs other
          WHERE other.kind = 'delta' AND other.id <> r.id AND other.halted_at IS NULL
            AND (other.status = 'running'
            OR other.status = 'pending' AND other.id < r.id AND other.warning IS NULL)))
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, departements, communes, activites, etat_administratif, siret_from, siret_to,
      sirets, row_limit, kind, since, overlap_hours, everything,
      extract(epoch FROM wait_until - now())::float AS wait_seconds
""")
POSTPONE_RUN = text("""
    UPDATE import_runs SET lease_until = now() + make_interval(secs => :seconds),
      error = coalesce(:error, error), warning = coalesce(:warning, warning)
    WHERE id = :run_id AND status = 'pending' AND halted_at IS NULL
""")
# A run without a batch is complete at once: no batch will close it.
OPEN_RUN = text("""
    UPDATE import_runs SET status = CASE WHEN :batches = 0 THEN 'complete' ELSE 'running' END,
      error = NULL, warning = :warning,
      completed_at = CASE WHEN :batches = 0 THEN now() END
    WHERE id = :run_id AND status = 'pending' AND halted_at IS NULL
""")
INSERT_BATCH = text("""
    INSERT INTO import_batches (run_id, number, query, departement, code_commune,
      activite_principale, etat_administratif, siret_from, siret_to, sirets, collection,
      treated_from, treated_until, row_limit, expected)
    VALUES (:run_id, :number, :query, :departement, :code_commune,
      :activite_principale, :etat_administratif, :siret_from, :siret_to, :sirets, :collection,
      :treated_from, :treated_until, :row_limit, :expected)
""")
# Deltas and refreshes come first: an import of the whole register takes a day, and INSEE's changes
# would wait behind it. Batches of a run that is paused or has used up its daily share take no room.
ACTIVATE = text("""
    WITH room AS (
      SELECT greatest(:parallel_batches - count(*), 0) AS free
      FROM import_batches b JOIN import_runs r ON r.id = b.run_id
      WHERE b.status = 'running' AND r.halted_at IS NULL
        AND coalesce(r.resting_until, '-infinity') <= now()),
    chosen AS (
      SELECT b.id FROM import_batches b JOIN import_runs r ON r.id = b.run_id
      WHERE b.status = 'pending' AND r.status = 'running' AND r.halted_at IS NULL
        AND coalesce(r.resting_until, '-infinity') <= now()
      ORDER BY (r.kind <> 'scope') DESC, b.id LIMIT (SELECT free FROM room)
      FOR UPDATE OF b SKIP LOCKED),
    running AS (
      UPDATE import_batches b SET status = 'running' FROM chosen WHERE b.id = chosen.id
      RETURNING b.id)
    INSERT INTO import_pages (batch_id, number, cursor)
    SELECT id, 1, :cursor FROM running
    RETURNING batch_id, number
""")
LEASE_PAGE = text("""
    UPDATE import_pages p
    SET lease_token = :token, starts = p.starts + 1,
        lease_until = now() + make_interval(secs => :lease_seconds)
    FROM import_batches b, import_runs r
    WHERE p.batch_id = :batch_id AND p.number = :page AND b.id = p.batch_id
      AND b.status = 'running' AND r.id = b.run_id AND r.halted_at IS NULL
      AND (p.lease_until IS NULL OR p.lease_until < now())
      AND (p.slices_expected IS NULL OR p.slices_done < p.slices_expected)
    RETURNING p.cursor, p.fetch_id AS old_fetch_id, p.starts, b.query, b.row_limit, b.run_id,
      (SELECT coalesce(sum(records), 0)::bigint FROM import_pages
       WHERE batch_id = :batch_id AND number < :page) AS received_before,
      r.per_day IS NOT NULL AS is_daily, r.kind = 'refresh' AS refresh
""")
IS_HALTED = text("SELECT halted_at IS NOT NULL FROM import_runs WHERE id = :run_id")
IS_CANCELLED = text("SELECT status = 'cancelled' FROM import_batches WHERE id = :batch_id")
LOCK_LEASED_PAGE = text("""
    SELECT 1 FROM import_pages
    WHERE batch_id = :batch_id AND number = :page AND lease_token = :token FOR UPDATE
""")
RELEASE_PAGE = text("""
    UPDATE import_pages
    SET lease_token = NULL, moved_at = '-infinity',
        lease_until = now() + make_interval(secs => :delay_seconds),
        starts = starts - CASE WHEN :failed THEN 0 ELSE 1 END
    WHERE batch_id = :batch_id AND number = :page AND lease_token = :token
""")
# A page whose last slice was written meanwhile stays as it is: its batch may be closed by now. So
# does a page of a batch that was cancelled.
SAVE_PAGE = text("""
    UPDATE import_pages
    SET fetch_id = :fetch_id, next_cursor = :next_cursor, records = :records, is_last = :is_last,
        slices_expected = :slices, slices_done = 0, starts = 0,
        share_rows = CASE WHEN share_day IS NOT NULL THEN CAST(:records AS integer) END,
        lease_token = NULL, lease_until = NULL, moved_at = now()
    WHERE batch_id = :batch_id AND number = :page AND lease_token = :token
      AND (slices_expected IS NULL OR slices_done < slices_expected)
      AND EXISTS (SELECT FROM import_batches WHERE id = :batch_id AND status <> 'cancelled')
""")
# The receipts of a GET that no longer counts leave the count of the batch too.
SUPERSEDE = text("""
    UPDATE import_batches SET received = received - (
      SELECT coalesce(sum(records), 0) FROM slice_receipts
      WHERE batch_id = :batch_id AND page = :page AND fetch_id = :old_fetch_id)
    WHERE id = :batch_id
""")
EXPECT = text("UPDATE import_batches SET expected = :expected WHERE id = :batch_id")
NEXT_PAGE = text("""
    INSERT INTO import_pages (batch_id, number, cursor) VALUES (:batch_id, :page, :cursor)
    ON CONFLICT (batch_id, number) DO NOTHING
""")
# INSEE has no snapshot. Where a page ends at another cursor than at its first GET, the next page
# would leave a gap or an overlap: it is fetched again from the new cursor.
MOVE_NEXT_PAGE = text("""
    WITH old AS (
      SELECT batch_id, number, fetch_id FROM import_pages
      WHERE batch_id = :batch_id AND number = :page AND cursor <> :cursor FOR UPDATE)
    UPDATE import_pages p
    SET cursor = :cursor, fetch_id = NULL, next_cursor = NULL, records = NULL, is_last = NULL,
        slices_expected = NULL, slices_done = 0, starts = 0,
        lease_token = NULL, lease_until = NULL, moved_at = now()
    FROM old WHERE p.batch_id = old.batch_id AND p.number = old.number
    RETURNING old.fetch_id
""")
FAIL_BATCH = text("""
    UPDATE import_batches SET status = 'failed', error = :error, completed_at = now()
    WHERE id = :batch_id AND status IN ('pending', 'running') RETURNING run_id
""")
CLOSE_RUN = text("""
    UPDATE import_runs r SET status = 'failed', completed_at = now(), error = :error
    WHERE r.id = :run_id AND r.status <> 'cancelled' AND NOT EXISTS (
      SELECT FROM import_batches WHERE run_id = r.id AND status IN ('pending', 'running'))
""")
# The writer takes the same lock: the second of two that close the last batches sees the first.
LOCK_RUN = text("SELECT 1 FROM import_runs WHERE id = :run_id FOR NO KEY UPDATE")
NOTE_ERROR = text("""
    UPDATE import_runs SET error = :error
    WHERE status IN ('pending', 'running') AND halted_at IS NULL
""")
CLEAR_ERROR = text("""
    UPDATE import_runs SET error = NULL
    WHERE status IN ('pending', 'running') AND error IS NOT NULL
""")
# A page whose lease was given back (`moved_at` is -infinity) has no message, whatever waits in the
# queues. Slices are written in the order of their publication: where those of a later GET were
# written long ago, the slices of this page are lost.
SWEEP = text("""
    UPDATE import_pages p SET moved_at = now()
    FROM (
      SELECT p.batch_id, p.number FROM import_pages p
      JOIN import_batches b ON b.id = p.batch_id AND b.status = 'running'
      JOIN import_runs r ON r.id = b.run_id
      WHERE r.halted_at IS NULL
        AND (coalesce(r.resting_until, '-infinity') <= now() OR p.share_rows IS NOT NULL)
        AND (p.slices_expected IS NULL OR p.slices_done < p.slices_expected)
        AND (p.lease_until IS NULL OR p.lease_until < now())
        AND (p.moved_at = '-infinity'
          OR p.slices_expected IS NULL
             AND p.moved_at < now() - make_interval(secs => :unfetched_seconds)
          OR p.slices_expected IS NOT NULL
             AND p.moved_at < now() - make_interval(secs => :unwritten_seconds)
             AND (NOT :slices_wait OR p.fetch_id < (
               SELECT max(later.fetch_id) FROM import_pages later
               WHERE later.slices_done = later.slices_expected
                 AND later.moved_at < now() - make_interval(secs => :unwritten_seconds))))
      ORDER BY p.batch_id, p.number FOR UPDATE OF p SKIP LOCKED) still
    WHERE p.batch_id = still.batch_id AND p.number = still.number
    RETURNING p.batch_id, p.number
""")
WAKE = text("""
    UPDATE import_pages SET lease_token = NULL, lease_until = NULL, moved_at = '-infinity'
    WHERE slices_expected IS NULL OR slices_done < slices_expected
""")
WAKE_RUNS = text("UPDATE import_runs SET lease_until = NULL WHERE status = 'pending'")
