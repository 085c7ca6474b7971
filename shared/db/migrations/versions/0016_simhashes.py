"""Fingerprints of texts, to tell a neighbour's text from a new one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "avis_simhashes",
        sa.Column("simhash", sa.BigInteger(), nullable=False),
        sa.Column("avis_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place", "avis_id", name=op.f("pk_avis_simhashes")),
    )


def downgrade() -> None:
    op.drop_table("avis_simhashes")
