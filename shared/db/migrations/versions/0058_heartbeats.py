"""Let each service leave a heartbeat, so that a person learns which one does not run."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0058"
down_revision: str | None = "0057"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE service_heartbeats (
      service TEXT NOT NULL,
      instance TEXT NOT NULL,
      version TEXT NOT NULL,
      started_at TIMESTAMP WITH TIME ZONE NOT NULL,
      beat_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_service_heartbeats PRIMARY KEY (service, instance)
    ) WITH (fillfactor = 50)
    """)
    )
