"""The shard of a unit: siren → bucket → shard. Pure.

Every row that names a unit lives in the unit's shard, so that a slice, a claim and an erasure are
each one transaction of one database (docs/adr/0011-shards.md).
"""

import hashlib

BUCKETS = 64

SHARD_TABLES = frozenset(
    {
        "unites_legales",
        "etablissements",
        "periodes_etablissements",
        "turns",
        "search_cursors",
        "search_entries",
        "search_lexemes",
        "search_prefixes",
        "trade_counts",
        "trade_count_changes",
        "pro_localisations",
        "page_redirects",
        "page_reports",
        "page_changes",
        "absences",
        "avis",
        "avis_attempts",
        "avis_orders",
        "avis_simhashes",
        "context_sweeps",
        "prompt_debuts",
        "review_batches",
        "review_batch_lines",
        "sources",
        "withdrawn_reviews",
        "failed_items",
        "oppositions",
        "erasures",
        "erasure_orders",
        "shard_place",
        "shard_receipts",
    }
)
"""Tables of the shards; every other table is used in the control database only."""


def bucket_of(siren: str) -> int:
    """Return a number below `BUCKETS`. It never changes: rows are stored by it.

    In SQL, on every version of PostgreSQL: `get_byte(sha256(siren::bytea), 0) % 64`.
    """
    return hashlib.sha256(siren.encode()).digest()[0] % BUCKETS


def route(siren: str, shards: int) -> int:
    """Return the unit's shard; `shards`, their number, is a power of two up to `BUCKETS`."""
    return bucket_of(siren) * shards // BUCKETS if shards > 1 else 0


def buckets_of(shard: int, shards: int) -> range:
    """Return a shard's buckets: neighbours, so that twice as many shards split each in two."""
    return range(shard * BUCKETS // shards, (shard + 1) * BUCKETS // shards)
