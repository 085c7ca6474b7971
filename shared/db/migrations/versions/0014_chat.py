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
    # Not renamed: its constraint would keep the old name. Nothing has cost anything yet.
    op.drop_column("avis_attempts", "cost_euros")
    op.add_column(
        "avis_attempts",
        sa.Column("cost_eur", sa.Numeric(12, 8), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("avis_attempts", "cost_eur")
    op.add_column(
        "avis_attempts",
        sa.Column("cost_euros", sa.Numeric(12, 6), server_default=sa.text("0"), nullable=False),
    )
    op.drop_column("avis_attempts", "tokens_cached")
    op.drop_column("avis_attempts", "provider")
