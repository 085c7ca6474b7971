"""Keep the codes that no table of the release knows, and hold back texts about them."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0026"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE unknown_codes (
      field TEXT NOT NULL,
      code TEXT NOT NULL,
      first_seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
      CONSTRAINT pk_unknown_codes PRIMARY KEY (field, code));
    ALTER TABLE avis DROP CONSTRAINT ck_avis_outcome, ADD CONSTRAINT ck_avis_outcome CHECK (
      outcome IN ('pending', 'accepted', 'rejected', 'cancelled', 'no_reviews',
        'skipped_non_diffusible', 'skipped_sole_trader', 'skipped_opposition', 'not_understood'))
    """)
    )
