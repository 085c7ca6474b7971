"""Make a page one establishment, and keep the slugs that pages had before.

An establishment had a page for each activity and commune, one of them open at most. Its open page
stays, else the one that closed last. Texts of the others go with their pages; their attempts and
their lines of batches, which say what was paid, go to the text that stays.
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op
from sqlalchemy import text

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MERGE = Path(__file__).with_name("0021_redirects.sql")


def upgrade() -> None:
    op.execute(text(_MERGE.read_text(encoding="utf-8")))
