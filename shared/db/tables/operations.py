"""Failed items, dead letters and the operator's jobs."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import instant, metadata, one_of, own_id

failed_items = Table(
    "failed_items",
    metadata,
    own_id(),
    one_of("kind", "write", "review"),
    Column("key", Text, nullable=False),
    Column("siren", Text),
    Column("batch_id", BigInteger),
    Column("payload", LargeBinary),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    instant("created_at", default_now=True),
    instant("resolved_at"),
    # The reason of an end without success; null where the work was done in the end.
    Column("closed_because", Text),
    # Retries so far, by the schedule or by hand; the wait before the next grows with them.
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column(
        "next_attempt_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("now() + interval '1 hour'"),
    ),
    Index(
        "uq_failed_items_open",
        "kind",
        "key",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index("ix_failed_items_siren", "siren"),
    Index(
        "ix_failed_items_next_attempt_at",
        "next_attempt_at",
        postgresql_where=text("resolved_at IS NULL"),
    ),
    # `stats` counts by it, and the purge finds the items resolved long ago.
    Index("ix_failed_items_resolved_at", "resolved_at", "closed_because"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    own_id(),
    Column("queue", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("actor", Text),
    # The units of the records in the body, so that an erasure finds them.
    Column("sirens", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("body", LargeBinary, nullable=False),
    instant("archived_at", default_now=True),
    instant("replayed_at"),
    UniqueConstraint("queue", "message_id"),
    Index("ix_dead_letters_sirens", "sirens", postgresql_using="gin"),
)

job_slots = Table(
    "job_slots",
    metadata,
    Column("job", Text, nullable=False),
    Column("slot", Text, nullable=False),
    one_of("status", "running", "done", "failed"),
    instant("lease_until"),
    # The token of the process that runs it; another process's result does not count.
    Column("token", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    instant("started_at", default_now=True),
    instant("finished_at"),
    instant("next_attempt_at"),
    Column("result", Text),
    Column("error", Text),
    PrimaryKeyConstraint("job", "slot"),
)

# The jobs as running operators see them: the table shows that one runs, and its hours.
jobs = Table(
    "jobs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    instant("next_at", nullable=False),
    instant("seen_at", default_now=True),
)
