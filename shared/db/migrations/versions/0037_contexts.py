"""Keep what other rows said of an accepted text, and sweep for what they say now."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("avis", sa.Column("context_hash", sa.Text))
    op.create_table(
        "context_sweeps",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        sa.Column(
            "began_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("after_id", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("checked", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("made_due", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("id", name="pk_context_sweeps"),
    )
    op.execute(
        "CREATE INDEX ix_etablissements_code_commune_activite_principale"
        " ON etablissements (code_commune, activite_principale)"
    )
    op.execute("DROP INDEX ix_etablissements_code_commune")
