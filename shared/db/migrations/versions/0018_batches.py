"""Texts that are asked for by the file."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_batches()
    _create_lines()
    op.create_table(
        "review_batch_holds",
        sa.Column("key", sa.Uuid(), primary_key=True),
        sa.Column("provider", sa.Text(), nullable=False),
        _euros("reserved_eur"),
        _euros("spent_eur"),
        _counter("calls"),
    )


def _create_batches() -> None:
    op.create_table(
        "review_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("structured_output", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text()),
        sa.Column("texts", sa.Integer(), nullable=False),
        _counter("answered"),
        _euros("cost_eur"),
        _euros("spent_eur"),
        _now("next_at"),
        _counter("failures"),
        _now("created_at"),
        sa.Column("submit_begun_at", sa.DateTime(timezone=True)),
        sa.Column("submitted_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("key", name=op.f("uq_review_batches_key")),
        sa.CheckConstraint(
            "state IN ('ready', 'submitted', 'completed', 'expired', 'cancelled', 'failed',"
            " 'lost')",
            name=op.f("ck_review_batches_state"),
        ),
    )
    op.create_index(
        "ix_review_batches_open",
        "review_batches",
        ["next_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index("ix_review_batches_provider", "review_batches", ["provider", "finished_at"])


def _create_lines() -> None:
    op.create_table(
        "review_batch_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("avis_id", sa.BigInteger(), nullable=False),
        sa.Column("claim_token", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("asks", sa.SmallInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts_hash", sa.Text()),
        sa.Column("tokens_in", sa.Integer(), nullable=False, server_default=sa.text("0")),
        _euros("cost_eur"),
        _now("parked_at"),
    )
    op.create_index("ix_review_batch_lines_avis_id", "review_batch_lines", ["avis_id"])
    op.create_index("ix_review_batch_lines_batch_id", "review_batch_lines", ["batch_id", "id"])
    op.create_index(
        "ix_review_batch_lines_waiting",
        "review_batch_lines",
        ["provider", "parked_at"],
        postgresql_where=sa.text("batch_id IS NULL"),
    )


def _euros(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(16, 8), nullable=False, server_default=sa.text("0"))


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def downgrade() -> None:
    op.drop_table("review_batch_holds")
    op.drop_table("review_batch_lines")
    op.drop_table("review_batches")
