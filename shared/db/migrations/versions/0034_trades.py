"""Count the open establishments of each trade in each commune, and keep the counts in step.

The register is counted once, in one statement; from then on its triggers note what changes.
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op
from sqlalchemy import text

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COUNT = Path(__file__).with_name("0034_trades.sql")


def upgrade() -> None:
    op.execute(text(_COUNT.read_text(encoding="utf-8")))
