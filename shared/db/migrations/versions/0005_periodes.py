"""The history of establishments, as INSEE sends it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "periodes_etablissements",
        sa.Column("siret", sa.Text(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("rang", sa.SmallInteger(), nullable=False),
        sa.Column("date_debut", sa.Date()),
        sa.Column("date_fin", sa.Date()),
        sa.Column("etat_administratif", sa.Text()),
        sa.Column("changement_etat_administratif", sa.Boolean()),
        sa.Column("enseigne1", sa.Text()),
        sa.Column("enseigne2", sa.Text()),
        sa.Column("enseigne3", sa.Text()),
        sa.Column("changement_enseigne", sa.Boolean()),
        sa.Column("denomination_usuelle", sa.Text()),
        sa.Column("changement_denomination_usuelle", sa.Boolean()),
        sa.Column("activite_principale", sa.Text()),
        sa.Column("nomenclature_activite_principale", sa.Text()),
        sa.Column("changement_activite_principale", sa.Boolean()),
        sa.Column("caractere_employeur", sa.Text()),
        sa.Column("changement_caractere_employeur", sa.Boolean()),
        sa.PrimaryKeyConstraint("siret", "rang", name="pk_periodes_etablissements"),
    )


def downgrade() -> None:
    op.drop_table("periodes_etablissements")
