"""The work of an import: quota, runs, batches, pages, receipts, certificates."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db.tables.base import counter, instant, metadata, one_of, own_id

quota = Table(
    "quota",
    metadata,
    # A fingerprint of the key; the key itself is never stored.
    Column("key_fingerprint", Text, primary_key=True),
    # The instants at which the limits of a minute and of an hour let the next request leave (GCRA).
    instant("minute_arrival_at", default_now=True),
    instant("hour_arrival_at", default_now=True),
    instant("paused_until"),
    # The limits of INSEE's last headers; before them, and after its change, the setting.
    Column("requests_per_minute", Double, nullable=False),
    Column("configured_per_minute", Double),
    Column("requests_per_hour", Double),
    # Our part of the quota: it falls with each burst of 429s and creeps back to 1.
    Column("adaptation", Double, nullable=False, server_default=text("1")),
    instant("updated_at", default_now=True),
)

import_runs = Table(
    "import_runs",
    metadata,
    own_id(),
    Column("departements", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("communes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # These narrow the places; without a place they narrow the whole register.
    Column("activites", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    # These establishments instead of all of the above, as a retry orders.
    Column("sirets", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("row_limit", BigInteger),
    # The most rows of a day; a day is France's calendar day, or `day_seconds` long.
    Column("per_day", BigInteger),
    Column("day_seconds", Double),
    # The day's share is given out. Until then only pages with a part of it are fetched.
    instant("resting_until"),
    # A delta imports treatment windows instead of a scope (docs/adr/0005-delta.md).
    one_of("kind", "scope", "delta", default="scope"),
    Column("since", DateTime),
    Column("overlap_hours", Double),
    # The delta waits for INSEE to publish, at most until then.
    instant("wait_until"),
    Column("warning", Text),
    one_of("status", "pending", "running", "complete", "failed", default="pending"),
    Column("error", Text),
    instant("lease_until"),
    instant("created_at", default_now=True),
    instant("completed_at"),
)

import_batches = Table(
    "import_batches",
    metadata,
    own_id(),
    Column("run_id", BigInteger, ForeignKey("import_runs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("query", Text, nullable=False),
    # The batch's window as values of our columns, to compare stored rows with INSEE's list.
    Column("departement", Text),
    Column("code_commune", Text),
    Column("activite_principale", Text),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    Column("sirets", ARRAY(Text)),
    # The window of a delta: treatments of this collection between these dates, both included.
    Column("collection", Text),
    Column("treated_from", DateTime),
    Column("treated_until", DateTime),
    Column("row_limit", BigInteger),
    # min(row_limit, header.total of the latest page).
    Column("expected", BigInteger),
    one_of("status", "pending", "running", "complete", "failed", default="pending"),
    Column("error", Text),
    # Records in the slices that count; the writer adds them in the transaction of their rows.
    counter("received"),
    # The outcomes of rows, over all slices that were committed.
    counter("inserted"),
    counter("updated"),
    counter("unchanged"),
    counter("failed"),
    # The batch's statement, made once, when it completes.
    Column("received_distinct", BigInteger),
    Column("stored", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    instant("created_at", default_now=True),
    instant("completed_at"),
    UniqueConstraint("run_id", "number"),
    # The few batches with a difference.
    Index(
        "ix_import_batches_differing",
        "id",
        postgresql_where=text("missing_sirets <> '{}' OR surplus_sirets <> '{}'"),
    ),
)

treatment_windows = Table(
    "treatment_windows",
    metadata,
    Column("run_id", BigInteger, ForeignKey("import_runs.id"), nullable=False),
    Column("collection", Text, nullable=False),
    # Null: the run brings all earlier treatments, too.
    Column("treated_from", DateTime),
    Column("treated_until", DateTime, nullable=False),
    # INSEE's dateDerniereMiseADisposition: it can publish again without a later treatment.
    Column("made_available_at", DateTime),
    # The instant at which the complete window was compared with the watermark.
    instant("settled_at"),
    PrimaryKeyConstraint("run_id", "collection"),
    Index("ix_treatment_windows_open", "run_id", postgresql_where=text("settled_at IS NULL")),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("collection", Text, primary_key=True),
    # All treatments of INSEE up to this date, itself included, are in the database.
    Column("treated_until", DateTime, nullable=False),
    Column("made_available_at", DateTime),
    instant("moved_at", default_now=True),
)

insee_requests = Table(
    "insee_requests",
    metadata,
    # The id is the fetch_id of the INSEE page that the request brought.
    own_id(),
    Column("key_fingerprint", Text, nullable=False),
    Column("batch_id", BigInteger),
    Column("page", Integer),
    instant("granted_at", nullable=False),
    # Null in flight, and for good where the process was killed meanwhile; 0: no answer.
    Column("http_status", SmallInteger),
    Column("records", Integer),
    Column("duration_seconds", Double),
    Index("ix_insee_requests_granted_at", "granted_at"),
    # They are few, and `stats` counts them fast among any number of requests.
    Index("ix_insee_requests_throttled", "granted_at", postgresql_where=text("http_status = 429")),
)

import_pages = Table(
    "import_pages",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("import_batches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cursor", Text, nullable=False),
    # The GET that counts; receipts of another GET do not count.
    Column("fetch_id", BigInteger),
    Column("next_cursor", Text),
    Column("records", Integer),
    Column("is_last", Boolean),
    Column("slices_expected", Integer),
    Column("slices_done", Integer, nullable=False, server_default=text("0")),
    # The page's part of a day's share: the beginning of the day; the rows to ask for, then those
    # received.
    instant("share_day"),
    Column("share_rows", Integer),
    # Starts since the last success; the wait before the next start grows with them.
    Column("starts", Integer, nullable=False, server_default=text("0")),
    # Before lease_until only the holder of the token may change the page.
    Column("lease_token", Uuid),
    instant("lease_until"),
    # The instant of the page's last progress, or of its last message.
    instant("moved_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "number"),
    Index(
        "ix_import_pages_incomplete",
        "moved_at",
        postgresql_where=text("slices_expected IS NULL OR slices_done < slices_expected"),
    ),
    Index("ix_import_pages_share_day", "share_day", postgresql_where=text("share_day IS NOT NULL")),
)

slice_receipts = Table(
    "slice_receipts",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("import_batches.id"), nullable=False),
    Column("page", Integer, nullable=False),
    Column("fetch_id", BigInteger, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("sirets", ARRAY(Text), nullable=False),
    instant("written_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)

certificates = Table(
    "certificates",
    metadata,
    own_id(),
    # The scope as asked for, and its windows with the findings in each.
    Column("scope", JSONB, nullable=False),
    Column("windows", JSONB, nullable=False, server_default=text("'[]'")),
    # The last three are results of a comparison; a killed process leaves `running` behind.
    one_of("status", "running", "void", "counts_agree", "agree", "differ", default="running"),
    # The reason why it is void.
    Column("reason", Text),
    # `dateDernierTraitementMaximum` of INSEE's establishments, in its own time.
    Column("informations_before", DateTime, nullable=False),
    Column("informations_after", DateTime),
    Column("expected", BigInteger),
    Column("stored", BigInteger),
    # The sizes of the whole sets; below, sirets are kept up to a limit.
    Column("missing", BigInteger),
    Column("surplus", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    # Stored establishments that INSEE no longer lists, asked for by number; not in the surplus.
    Column("gone_sirets", ARRAY(Text)),
    Column("repair_run_id", BigInteger, ForeignKey("import_runs.id")),
    instant("started_at", default_now=True),
    instant("finished_at"),
)
