"""The loads of stock files and their progress."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of, own_id

stock_loads = Table(
    "stock_loads",
    metadata,
    own_id(),
    one_of("collection", "unites_legales", "etablissements"),
    Column("file_name", Text, nullable=False),
    # Size and version of the file: an interrupted load goes on only with the same file.
    Column("file_identity", Text, nullable=False),
    Column("file_date", Date, nullable=False),
    # The `fetched_at` of its rows.
    instant("fetched_at", nullable=False),
    # The file's rows in each chunk, refused ones included: it gives a chunk's number its meaning.
    Column("chunk_rows", Integer, nullable=False),
    one_of("way", "swap", "merge"),
    one_of(
        "status",
        "staging",
        "staged",
        "stored",
        "complete",
        "refused",
        "abandoned",
        default="staging",
    ),
    # The rows of the file that could be read, and those that could not.
    counter("rows"),
    counter("refused"),
    # The outcomes of the rows that could be read.
    counter("inserted"),
    counter("updated"),
    # Rows of the register that the file lacks; they stay.
    Column("vanished", BigInteger),
    # The highest treatment date among the rows.
    Column("treated_until", DateTime),
    # The last merged block of the staging table; the last siret whose pages were renewed.
    counter("merged_blocks"),
    Column("pages_siret", Text),
    instant("started_at", default_now=True),
    instant("finished_at"),
    # There is one staging table for each collection.
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
    # The first refused rows that have a key.
    Column("refused_keys", ARRAY(Text), nullable=False),
    Column("refused_codes", ARRAY(Text), nullable=False),
    Column("treated_until", DateTime),
    instant("written_at", default_now=True),
    PrimaryKeyConstraint("load_id", "number"),
)
