"""Let a run be a refresh: what it brings is stored whatever stands."""

from collections.abc import Sequence

from alembic import op

revision: str = "0029"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_runs DROP CONSTRAINT ck_import_runs_kind")
    op.execute(
        "ALTER TABLE import_runs ADD CONSTRAINT ck_import_runs_kind"
        " CHECK (kind IN ('scope', 'delta', 'refresh'))"
    )
