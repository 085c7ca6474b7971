"""Dead letters say whose records they carry; tombstones of one establishment; drift, links."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _find_people_in_dead_letters()
    _bury_single_establishments()
    op.create_table(
        "schema_drift",
        sa.Column("key", sa.Text(), primary_key=True),
        _now("first_seen_at"),
        sa.Column("batch_id", sa.BigInteger()),
    )
    op.create_table(
        "redirections",
        sa.Column("siren_or_siret", sa.Text(), primary_key=True),
        sa.Column("target", sa.Text(), nullable=False),
        _now("seen_at"),
    )
    op.create_table(
        "successions",
        sa.Column("siret_predecesseur", sa.Text(), nullable=False),
        sa.Column("siret_successeur", sa.Text(), nullable=False),
        sa.Column("date_lien_succession", sa.Date(), nullable=False),
        sa.Column("transfert_siege", sa.Boolean()),
        sa.Column("continuite_economique", sa.Boolean()),
        sa.Column("date_dernier_traitement", sa.DateTime()),
        sa.PrimaryKeyConstraint("siret_predecesseur", "siret_successeur", "date_lien_succession"),
    )
    op.create_index("ix_successions_siret_successeur", "successions", ["siret_successeur"])


def _now(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    )


def _find_people_in_dead_letters() -> None:
    op.drop_column("dead_letters", "siren")
    op.add_column(
        "dead_letters",
        sa.Column(
            "sirens", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")
        ),
    )
    op.create_index("ix_dead_letters_sirens", "dead_letters", ["sirens"], postgresql_using="gin")
    # Nobody noted whose records these are, so no erasure would find them. No work is lost: the
    # sweeper has sent their pages again.
    op.execute("UPDATE dead_letters SET body = '' WHERE queue = 'sirene.write.v1'")
    op.execute("UPDATE failed_items SET payload = NULL WHERE siren IS NULL")


def _bury_single_establishments() -> None:
    op.add_column("erasures", sa.Column("siret", sa.Text()))
    op.create_check_constraint(
        op.f("ck_erasures_reason"),
        "erasures",
        "reason IN ('partial_diffusion', 'opposition', 'withdrawal')",
    )


def downgrade() -> None:
    for table in ("successions", "redirections", "schema_drift"):
        op.drop_table(table)
    op.execute("DELETE FROM erasures WHERE reason = 'withdrawal'")
    op.drop_constraint(op.f("ck_erasures_reason"), "erasures", type_="check")
    op.drop_column("erasures", "siret")
    op.drop_index("ix_dead_letters_sirens", "dead_letters")
    op.drop_column("dead_letters", "sirens")
    op.add_column("dead_letters", sa.Column("siren", sa.Text()))
