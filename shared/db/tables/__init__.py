"""All tables. Columns of the register carry INSEE's names in snake_case, without suffix.

Hot tables carry no foreign keys: one transaction writes a unit, its establishments and their
pages together, and an erasure clears them together (docs/adr/0004-database.md).
"""

from shared.db.tables.base import metadata
from shared.db.tables.imports import (
    certificates,
    import_batches,
    import_pages,
    import_runs,
    insee_requests,
    quota,
    slice_receipts,
    treatment_windows,
    watermarks,
)
from shared.db.tables.insee_extras import redirections, schema_drift, successions
from shared.db.tables.money import review_budget, review_providers, review_reservations
from shared.db.tables.operations import dead_letters, failed_items, job_slots, jobs
from shared.db.tables.register import (
    etablissements,
    periodes_etablissements,
    pro_localisations,
    unites_legales,
)
from shared.db.tables.review_batches import review_batch_holds, review_batch_lines, review_batches
from shared.db.tables.shards import shard_place, shard_receipts
from shared.db.tables.stock import stock_chunks, stock_loads
from shared.db.tables.texts import (
    avis,
    avis_attempts,
    avis_simhashes,
    erasures,
    oppositions,
    sources,
)

__all__ = [
    "avis",
    "avis_attempts",
    "avis_simhashes",
    "certificates",
    "dead_letters",
    "erasures",
    "etablissements",
    "failed_items",
    "import_batches",
    "import_pages",
    "import_runs",
    "insee_requests",
    "job_slots",
    "jobs",
    "metadata",
    "oppositions",
    "periodes_etablissements",
    "pro_localisations",
    "quota",
    "redirections",
    "review_batch_holds",
    "review_batch_lines",
    "review_batches",
    "review_budget",
    "review_providers",
    "review_reservations",
    "schema_drift",
    "shard_place",
    "shard_receipts",
    "slice_receipts",
    "sources",
    "stock_chunks",
    "stock_loads",
    "successions",
    "treatment_windows",
    "unites_legales",
    "watermarks",
]
