"""Keep the hour's setting beside the header's limit, faults that jobs find, and restore drills."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0054"
down_revision: str | None = "0058"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE quota ADD configured_per_hour DOUBLE PRECISION;
    ALTER TABLE job_slots ADD is_fault BOOLEAN DEFAULT false NOT NULL;
    CREATE TABLE restore_drills (
      id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
      backup_id TEXT,
      backup_made_at TIMESTAMP WITH TIME ZONE,
      rows BIGINT DEFAULT 0 NOT NULL,
      outcome TEXT,
      result TEXT,
      began_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      ended_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT pk_restore_drills PRIMARY KEY (id),
      CONSTRAINT ck_restore_drills_outcome CHECK (outcome IN ('passed', 'failed'))
    );
    """)
    )
