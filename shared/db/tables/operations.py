"""Failed items, dead letters, leases, the operator's jobs, shards, drills and restores."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, SmallInteger, UniqueConstraint

from shared.db.tables import columns as col

_OPEN = "resolved_at IS NULL"

failed_items = col.table(
    "failed_items",
    col.own_id(),
    col.one_of("kind", "write", "review"),
    col.text("key", required=True),
    col.text("siren"),
    col.bigint("batch_id"),
    col.binary("payload"),
    col.text("code", "message", required=True),
    col.integer("attempts", default="1"),
    col.instant_now("created_at"),
    col.instant("resolved_at"),
    # The reason of an end without success; null where the work was done in the end.
    col.text("closed_because"),
    # Retries so far, by the schedule or by hand; the wait before the next grows with them.
    col.integer("retries", default="0"),
    col.instant("next_attempt_at", default="now() + interval '1 hour'"),
    Index("uq_failed_items_open", "kind", "key", unique=True, postgresql_where=_OPEN),
    # The console steps from cause to cause.
    Index("ix_failed_items_cause", "kind", "code", "id", postgresql_where=_OPEN),
    Index("ix_failed_items_siren", "siren"),
    Index("ix_failed_items_next_attempt_at", "next_attempt_at", postgresql_where=_OPEN),
    # `stats` counts by it, and the purge finds the items resolved long ago.
    Index("ix_failed_items_resolved_at", "resolved_at", "closed_because"),
)

dead_letters = col.table(
    "dead_letters",
    col.own_id(),
    col.text("queue", "message_id", required=True),
    col.text("actor"),
    # The units of the records in the body, so that an erasure finds them.
    col.texts("sirens", default="'{}'"),
    col.text("reason"),
    col.binary("body", required=True),
    col.instant_now("archived_at"),
    col.instant("replayed_at"),
    UniqueConstraint("queue", "message_id"),
    Index("ix_dead_letters_sirens", "sirens", postgresql_using="gin"),
)

job_slots = col.table(
    "job_slots",
    col.text("job", "slot", required=True),
    col.one_of("status", "running", "done", "failed"),
    col.instant("lease_until"),
    # The token of the process that runs it; another process's result does not count.
    col.uuid("token"),
    col.integer("attempts", default="1"),
    col.instant_now("started_at"),
    col.instant("finished_at", "next_attempt_at"),
    col.text("result", "error"),
    # The job was done and found what a person must look at.
    col.boolean("is_fault", default="false"),
    PrimaryKeyConstraint("job", "slot"),
)

# The work of one process at a time (`shared/db/leases`). A write counts while the row has the token
# of its process.
leases = col.table(
    "leases",
    col.text("name", key=True),
    col.bigint("token", required=True),
    col.instant("held_until", required=True),
)

# The jobs as running operators see them: the table shows that one runs, and its hours.
jobs = col.table(
    "jobs",
    col.text("job", key=True),
    col.text("schedule", required=True),
    col.instant("next_at", required=True),
    col.instant_now("seen_at"),
)

# A row for each process of a service that runs: its host and process, and its last beat.
service_heartbeats = col.table(
    "service_heartbeats",
    col.text("service", "instance", "version", required=True),
    col.instant("started_at", required=True),
    col.instant_now("beat_at"),
    PrimaryKeyConstraint("service", "instance"),
    fillfactor=50,
)

# The place of this database: one row, or none where it is the only shard.
shard_place = col.table(
    "shard_place",
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    col.smallint("shards", required=True),
)

# The receipt of a slice whose rows and counters are in two databases, stored with the rows. After a
# kill between the two transactions, the next writer of the slice reads the outcomes here.
shard_receipts = col.table(
    "shard_receipts",
    col.bigint("batch_id", required=True),
    col.integer("page", required=True),
    col.bigint("fetch_id", required=True),
    col.integer("slice", "records", required=True),
    col.texts("sirets", required=True),
    col.integer("inserted", "updated", "unchanged", "failed", required=True),
    col.instant_now("written_at"),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)

# Backups that were restored for a trial. An outcome of null is a drill that runs, or was killed.
restore_drills = col.table(
    "restore_drills",
    col.own_id(),
    col.text("backup_id"),
    col.instant("backup_made_at"),
    col.counter("rows"),
    col.one_of("outcome", "passed", "failed", nullable=True),
    col.text("result"),
    col.instant_now("began_at"),
    col.instant("ended_at"),
)

# The backup that this database was restored from, as long as it shows what was erased since.
restore_marks = col.table(
    "restore_marks",
    col.text("backup_id", key=True),
    col.instant_now("restored_at"),
)
