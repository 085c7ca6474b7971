"""Stock files: line and column of a refused row, comparisons, rows taken at an equal date.

Old chunks have no lines: their refused rows keep key and code alone.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0025"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_STATUSES = "'staging', 'staged', 'stored', 'complete', 'refused', 'abandoned', 'compared'"


def upgrade() -> None:
    op.execute("ALTER TABLE stock_chunks ADD refused_lines bigint[], ADD refused_columns text[]")
    op.execute(f"""
        ALTER TABLE stock_loads ADD takes_equal boolean NOT NULL DEFAULT false,
          DROP CONSTRAINT ck_stock_loads_way, DROP CONSTRAINT ck_stock_loads_status,
          ADD CONSTRAINT ck_stock_loads_way CHECK (way IN ('swap', 'merge', 'compare')),
          ADD CONSTRAINT ck_stock_loads_status CHECK (status IN ({_STATUSES}))
    """)
