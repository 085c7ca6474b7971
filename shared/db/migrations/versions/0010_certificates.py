"""What comparing a scope with INSEE's present list found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope", postgresql.JSONB(), nullable=False),
        sa.Column("windows", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("status", sa.Text(), server_default="running", nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("informations_before", sa.DateTime(), nullable=False),
        sa.Column("informations_after", sa.DateTime()),
        sa.Column("expected", sa.BigInteger()),
        sa.Column("stored", sa.BigInteger()),
        sa.Column("missing", sa.BigInteger()),
        sa.Column("surplus", sa.BigInteger()),
        sa.Column("missing_sirets", postgresql.ARRAY(sa.Text())),
        sa.Column("surplus_sirets", postgresql.ARRAY(sa.Text())),
        sa.Column("gone_sirets", postgresql.ARRAY(sa.Text())),
        sa.Column("repair_run_id", sa.BigInteger()),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "status IN ('running', 'void', 'counts_agree', 'agree', 'differ')",
            name=op.f("ck_certificates_status"),
        ),
        sa.ForeignKeyConstraint(
            ["repair_run_id"],
            ["import_runs.id"],
            name=op.f("fk_certificates_repair_run_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
    )


def downgrade() -> None:
    op.drop_table("certificates")
