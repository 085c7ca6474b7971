"""Orders of editors: what they looked at, texts made again, and erasures that people order."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0057"
down_revision: str | None = "0052"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE avis_orders
      ADD COLUMN seen TEXT,
      ALTER COLUMN seen SET STATISTICS 0,
      DROP CONSTRAINT ck_avis_orders_verb,
      ADD CONSTRAINT ck_avis_orders_verb CHECK (verb IN
        ('hold', 'release', 'reject', 'edit', 'regenerate'));
    DROP INDEX ix_avis_orders_siret;
    CREATE INDEX ix_avis_orders_siret ON avis_orders (siret, id);
    CREATE INDEX ix_avis_rejected ON avis (id) WHERE outcome = 'rejected';
    CREATE TABLE erasure_orders (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      siren TEXT NOT NULL,
      reason TEXT NOT NULL,
      ordered_at TIMESTAMPTZ DEFAULT now() NOT NULL,
      status TEXT DEFAULT 'pending' NOT NULL CONSTRAINT ck_erasure_orders_status
        CHECK (status IN ('pending', 'done', 'refused')),
      refusal TEXT,
      erased_rows INTEGER,
      done_at TIMESTAMPTZ,
      CONSTRAINT pk_erasure_orders PRIMARY KEY (id)
    );
    CREATE INDEX ix_erasure_orders_siren ON erasure_orders (siren);
    CREATE INDEX ix_erasure_orders_pending ON erasure_orders (id) WHERE status = 'pending'
    """)
    )
