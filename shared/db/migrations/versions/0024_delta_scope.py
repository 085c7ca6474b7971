"""Let a delta say that it asks for all of France, whatever the database holds."""

from collections.abc import Sequence

from alembic import op

revision: str = "0024"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_runs ADD COLUMN everything BOOLEAN DEFAULT false NOT NULL")
