"""No table can be forgotten by the erasure."""

from shared.db.personal_columns import PERSONAL
from shared.db.tables import metadata

_NUMBERS = ("siren", "siret", "avis_id")

# A fingerprint is a number.
ERASED_TABLES = frozenset({*PERSONAL, "avis_simhashes"})
NUMBERS_ONLY_TABLES = frozenset(
    {
        "certificates",
        "import_runs",
        "import_batches",
        "shard_receipts",
        "slice_receipts",
        "stock_loads",
        "oppositions",
        "erasures",
        "redirections",
        "absences",
        "successions",
        "turns",
        "page_changes",
    }
)


def test_every_table_with_a_siren_or_siret_is_erased_or_keeps_only_numbers() -> None:
    with_numbers = {
        table.name
        for table in metadata.sorted_tables
        if any(number in column.name for column in table.columns for number in _NUMBERS)
    }
    assert with_numbers == ERASED_TABLES | NUMBERS_ONLY_TABLES
    assert not ERASED_TABLES & NUMBERS_ONLY_TABLES
