"""What an attempt at a text used and cost, and of whom it was asked."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("avis_attempts", sa.Column("provider", sa.Text(), nullable=True))
    op.add_column(
        "avis_attempts",
        sa.Column("tokens_cached", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.alter_column(
        "avis_attempts",
        "cost_euros",
        new_column_name="cost_eur",
        type_=sa.Numeric(12, 8),
        existing_type=sa.Numeric(12, 6),
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )


def downgrade() -> None:
    op.alter_column(
        "avis_attempts",
        "cost_eur",
        new_column_name="cost_euros",
        type_=sa.Numeric(12, 6),
        existing_type=sa.Numeric(12, 8),
        existing_nullable=False,
        existing_server_default=sa.text("0"),
    )
    op.drop_column("avis_attempts", "tokens_cached")
    op.drop_column("avis_attempts", "provider")
