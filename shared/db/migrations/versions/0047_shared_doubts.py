"""Keep the doubt of a provider in its row, for all replicas."""

from collections.abc import Sequence

from alembic import op

revision: str = "0047"
down_revision: str | None = "0041"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE review_providers
          ADD COLUMN refused_in_a_row BIGINT DEFAULT 0 NOT NULL,
          ADD COLUMN doubts BIGINT DEFAULT 0 NOT NULL,
          ADD COLUMN doubted_until TIMESTAMPTZ,
          ADD COLUMN on_trial BOOLEAN DEFAULT false NOT NULL
    """)
