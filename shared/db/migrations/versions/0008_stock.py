"""Loads of INSEE's monthly stock files, and the chunks of them that are stored."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    )


def upgrade() -> None:
    op.create_table(
        "stock_loads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_identity", sa.Text(), nullable=False),
        sa.Column("file_date", sa.Date(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chunk_rows", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False, server_default="staging"),
        *map(_counter, ("rows", "refused", "inserted", "updated")),
        sa.Column("vanished", sa.BigInteger()),
        sa.Column("treated_until", sa.DateTime()),
        _counter("merged_blocks"),
        sa.Column("pages_siret", sa.Text()),
        _instant("started_at"),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "collection IN ('unites_legales', 'etablissements')",
            name=op.f("ck_stock_loads_collection"),
        ),
        sa.CheckConstraint("way IN ('swap', 'merge')", name=op.f("ck_stock_loads_way")),
        sa.CheckConstraint(
            "status IN ('staging', 'staged', 'stored', 'complete', 'refused', 'abandoned')",
            name=op.f("ck_stock_loads_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_loads")),
    )
    op.create_index(
        "uq_stock_loads_open",
        "stock_loads",
        ["collection"],
        unique=True,
        postgresql_where=sa.text("status IN ('staging', 'staged')"),
    )
    op.create_table(
        "stock_chunks",
        sa.Column("load_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("refused_keys", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("refused_codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("treated_until", sa.DateTime()),
        _instant("written_at"),
        sa.ForeignKeyConstraint(
            ["load_id"], ["stock_loads.id"], name=op.f("fk_stock_chunks_load_id")
        ),
        sa.PrimaryKeyConstraint("load_id", "number", name=op.f("pk_stock_chunks")),
    )


def downgrade() -> None:
    op.drop_table("stock_chunks")
    op.drop_table("stock_loads")
