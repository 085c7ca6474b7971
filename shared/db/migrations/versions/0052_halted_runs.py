"""Let runs be paused and cancelled: who halted one, when and why, and what came too late."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0052"
down_revision: str | None = "0053"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE import_runs
      ADD COLUMN halted_at TIMESTAMP WITH TIME ZONE,
      ADD COLUMN halted_by TEXT,
      ADD COLUMN halted_because TEXT,
      DROP CONSTRAINT ck_import_runs_status,
      ADD CONSTRAINT ck_import_runs_status
        CHECK (status IN ('pending', 'running', 'complete', 'failed', 'cancelled'));
    ALTER TABLE import_batches
      ADD COLUMN dropped BIGINT DEFAULT 0 NOT NULL,
      DROP CONSTRAINT ck_import_batches_status,
      ADD CONSTRAINT ck_import_batches_status
        CHECK (status IN ('pending', 'running', 'complete', 'failed', 'cancelled'))
    """)
    )
