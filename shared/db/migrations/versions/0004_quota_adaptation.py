"""The rate gives way where somebody else uses the same key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "quota",
        sa.Column("adaptation", sa.Double(), nullable=False, server_default=sa.text("1")),
    )


def downgrade() -> None:
    op.drop_column("quota", "adaptation")
