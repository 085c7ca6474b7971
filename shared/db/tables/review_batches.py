"""Batches: texts that a chat server writes from a file of requests."""

from sqlalchemy import Index

from shared.db.tables import columns as col

_STATES = ("ready", "submitted", "completed", "expired", "cancelled", "failed", "lost")

# The table is in the database of its avis: an answer and its end are one transaction.
review_batches = col.table(
    "review_batches",
    col.own_id(),
    # Our name for the batch, sent to the server; its own name is `remote_id`.
    col.uuid("key", required=True, unique=True),
    col.text("provider", "model", "prompt_version", "structured_output", required=True),
    col.one_of("state", *_STATES),
    col.text("remote_id"),
    col.integer("texts", required=True),
    # The lines that a model has answered, and those of them whose text was accepted.
    col.counter("answered", "accepted"),
    # The server's code for the failure of the whole batch.
    col.text("failed_because"),
    # The most that it can cost, and the cost of its answers.
    col.euros("cost_eur", "spent_eur"),
    # The next look at it; a process that works on it puts it off, as by a lease.
    col.instant_now("next_at"),
    col.counter("failures"),
    col.instant_now("created_at"),
    # The server may have the batch from then on.
    col.instant("submit_begun_at"),
    col.instant("submitted_at"),
    col.instant("expires_at", required=True),
    col.instant("finished_at"),
    Index("ix_review_batches_open", "next_at", postgresql_where="finished_at IS NULL"),
    Index("ix_review_batches_provider", "provider", "finished_at"),
)

_WAITING = "batch_id IS NULL"

review_batch_lines = col.table(
    "review_batch_lines",
    col.own_id(),
    col.bigint("avis_id", required=True),
    # Equal to the avis's token while the answer counts.
    col.uuid("claim_token", required=True),
    col.text("provider", required=True),
    # Null: the text waits for a batch.
    col.bigint("batch_id"),
    col.smallint("asks", default="0"),
    col.texts("reasons", required=True),
    # The hash of the facts in the request.
    col.text("facts_hash"),
    col.integer("tokens_in", default="0"),
    col.euros("cost_eur"),
    col.instant_now("parked_at"),
    Index("ix_review_batch_lines_avis_id", "avis_id"),
    Index("ix_review_batch_lines_batch_id", "batch_id", "id"),
    Index("ix_review_batch_lines_waiting", "provider", "parked_at", postgresql_where=_WAITING),
)

# The part of the budget that a batch holds; in the control database.
review_batch_holds = col.table(
    "review_batch_holds",
    col.uuid("key", key=True),
    col.text("provider", required=True),
    col.euros("reserved_eur", "spent_eur"),
    col.counter("calls"),
)
