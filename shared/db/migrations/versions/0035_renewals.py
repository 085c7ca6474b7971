"""Rank the texts that are due again, and limit how many begin in a day."""

from collections.abc import Sequence

from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RANK_DUE = """
    WITH sizes AS (
      SELECT string_to_array('NN 00 01 02 03 11 12 21 22 31 32 41 42 51 52 53', ' ') AS codes)
    UPDATE avis a SET renewal_rank = 288
      - 17 * coalesce(array_position(codes, e.tranche_effectifs), 0)
      - coalesce(array_position(codes, u.tranche_effectifs), 0)
    FROM sizes, etablissements e JOIN unites_legales u ON u.siren = e.siren
    WHERE e.siret = a.siret AND a.outcome = 'pending' AND a.text IS NOT NULL
"""


def upgrade() -> None:
    op.execute("ALTER TABLE avis ADD COLUMN renewal_rank smallint")
    op.execute(_RANK_DUE)
    op.execute("DROP INDEX ix_avis_pending")
    op.execute(
        "CREATE INDEX ix_avis_pending ON avis (published_at, renewal_rank, id)"
        " WHERE outcome = 'pending'"
    )
    op.execute(
        "ALTER TABLE review_budget ADD COLUMN renewals_per_day integer"
        " CONSTRAINT ck_review_budget_no_renewals_below_zero CHECK (renewals_per_day >= 0),"
        " ADD COLUMN renewals_arrival_at timestamptz NOT NULL DEFAULT now()"
    )
