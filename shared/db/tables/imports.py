"""The work of an import: quota, runs, batches, pages, receipts, certificates."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
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

from shared.db.tables.base import counter, instant, metadata, one_of

quota = Table(
    "quota",
    metadata,
    # A fingerprint of the key; the key itself is never stored.
    Column("key_fingerprint", Text, primary_key=True),
    # When the next request may leave, by the minute's limit and by the hour's (GCRA).
    instant("minute_arrival_at", default_now=True),
    instant("hour_arrival_at", default_now=True),
    instant("paused_until"),
    # What INSEE's headers last said; until then, and after a change of it, the setting.
    Column("requests_per_minute", Double, nullable=False),
    Column("configured_per_minute", Double),
    Column("requests_per_hour", Double),
    # What is left to us of the quota: falls with each burst of 429s, creeps back to 1.
    Column("adaptation", Double, nullable=False, server_default=text("1")),
    instant("updated_at", default_now=True),
)

import_runs = Table(
    "import_runs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("departements", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("communes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Narrow the places down; with no place named, they narrow the whole register down.
    Column("activites", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    # Instead of all of the above: just these, as a retry asks for.
    Column("sirets", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("row_limit", BigInteger),
    # At most so many rows a day; a day is the calendar's in France, or so many seconds.
    Column("per_day", BigInteger),
    Column("day_seconds", Double),
    # The day's share is given out: until then only pages that have their part of it are fetched.
    instant("resting_until"),
    # A delta asks for treatment windows instead of a scope (docs/adr/0005-delta.md).
    Column(
        "kind",
        Text,
        one_of("kind", "scope", "delta"),
        nullable=False,
        server_default="scope",
    ),
    Column("since", DateTime),
    Column("overlap_hours", Double),
    # Until then it waits for INSEE to publish.
    instant("wait_until"),
    Column("warning", Text),
    Column(
        "status",
        Text,
        one_of("status", "pending", "running", "complete", "failed"),
        nullable=False,
        server_default="pending",
    ),
    Column("error", Text),
    instant("lease_until"),
    instant("created_at", default_now=True),
    instant("completed_at"),
)

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", BigInteger, ForeignKey("import_runs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("query", Text, nullable=False),
    # The window in our own columns, to compare what is stored with what INSEE lists.
    Column("departement", Text),
    Column("code_commune", Text),
    Column("activite_principale", Text),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    Column("sirets", ARRAY(Text)),
    # Of a delta: what INSEE treated in this collection between these dates, both included.
    Column("collection", Text),
    Column("treated_from", DateTime),
    Column("treated_until", DateTime),
    Column("row_limit", BigInteger),
    # min(row_limit, header.total of the latest page).
    Column("expected", BigInteger),
    Column(
        "status",
        Text,
        one_of("status", "pending", "running", "complete", "failed"),
        nullable=False,
        server_default="pending",
    ),
    Column("error", Text),
    # Records in the slices that count; written by the writer, with the rows themselves.
    counter("received"),
    # What became of rows, over every slice that was committed.
    counter("inserted"),
    counter("updated"),
    counter("unchanged"),
    counter("failed"),
    # Stated once, when the batch completes.
    Column("received_distinct", BigInteger),
    Column("stored", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    instant("created_at", default_now=True),
    instant("completed_at"),
    UniqueConstraint("run_id", "number"),
    # The few that did not bring what was promised.
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
    # Null where the run brings whatever INSEE has, since ever.
    Column("treated_from", DateTime),
    Column("treated_until", DateTime, nullable=False),
    # INSEE's dateDerniereMiseADisposition: it can publish again without a later treatment.
    Column("made_available_at", DateTime),
    # When the watermark took it in.
    instant("settled_at"),
    PrimaryKeyConstraint("run_id", "collection"),
    Index(
        "ix_treatment_windows_open",
        "run_id",
        postgresql_where=text("settled_at IS NULL"),
    ),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("collection", Text, primary_key=True),
    # Everything that INSEE treated up to here, itself included, was asked for and written.
    Column("treated_until", DateTime, nullable=False),
    Column("made_available_at", DateTime),
    instant("moved_at", default_now=True),
)

insee_requests = Table(
    "insee_requests",
    metadata,
    # Its id is the fetch_id of the page that the request brought.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key_fingerprint", Text, nullable=False),
    Column("batch_id", BigInteger),
    Column("page", Integer),
    instant("granted_at", nullable=False),
    # Null while in flight, and for good where the process was killed meanwhile; 0: no answer.
    Column("http_status", SmallInteger),
    Column("records", Integer),
    Column("duration_seconds", Double),
    Index("ix_insee_requests_granted_at", "granted_at"),
    # Few, and counted by `stats` at any number of requests.
    Index(
        "ix_insee_requests_throttled",
        "granted_at",
        postgresql_where=text("http_status = 429"),
    ),
)

import_pages = Table(
    "import_pages",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("import_batches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cursor", Text, nullable=False),
    # The GET that counts; receipts of another one do not.
    Column("fetch_id", BigInteger),
    Column("next_cursor", Text),
    Column("records", Integer),
    Column("is_last", Boolean),
    Column("slices_expected", Integer),
    Column("slices_done", Integer, nullable=False, server_default=text("0")),
    # Its part of a day's share: the beginning of that day, and the rows to ask for, then received.
    instant("share_day"),
    Column("share_rows", Integer),
    # Starts since the page last succeeded: the wait before the next grows with it.
    Column("starts", Integer, nullable=False, server_default=text("0")),
    # Nobody touches the page before lease_until, but for the holder of the token.
    Column("lease_token", Uuid),
    instant("lease_until"),
    # When the page last got further, or its message was last sent.
    instant("moved_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "number"),
    Index(
        "ix_import_pages_incomplete",
        "moved_at",
        postgresql_where=text("slices_expected IS NULL OR slices_done < slices_expected"),
    ),
    Index(
        "ix_import_pages_share_day",
        "share_day",
        postgresql_where=text("share_day IS NOT NULL"),
    ),
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
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # The scope as it was asked for, and its windows with what was found in each.
    Column("scope", JSONB, nullable=False),
    Column("windows", JSONB, nullable=False, server_default=text("'[]'")),
    # Only the last three compare anything: `running` is also what a killed process leaves behind.
    Column(
        "status",
        Text,
        one_of("status", "running", "void", "counts_agree", "agree", "differ"),
        nullable=False,
        server_default="running",
    ),
    # Why it is void.
    Column("reason", Text),
    # `dateDernierTraitementMaximum` of INSEE's establishments, in its own time.
    Column("informations_before", DateTime, nullable=False),
    Column("informations_after", DateTime),
    Column("expected", BigInteger),
    Column("stored", BigInteger),
    # Counts of whole sets; the sirets are kept up to a limit.
    Column("missing", BigInteger),
    Column("surplus", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    # Stored, and asked for by number: INSEE does not list them any more. No part of the surplus.
    Column("gone_sirets", ARRAY(Text)),
    Column("repair_run_id", BigInteger, ForeignKey("import_runs.id")),
    instant("started_at", default_now=True),
    instant("finished_at"),
)
