"""The tables of the portal. Each lives beside its pages, in their shard."""

from sqlalchemy import PrimaryKeyConstraint

from shared.db.tables import columns as col

# One row for each page that a transaction changed. Triggers write it in that transaction; it holds
# numbers alone. `shared.page_changes` reads it in the order in which transactions may be seen.
page_changes = col.table(
    "page_changes",
    # The transaction that made the change, as `pg_current_xact_id` numbers it.
    col.bigint("xid", "pro_localisation_id", required=True),
    col.text("siret", required=True),
    col.one_of("kind", "opened", "changed", "closed", "erased", "text"),
    col.instant_now("changed_at"),
    PrimaryKeyConstraint("xid", "pro_localisation_id"),
)
