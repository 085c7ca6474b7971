"""Release 1.0.0: every table, in one revision.

It keeps the number of the last of the twenty revisions that it replaces: a database that they
made is current as it is. An older one is refused (`shared.db.migrate`).
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0020"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SCHEMA = Path(__file__).with_name("release_1_0_0.sql")


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_SCHEMA.read_text(encoding="utf-8"))
