"""An attempt says which provider was asked; what is not known of it is null."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TOKENS = ("tokens_in", "tokens_out")


def upgrade() -> None:
    for name in _TOKENS:
        op.alter_column("avis_attempts", name, nullable=True, server_default=None)
    op.add_column("avis_attempts", sa.Column("provider", sa.Text(), nullable=True))
    op.add_column("avis_attempts", sa.Column("tokens_cached", sa.Integer(), nullable=True))
    op.alter_column(
        "avis_attempts",
        "cost_euros",
        new_column_name="cost_eur",
        type_=sa.Numeric(12, 8),
        nullable=True,
        server_default=None,
    )


def downgrade() -> None:
    op.execute("UPDATE avis_attempts SET cost_eur = 0 WHERE cost_eur IS NULL")
    op.alter_column(
        "avis_attempts",
        "cost_eur",
        new_column_name="cost_euros",
        type_=sa.Numeric(12, 6),
        nullable=False,
        server_default=sa.text("0"),
    )
    op.drop_column("avis_attempts", "tokens_cached")
    op.drop_column("avis_attempts", "provider")
    for name in _TOKENS:
        op.execute(f"UPDATE avis_attempts SET {name} = 0 WHERE {name} IS NULL")  # noqa: S608  # a name of ours
        op.alter_column("avis_attempts", name, nullable=False, server_default=sa.text("0"))
