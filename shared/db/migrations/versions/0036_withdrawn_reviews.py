"""Keep a withdrawn review from coming back with the next import of its file."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE withdrawn_reviews (
      digest BYTEA NOT NULL,
      url_digest BYTEA NOT NULL,
      keep_until DATE NOT NULL,
      withdrawn_at TIMESTAMPTZ DEFAULT now() NOT NULL,
      CONSTRAINT pk_withdrawn_reviews PRIMARY KEY (digest)
    );
    CREATE INDEX ix_withdrawn_reviews_url_digest ON withdrawn_reviews (url_digest)
    """)
    )
