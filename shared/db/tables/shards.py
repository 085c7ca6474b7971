"""What a register in several databases needs besides."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import instant, metadata

# Which shard this database is: one row, none where it is the only one.
shard_place = Table(
    "shard_place",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("shards", SmallInteger, nullable=False),
)

# The receipt of a slice in the transaction of its rows, where that is not the one of its counters:
# whoever writes the slice again after a kill between the two reads here what became of it.
shard_receipts = Table(
    "shard_receipts",
    metadata,
    Column("batch_id", BigInteger, nullable=False),
    Column("page", Integer, nullable=False),
    Column("fetch_id", BigInteger, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("sirets", ARRAY(Text), nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    instant("written_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)
