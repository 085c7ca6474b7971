"""Indexes from which `stats` counts, without reading whole rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FAILED = "ix_failed_items_resolved_at"
_DIFFERING = "ix_import_batches_differing"


def upgrade() -> None:
    op.create_index(_FAILED, "failed_items", ["resolved_at", "closed_because"])
    op.create_index(
        _DIFFERING,
        "import_batches",
        ["id"],
        postgresql_where=sa.text("missing_sirets <> '{}' OR surplus_sirets <> '{}'"),
    )


def downgrade() -> None:
    op.drop_index(_DIFFERING, table_name="import_batches")
    op.drop_index(_FAILED, table_name="failed_items")
