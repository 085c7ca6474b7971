"""Hold syntheses until an editor has read what they quote."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0038"
down_revision: str | None = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE sources ADD COLUMN read_at TIMESTAMPTZ;
    ALTER TABLE avis DROP CONSTRAINT ck_avis_held_because;
    ALTER TABLE avis ADD CONSTRAINT ck_avis_held_because CHECK (held_because IN
      ('asked', 'edited', 'fallback', 'first_texts', 'accusation', 'quotation')) NOT VALID;
    ALTER TABLE avis VALIDATE CONSTRAINT ck_avis_held_because
    """)
    )
