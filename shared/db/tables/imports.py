"""The work of an import: quota, runs, batches, pages, receipts, certificates."""

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import columns as col

_STATUSES = ("pending", "running", "complete", "failed", "cancelled")
_DIFFERING = "missing_sirets <> '{}' OR surplus_sirets <> '{}'"
_INCOMPLETE = "slices_expected IS NULL OR slices_done < slices_expected"

quota = col.table(
    "quota",
    # A fingerprint of the key; the key itself is never stored.
    col.text("key_fingerprint", key=True),
    # The instants at which the limits of a minute and of an hour let the next request leave (GCRA).
    col.instant_now("minute_arrival_at", "hour_arrival_at"),
    col.instant("paused_until"),
    # The limits of INSEE's last headers, or the settings where those are lower.
    col.double("requests_per_minute", required=True),
    col.double("configured_per_minute", "requests_per_hour", "configured_per_hour"),
    # Our part of the quota: it falls with each burst of 429s and creeps back to 1.
    col.double("adaptation", default="1"),
    col.instant_now("updated_at"),
)

import_runs = col.table(
    "import_runs",
    col.own_id(),
    col.texts("departements", "communes", default="'{}'"),
    # These narrow the places; without a place they narrow the whole register.
    col.texts("activites", default="'{}'"),
    col.text("etat_administratif", "siret_from", "siret_to"),
    # These establishments instead of all of the above, as a retry orders.
    col.texts("sirets", default="'{}'"),
    col.bigint("row_limit"),
    # The most rows of a day; a day is France's calendar day, or `day_seconds` long.
    col.bigint("per_day"),
    col.double("day_seconds"),
    # The day's share is given out. Until then only pages with a part of it are fetched.
    col.instant("resting_until"),
    # A delta imports treatment windows instead of a scope (docs/adr/0005-delta.md). A refresh
    # imports one unit, whatever stands (docs/adr/0023-order-of-versions.md).
    col.one_of("kind", "scope", "delta", "refresh", default="scope"),
    # The delta asks for all of France, not only for what the database has been asked to hold.
    col.boolean("everything", default="false"),
    col.insee_time("since"),
    col.double("overlap_hours"),
    # The delta waits for INSEE to publish, at most until then.
    col.instant("wait_until"),
    col.text("warning"),
    col.one_of("status", *_STATUSES, default="pending"),
    col.text("error"),
    col.instant("lease_until"),
    # An open run with it is paused. A cancelled one keeps who cancelled it, when and why.
    col.instant("halted_at"),
    col.text("halted_by", "halted_because"),
    col.instant_now("created_at"),
    col.instant("completed_at"),
)

import_batches = col.table(
    "import_batches",
    col.own_id(),
    col.reference("run_id", "import_runs.id"),
    col.integer("number", required=True),
    col.text("query", required=True),
    # The batch's window as values of our columns, to compare stored rows with INSEE's list.
    col.text("departement", "code_commune", "activite_principale", "etat_administratif"),
    col.text("siret_from", "siret_to"),
    col.texts("sirets"),
    # The window of a delta: treatments of this collection between these dates, both included.
    col.text("collection"),
    col.insee_time("treated_from", "treated_until"),
    col.bigint("row_limit"),
    # min(row_limit, header.total of the latest page).
    col.bigint("expected"),
    col.one_of("status", *_STATUSES, default="pending"),
    col.text("error"),
    # Records in the slices that count; the writer adds them in the transaction of their rows.
    col.counter("received"),
    # The outcomes of rows, over all slices that were committed.
    col.counter("inserted", "updated", "unchanged", "failed"),
    # Records in slices that came after the batch was cancelled; nothing of them is stored.
    col.counter("dropped"),
    # The batch's statement, made once, when it completes.
    col.bigint("received_distinct", "stored"),
    col.texts("missing_sirets", "surplus_sirets"),
    col.instant_now("created_at"),
    col.instant("completed_at"),
    UniqueConstraint("run_id", "number"),
    # The few batches with a difference.
    Index("ix_import_batches_differing", "id", postgresql_where=_DIFFERING),
)

treatment_windows = col.table(
    "treatment_windows",
    col.reference("run_id", "import_runs.id"),
    col.text("collection", required=True),
    # Null: the run brings all earlier treatments, too.
    col.insee_time("treated_from"),
    col.insee_time("treated_until", required=True),
    # INSEE's dateDerniereMiseADisposition: it can publish again without a later treatment.
    col.insee_time("made_available_at"),
    # The instant at which the complete window was compared with the watermark.
    col.instant("settled_at"),
    PrimaryKeyConstraint("run_id", "collection"),
    Index("ix_treatment_windows_open", "run_id", postgresql_where="settled_at IS NULL"),
)

watermarks = col.table(
    "watermarks",
    col.text("collection", key=True),
    # All treatments of INSEE up to this date, itself included, are in the database.
    col.insee_time("treated_until", required=True),
    col.insee_time("made_available_at"),
    col.instant_now("moved_at"),
)

insee_requests = col.table(
    "insee_requests",
    # The id is the fetch_id of the INSEE page that the request brought.
    col.own_id(),
    col.text("key_fingerprint", required=True),
    col.bigint("batch_id"),
    col.integer("page"),
    col.instant("granted_at", required=True),
    # Null in flight, and for good where the process was killed meanwhile; 0: no answer.
    col.smallint("http_status"),
    col.integer("records"),
    col.double("duration_seconds"),
    Index("ix_insee_requests_granted_at", "granted_at"),
    # They are few, and `stats` counts them fast among any number of requests.
    Index("ix_insee_requests_throttled", "granted_at", postgresql_where="http_status = 429"),
)

import_pages = col.table(
    "import_pages",
    col.reference("batch_id", "import_batches.id"),
    col.integer("number", required=True),
    col.text("cursor", required=True),
    # The GET that counts; receipts of another GET do not count.
    col.bigint("fetch_id"),
    col.text("next_cursor"),
    col.integer("records"),
    col.boolean("is_last"),
    col.integer("slices_expected"),
    col.integer("slices_done", default="0"),
    # The page's part of a day's share: the beginning of the day; the rows to ask for, then those
    # received.
    col.instant("share_day"),
    col.integer("share_rows"),
    # Starts since the last success; the wait before the next start grows with them.
    col.integer("starts", default="0"),
    # Before lease_until only the holder of the token may change the page.
    col.uuid("lease_token"),
    col.instant("lease_until"),
    # The instant of the page's last progress, or of its last message.
    col.instant_now("moved_at"),
    PrimaryKeyConstraint("batch_id", "number"),
    Index("ix_import_pages_incomplete", "moved_at", postgresql_where=_INCOMPLETE),
    Index("ix_import_pages_share_day", "share_day", postgresql_where="share_day IS NOT NULL"),
)

slice_receipts = col.table(
    "slice_receipts",
    col.reference("batch_id", "import_batches.id"),
    col.integer("page", required=True),
    col.bigint("fetch_id", required=True),
    col.integer("slice", "records", required=True),
    col.texts("sirets", required=True),
    col.instant_now("written_at"),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)

certificates = col.table(
    "certificates",
    col.own_id(),
    # The scope as asked for, and its windows with the findings in each.
    col.columns(JSONB, "scope", required=True),
    col.columns(JSONB, "windows", default="'[]'"),
    # The last three are results of a comparison; a killed process leaves `running` behind.
    col.one_of("status", "running", "void", "counts_agree", "agree", "differ", default="running"),
    # The reason why it is void.
    col.text("reason"),
    # `dateDernierTraitementMaximum` of INSEE's establishments, in its own time.
    col.insee_time("informations_before", required=True),
    col.insee_time("informations_after"),
    col.bigint("expected", "stored"),
    # The sizes of the whole sets; below, sirets are kept up to a limit.
    col.bigint("missing", "surplus"),
    col.texts("missing_sirets", "surplus_sirets"),
    # Stored establishments that INSEE no longer lists, asked for by number; not in the surplus.
    col.texts("gone_sirets"),
    # Null where contents were not compared; then establishments, and rows by differing column.
    col.bigint("altered"),
    col.texts("altered_sirets"),
    col.columns(JSONB, "altered_columns"),
    col.reference("repair_run_id", "import_runs.id", required=False),
    col.instant_now("started_at"),
    col.instant("finished_at"),
)
