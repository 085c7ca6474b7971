"""Keep the index of the portal beside the pages: entries, words, prefixes, cursors."""

from collections.abc import Sequence
from pathlib import Path

from alembic import op
from sqlalchemy import text

revision: str = "0044"
down_revision: str | None = "0043"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MAKE = Path(__file__).with_name("0044_search.sql")


def upgrade() -> None:
    op.execute(text(_MAKE.read_text(encoding="utf-8")))
