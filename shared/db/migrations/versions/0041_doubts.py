"""Keep what makes a provider doubted: 429s without an answer, batches without a text."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0041"
down_revision: str | None = "0039"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE review_providers ADD COLUMN throttled_since TIMESTAMPTZ;
    ALTER TABLE review_batches
      ADD COLUMN accepted BIGINT DEFAULT 0 NOT NULL,
      ADD COLUMN failed_because TEXT;
    -- How many of their texts were accepted is not known: they were answered.
    UPDATE review_batches SET accepted = answered
    """)
    )
