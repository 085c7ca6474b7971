"""Let a certificate keep the establishments whose contents differ from INSEE's."""

from collections.abc import Sequence

from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE certificates ADD COLUMN altered bigint")
    op.execute("ALTER TABLE certificates ADD COLUMN altered_sirets text[]")
    op.execute("ALTER TABLE certificates ADD COLUMN altered_columns jsonb")
