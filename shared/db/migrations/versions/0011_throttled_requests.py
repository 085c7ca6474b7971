"""What INSEE throttled is counted without reading every request."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_insee_requests_throttled",
        "insee_requests",
        ["granted_at"],
        postgresql_where=sa.text("http_status = 429"),
    )


def downgrade() -> None:
    op.drop_index("ix_insee_requests_throttled", table_name="insee_requests")
