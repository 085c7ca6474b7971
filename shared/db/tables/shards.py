"""The additional tables of a register in several databases."""

from sqlalchemy import Column, PrimaryKeyConstraint, SmallInteger

from shared.db.tables import columns as col
from shared.db.tables.base import table

# The place of this database: one row, or none where it is the only shard.
shard_place = table(
    "shard_place",
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    col.smallint("shards", required=True),
)

# The receipt of a slice whose rows and counters are in two databases, stored with the rows. After a
# kill between the two transactions, the next writer of the slice reads the outcomes here.
shard_receipts = table(
    "shard_receipts",
    col.bigint("batch_id", required=True),
    col.integer("page", required=True),
    col.bigint("fetch_id", required=True),
    col.integer("slice", "records", required=True),
    col.texts("sirets", required=True),
    col.integer("inserted", "updated", "unchanged", "failed", required=True),
    col.instant_now("written_at"),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)
