"""The keys of the portal's API; in the control database."""

from sqlalchemy import UniqueConstraint

from shared.db.tables import columns as col

api_keys = col.table(
    "api_keys",
    # SHA-256 of the key, which is random: the key itself is kept nowhere.
    col.binary("key_hash", key=True),
    # The holder, as the operator calls them.
    col.text("name", required=True),
    col.integer("per_minute", required=True),
    col.instant_now("created_at"),
    col.date("used_on"),
    # The moment at which the key is free of all that it used (GCRA, with a burst).
    col.instant_now("free_at"),
    col.instant("revoked_at"),
    UniqueConstraint("name"),
    # Each use updates the row in its place.
    fillfactor=50,
)
