"""Keep the field that the name of a page came from; a page gets it when it is renewed."""

from collections.abc import Sequence

from alembic import op

revision: str = "0027"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE pro_localisations ADD COLUMN nom_source text")
