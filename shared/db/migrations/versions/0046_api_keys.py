"""Keep the keys of the portal's API, each with its limit."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0046"
down_revision: str | None = "0044"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE api_keys (
      key_hash BYTEA NOT NULL,
      name TEXT NOT NULL,
      per_minute INTEGER NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      used_on DATE,
      free_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      revoked_at TIMESTAMP WITH TIME ZONE,
      CONSTRAINT pk_api_keys PRIMARY KEY (key_hash),
      CONSTRAINT uq_api_keys_name UNIQUE (name)
    ) WITH (fillfactor = 50);
    ALTER TABLE api_keys ALTER name SET STATISTICS 0
    """)
    )
