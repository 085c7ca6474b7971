"""A run's daily share, scheduled jobs, and when a failed item is tried again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _instant(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True))


_ADDED: dict[str, tuple[str, ...]] = {
    "import_runs": ("per_day", "day_seconds", "resting_until"),
    "import_pages": ("share_day", "share_rows"),
    "failed_items": ("closed_because", "retries", "next_attempt_at"),
    "job_slots": (
        "token",
        "attempts",
        "started_at",
        "finished_at",
        "next_attempt_at",
        "result",
        "error",
    ),
}


def upgrade() -> None:
    op.add_column("import_runs", sa.Column("per_day", sa.BigInteger()))
    op.add_column("import_runs", sa.Column("day_seconds", sa.Double()))
    op.add_column("import_runs", _instant("resting_until"))
    op.add_column("import_pages", _instant("share_day"))
    op.add_column("import_pages", sa.Column("share_rows", sa.Integer()))
    op.create_index(
        "ix_import_pages_share_day",
        "import_pages",
        ["share_day"],
        postgresql_where=sa.text("share_day IS NOT NULL"),
    )
    _upgrade_failed_items()
    _upgrade_jobs()


def _upgrade_failed_items() -> None:
    op.add_column("failed_items", sa.Column("closed_because", sa.Text()))
    op.add_column(
        "failed_items",
        sa.Column("retries", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column(
        "failed_items",
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now() + interval '1 hour'"),
        ),
    )
    op.create_index(
        "ix_failed_items_next_attempt_at",
        "failed_items",
        ["next_attempt_at"],
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def _upgrade_jobs() -> None:
    now = sa.text("now()")
    op.add_column("job_slots", sa.Column("token", sa.Uuid()))
    op.add_column(
        "job_slots",
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("1")),
    )
    op.add_column(
        "job_slots",
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )
    op.add_column("job_slots", _instant("finished_at"))
    op.add_column("job_slots", _instant("next_attempt_at"))
    op.add_column("job_slots", sa.Column("result", sa.Text()))
    op.add_column("job_slots", sa.Column("error", sa.Text()))
    op.create_table(
        "jobs",
        sa.Column("job", sa.Text(), primary_key=True),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
    )


def downgrade() -> None:
    op.drop_table("jobs")
    for table, columns in _ADDED.items():
        for name in reversed(columns):
            op.drop_column(table, name)
