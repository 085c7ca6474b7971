"""Keep webhooks: who is told of changed pages, how far they were told, and each attempt."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0051"
down_revision: str | None = "0049"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE webhooks (
      id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
      name TEXT NOT NULL,
      url TEXT NOT NULL,
      secret TEXT NOT NULL,
      kinds TEXT[] NOT NULL,
      departements TEXT[] NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      paused_because TEXT,
      CONSTRAINT pk_webhooks PRIMARY KEY (id),
      CONSTRAINT uq_webhooks_name UNIQUE (name)
    );
    ALTER TABLE webhooks ALTER name SET STATISTICS 0, ALTER url SET STATISTICS 0,
      ALTER secret SET STATISTICS 0;
    CREATE TABLE webhook_places (
      webhook_id BIGINT NOT NULL,
      shard INTEGER NOT NULL,
      position TEXT NOT NULL,
      pending_rows INTEGER DEFAULT 0 NOT NULL,
      failures INTEGER DEFAULT 0 NOT NULL,
      failing_since TIMESTAMP WITH TIME ZONE,
      due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_webhook_places PRIMARY KEY (webhook_id, shard),
      CONSTRAINT fk_webhook_places_webhook_id FOREIGN KEY (webhook_id)
        REFERENCES webhooks (id)
    ) WITH (fillfactor = 50);
    CREATE TABLE webhook_attempts (
      id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
      webhook_id BIGINT NOT NULL,
      message_id TEXT NOT NULL,
      outcome TEXT NOT NULL,
      status INTEGER,
      changes INTEGER NOT NULL,
      attempted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_webhook_attempts PRIMARY KEY (id),
      CONSTRAINT ck_webhook_attempts_outcome
        CHECK (outcome IN ('delivered', 'refused', 'unreachable')),
      CONSTRAINT fk_webhook_attempts_webhook_id FOREIGN KEY (webhook_id)
        REFERENCES webhooks (id)
    );
    CREATE INDEX ix_webhook_attempts_webhook_id_id ON webhook_attempts (webhook_id, id);
    CREATE INDEX ix_webhook_attempts_attempted_at ON webhook_attempts (attempted_at)
    """)
    )
