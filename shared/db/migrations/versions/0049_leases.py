"""Make the leases of work that one process at a time does."""

from collections.abc import Sequence

from alembic import op

revision: str = "0049"
down_revision: str | None = "0046"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE leases (
          name TEXT NOT NULL,
          token BIGINT NOT NULL,
          held_until TIMESTAMPTZ NOT NULL,
          CONSTRAINT pk_leases PRIMARY KEY (name)
        )
    """)
    # A row that is there needs no insert, which would wait for that of another process.
    op.execute("""
        INSERT INTO leases (name, token, held_until)
        SELECT name, 0, '-infinity' FROM unnest(ARRAY['relay', 'stock', 'elasticsearch']) AS name
    """)
