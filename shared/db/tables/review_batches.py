"""Texts that are asked for by the file."""

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of
from shared.db.tables.money import euros

# In the database of its avis, so that an answer and its end are one transaction.
review_batches = Table(
    "review_batches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # What the server knows it by before we know the server's own name for it.
    Column("key", Uuid, nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("structured_output", Text, nullable=False),
    Column(
        "state",
        Text,
        one_of(
            "state",
            "ready",
            "submitted",
            "completed",
            "expired",
            "cancelled",
            "failed",
            "lost",
        ),
        nullable=False,
    ),
    Column("remote_id", Text),
    Column("texts", Integer, nullable=False),
    counter("answered"),
    # The most that it can cost, and what its answers did.
    euros("cost_eur"),
    euros("spent_eur"),
    # When it is looked at next; one that is worked on is put off, and comes back if that ends.
    instant("next_at", default_now=True),
    counter("failures"),
    instant("created_at", default_now=True),
    # Since then the server may have it.
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
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("avis_id", BigInteger, nullable=False),
    # That of the avis while the answer counts.
    Column("claim_token", Uuid, nullable=False),
    Column("provider", Text, nullable=False),
    # None: waits for one.
    Column("batch_id", BigInteger),
    Column("asks", SmallInteger, nullable=False, server_default=text("0")),
    Column("reasons", ARRAY(Text), nullable=False),
    # Of the facts that it is asked for with.
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

# In the control database: the part of the budget that a batch holds.
review_batch_holds = Table(
    "review_batch_holds",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("provider", Text, nullable=False),
    euros("reserved_eur"),
    euros("spent_eur"),
    counter("calls"),
)
