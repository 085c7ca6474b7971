"""The additional tables of a register in several databases."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import instant, metadata

# The place of this database: one row, or none where it is the only shard.
shard_place = Table(
    "shard_place",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("shards", SmallInteger, nullable=False),
)

# The receipt of a slice whose rows and counters are in two databases, stored with the rows. After a
# kill between the two transactions, the next writer of the slice reads the outcomes here.
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
