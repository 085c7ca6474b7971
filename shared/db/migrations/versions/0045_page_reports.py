"""Reports of readers about pages: errors, and objections to being shown."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0045"
down_revision: str | None = "0047"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    CREATE TABLE page_reports (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      siret TEXT NOT NULL,
      siren TEXT NOT NULL,
      kind TEXT NOT NULL CONSTRAINT ck_page_reports_kind CHECK (kind IN ('error', 'opposition')),
      message TEXT NOT NULL,
      contact TEXT,
      reported_at TIMESTAMPTZ DEFAULT now() NOT NULL,
      done_at TIMESTAMPTZ,
      CONSTRAINT pk_page_reports PRIMARY KEY (id)
    );
    CREATE INDEX ix_page_reports_siret ON page_reports (siret);
    CREATE INDEX ix_page_reports_siren ON page_reports (siren);
    ALTER TABLE page_reports ALTER message SET STATISTICS 0, ALTER contact SET STATISTICS 0
    """)
    )
