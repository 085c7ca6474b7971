"""What the settings say of the quota, apart from what INSEE's headers made of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("quota", sa.Column("configured_per_minute", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column("quota", "configured_per_minute")
