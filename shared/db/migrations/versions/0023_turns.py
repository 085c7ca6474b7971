"""The days on which stored periods begin to hold.

Release 1.0.0 showed a period that lies ahead at once. The rows that do are due, and the writer
turns them: it takes one look at the table here and rewrites nothing.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0023"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("CREATE TABLE turns (siret TEXT NOT NULL, day DATE NOT NULL)")
    op.execute("""
        INSERT INTO turns (siret, day)
        SELECT siret, today
        FROM etablissements, LATERAL (SELECT (now() AT TIME ZONE 'Europe/Paris')::date) t (today)
        WHERE date_debut > today OR date_creation > today
    """)
    op.execute("ALTER TABLE turns ADD CONSTRAINT pk_turns PRIMARY KEY (siret)")
    op.execute("CREATE INDEX ix_turns_day ON turns (day)")
