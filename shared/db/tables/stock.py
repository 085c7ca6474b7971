"""The stock files and how far each is loaded."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of

stock_loads = Table(
    "stock_loads",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "collection",
        Text,
        one_of("collection", "unites_legales", "etablissements"),
        nullable=False,
    ),
    Column("file_name", Text, nullable=False),
    # Size and version of the file: an interrupted load goes on only with the same one.
    Column("file_identity", Text, nullable=False),
    Column("file_date", Date, nullable=False),
    # What its rows carry as `fetched_at`.
    instant("fetched_at", nullable=False),
    # The file's rows in each chunk, refused ones included: what a chunk's number means.
    Column("chunk_rows", Integer, nullable=False),
    Column("way", Text, one_of("way", "swap", "merge"), nullable=False),
    Column(
        "status",
        Text,
        one_of("status", "staging", "staged", "stored", "complete", "refused", "abandoned"),
        nullable=False,
        server_default="staging",
    ),
    # Of the rows that the file has: those that could be read, those that could not.
    counter("rows"),
    counter("refused"),
    # What became of those that could be read.
    counter("inserted"),
    counter("updated"),
    # In the register, but not in the file; they stay.
    Column("vanished", BigInteger),
    # The highest treatment date among the rows.
    Column("treated_until", DateTime),
    # Merged up to this block of the staging table; pages renewed up to this siret.
    counter("merged_blocks"),
    Column("pages_siret", Text),
    instant("started_at", default_now=True),
    instant("finished_at"),
    # The staging table is one.
    Index(
        "uq_stock_loads_open",
        "collection",
        unique=True,
        postgresql_where=text("status IN ('staging', 'staged')"),
    ),
)

stock_chunks = Table(
    "stock_chunks",
    metadata,
    Column("load_id", BigInteger, ForeignKey("stock_loads.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    # Of the refused rows, the first ones that have a key.
    Column("refused_keys", ARRAY(Text), nullable=False),
    Column("refused_codes", ARRAY(Text), nullable=False),
    Column("treated_until", DateTime),
    instant("written_at", default_now=True),
    PrimaryKeyConstraint("load_id", "number"),
)
