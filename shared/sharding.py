"""Which shard holds a unit: siren → bucket → shard. Pure.

Whatever names a unit lives in its shard: one slice, one claim and one erasure each stay one
transaction of one database (docs/adr/0011-shards.md).
"""

import hashlib

BUCKETS = 64

SHARD_TABLES = frozenset(
    {
        "unites_legales",
        "etablissements",
        "periodes_etablissements",
        "pro_localisations",
        "avis",
        "avis_attempts",
        "avis_simhashes",
        "review_batches",
        "review_batch_lines",
        "sources",
        "failed_items",
        "oppositions",
        "erasures",
        "shard_place",
        "shard_receipts",
    }
)
"""Every other table is read in the control database only, and stays empty in a shard."""


def bucket_of(siren: str) -> int:
    """A number below `BUCKETS`, for good: rows are where it says.

    In SQL, on every version of PostgreSQL: `get_byte(sha256(siren::bytea), 0) % 64`.
    """
    return hashlib.sha256(siren.encode()).digest()[0] % BUCKETS


def route(siren: str, shards: int) -> int:
    """The shard that holds a unit, of `shards`, which is a power of two up to `BUCKETS`."""
    return bucket_of(siren) * shards // BUCKETS if shards > 1 else 0


def buckets_of(shard: int, shards: int) -> range:
    """The buckets of a shard side by side, so that twice as many shards split each in two."""
    return range(shard * BUCKETS // shards, (shard + 1) * BUCKETS // shards)
