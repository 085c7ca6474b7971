"""Refused rows of a stock file: their line and column.

Old chunks have neither: their refused rows keep key and code alone.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0025"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE stock_chunks ADD refused_lines bigint[], ADD refused_columns text[]")
