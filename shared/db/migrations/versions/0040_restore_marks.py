"""Mark a restored database until its erasures are applied again."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0040"
down_revision: str | None = "0038"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Every role looks at the mark before it works.
    op.execute(
        text("""
    CREATE TABLE restore_marks (
      backup_id TEXT NOT NULL,
      restored_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      CONSTRAINT pk_restore_marks PRIMARY KEY (backup_id)
    );
    GRANT SELECT ON restore_marks TO PUBLIC
    """)
    )
