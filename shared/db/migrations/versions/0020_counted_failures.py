"""An index from which failed items are counted without reading what they carry."""

from collections.abc import Sequence

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEX = "ix_failed_items_resolved_at"


def upgrade() -> None:
    op.create_index(_INDEX, "failed_items", ["resolved_at", "closed_because"])


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="failed_items")
