"""The limits and the budget that all reviewers share."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_providers()
    _create_budget()
    op.create_table(
        "review_reservations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        _euros("cost_eur"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expired_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_review_reservations_expires_at", "review_reservations", ["expires_at"])


def _create_providers() -> None:
    op.create_table(
        "review_providers",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text()),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("max_parallel", sa.Integer(), nullable=False),
        sa.Column("charges", sa.Boolean(), nullable=False),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("tokens_per_minute", sa.Integer()),
        _now("requests_arrival_at"),
        _now("tokens_arrival_at"),
        _now("slot_at"),
        sa.Column("calls", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        _euros("spent_eur"),
        _now("opened_at"),
        postgresql_with={"fillfactor": "50"},
    )


def _create_budget() -> None:
    op.create_table(
        "review_budget",
        sa.Column(
            "id",
            sa.SmallInteger(),
            primary_key=True,
            autoincrement=False,
            server_default=sa.text("1"),
        ),
        sa.Column("cap_eur", sa.Numeric(16, 8), server_default=sa.text("0")),
        _euros("reserved_eur"),
        _euros("spent_eur"),
        sa.Column("status", sa.Text(), nullable=False, server_default="running"),
        sa.Column("paused_because", sa.Text()),
        sa.Column("sample_ids", postgresql.ARRAY(sa.BigInteger())),
        _now("changed_at"),
        sa.CheckConstraint("id = 1", name=op.f("ck_review_budget_id")),
        sa.CheckConstraint("status IN ('running', 'paused')", name=op.f("ck_review_budget_status")),
        sa.CheckConstraint(
            "paused_because IN ('cap', 'asked', 'sample')",
            name=op.f("ck_review_budget_paused_because"),
        ),
        sa.CheckConstraint(
            "spent_eur >= 0 AND reserved_eur >= 0 AND (cap_eur IS NULL OR cap_eur >= 0)",
            name=op.f("ck_review_budget_never_below_zero"),
        ),
        sa.CheckConstraint(
            "(status = 'paused') = (paused_because IS NOT NULL)",
            name=op.f("ck_review_budget_has_its_reason"),
        ),
        postgresql_with={"fillfactor": "50"},
    )
    op.execute("INSERT INTO review_budget DEFAULT VALUES")


def downgrade() -> None:
    for table in ("review_reservations", "review_budget", "review_providers"):
        op.drop_table(table)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    )


def _euros(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(16, 8), nullable=False, server_default=sa.text("0"))
