"""Treatment windows, and how far each collection of the register is complete."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OF_RUNS = ("kind", "since", "overlap_hours", "wait_until", "warning")
_OF_BATCHES = ("collection", "treated_from", "treated_until")


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.Text(), nullable=False, server_default="scope"),
        sa.Column("since", sa.DateTime()),
        sa.Column("overlap_hours", sa.Double()),
        sa.Column("wait_until", sa.DateTime(timezone=True)),
        sa.Column("warning", sa.Text()),
    ):
        op.add_column("import_runs", column)
    op.create_check_constraint(
        op.f("ck_import_runs_kind"), "import_runs", "kind IN ('scope', 'delta')"
    )
    op.add_column("import_batches", sa.Column("collection", sa.Text()))
    op.add_column("import_batches", sa.Column("treated_from", sa.DateTime()))
    op.add_column("import_batches", sa.Column("treated_until", sa.DateTime()))
    op.create_table(
        "treatment_windows",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("treated_from", sa.DateTime()),
        sa.Column("treated_until", sa.DateTime(), nullable=False),
        sa.Column("made_available_at", sa.DateTime()),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_runs.id"], name=op.f("fk_treatment_windows_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "collection", name=op.f("pk_treatment_windows")),
    )
    op.create_index(
        "ix_treatment_windows_open",
        "treatment_windows",
        ["run_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "watermarks",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("treated_until", sa.DateTime(), nullable=False),
        sa.Column("made_available_at", sa.DateTime()),
        sa.Column(
            "moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("collection", name=op.f("pk_watermarks")),
    )


def downgrade() -> None:
    op.drop_table("watermarks")
    op.drop_table("treatment_windows")
    for name in _OF_BATCHES:
        op.drop_column("import_batches", name)
    for name in _OF_RUNS:
        op.drop_column("import_runs", name)
