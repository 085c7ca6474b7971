"""All tables. Columns of the register carry INSEE's names in snake_case, without suffix.

Hot tables carry no foreign keys: one transaction writes a unit, its establishments and their
pages together, and an erasure clears them together (docs/adr/0004-database.md).
"""

from shared.db.tables import (  # noqa: F401  each adds its tables
    api_keys,
    console,
    imports,
    money,
    operations,
    page_reports,
    portal,
    review_batches,
    search,
    stock,
    trades,
    webhooks,
)
from shared.db.tables.columns import metadata
from shared.db.tables.register import etablissements, pro_localisations, unites_legales
from shared.db.tables.texts import avis, oppositions

__all__ = [
    "avis",
    "etablissements",
    "metadata",
    "oppositions",
    "pro_localisations",
    "unites_legales",
]
