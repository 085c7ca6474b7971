"""A column tells the rows that a P hides; without a default, no table is rewritten."""

from collections.abc import Sequence

from alembic import op

revision: str = "0022"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE unites_legales ADD COLUMN buried boolean")
    op.execute("ALTER TABLE etablissements ADD COLUMN buried boolean")
