"""An import by activity, state, siret range, or a list of sirets."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NARROWING = ("etat_administratif", "siret_from", "siret_to")


def upgrade() -> None:
    for name in ("activites", "sirets"):
        op.add_column(
            "import_runs",
            sa.Column(name, ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        )
    for name in _NARROWING:
        op.add_column("import_runs", sa.Column(name, sa.Text()))
    for name in ("activite_principale", *_NARROWING):
        op.add_column("import_batches", sa.Column(name, sa.Text()))
    op.add_column("import_batches", sa.Column("sirets", ARRAY(sa.Text())))


def downgrade() -> None:
    for name in ("sirets", "activite_principale", *_NARROWING):
        op.drop_column("import_batches", name)
    for name in ("activites", "sirets", *_NARROWING):
        op.drop_column("import_runs", name)
