"""Batches: texts that a chat server writes from a file of requests."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of, own_id
from shared.db.tables.money import euros

# The table is in the database of its avis: an answer and its end are one transaction.
review_batches = Table(
    "review_batches",
    metadata,
    own_id(),
    # Our name for the batch, sent to the server; its own name is `remote_id`.
    Column("key", Uuid, nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("structured_output", Text, nullable=False),
    one_of("state", "ready", "submitted", "completed", "expired", "cancelled", "failed", "lost"),
    Column("remote_id", Text),
    Column("texts", Integer, nullable=False),
    counter("answered"),
    # The most that it can cost, and the cost of its answers.
    euros("cost_eur"),
    euros("spent_eur"),
    # The next look at it; a process that works on it puts it off, as by a lease.
    instant("next_at", default_now=True),
    counter("failures"),
    instant("created_at", default_now=True),
    # The server may have the batch from then on.
    instant("submit_begun_at"),
    instant("submitted_at"),
    instant("expires_at", nullable=False),
    instant("finished_at"),
    Index("ix_review_batches_open", "next_at", postgresql_where=text("finished_at IS NULL")),
    Index("ix_review_batches_provider", "provider", "finished_at"),
)

review_batch_lines = Table(
    "review_batch_lines",
    metadata,
    own_id(),
    Column("avis_id", BigInteger, nullable=False),
    # Equal to the avis's token while the answer counts.
    Column("claim_token", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    # Null: the text waits for a batch.
    Column("batch_id", BigInteger),
    Column("asks", SmallInteger, nullable=False, server_default=text("0")),
    Column("reasons", ARRAY(Text), nullable=False),
    # The hash of the facts in the request.
    Column("facts_hash", Text),
    Column("tokens_in", Integer, nullable=False, server_default=text("0")),
    euros("cost_eur"),
    instant("parked_at", default_now=True),
    Index("ix_review_batch_lines_avis_id", "avis_id"),
    Index("ix_review_batch_lines_batch_id", "batch_id", "id"),
    Index(
        "ix_review_batch_lines_waiting",
        "provider",
        "parked_at",
        postgresql_where=text("batch_id IS NULL"),
    ),
)

# The part of the budget that a batch holds; in the control database.
review_batch_holds = Table(
    "review_batch_holds",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    euros("reserved_eur"),
    euros("spent_eur"),
    counter("calls"),
)
