"""No table can be forgotten by the erasure."""

import inspect

from shared.db import lexicon
from shared.db.personal_columns import PERSONAL
from shared.db.tables import metadata

_NUMBERS = ("siren", "siret", "avis_id")

# They hold words of names, and nothing that says whose: the entries lead to them.
WORD_TABLES = frozenset({"search_lexemes", "search_prefixes"})
# They name clients of the portal, who stand in no register: a person revokes their keys, and
# removes their webhooks.
CLIENT_TABLES = frozenset({"api_keys", "webhooks"})
# They name the people who work with the console; the job `purge` deletes what is old.
STAFF_TABLES = frozenset({"console_users", "console_sessions", "console_actions"})
# A fingerprint is a number.
ERASED_TABLES = (
    frozenset({*PERSONAL, "avis_simhashes"}) - WORD_TABLES - CLIENT_TABLES - STAFF_TABLES
)
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
        "erasure_orders",
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


def test_every_table_of_words_is_erased_by_the_entries_that_lead_to_it() -> None:
    without_numbers = {
        name
        for name in PERSONAL
        if not any(
            number in column.name for column in metadata.tables[name].columns for number in _NUMBERS
        )
    }
    assert without_numbers == WORD_TABLES | CLIENT_TABLES | STAFF_TABLES
    source = inspect.getsource(lexicon)
    for name in WORD_TABLES:
        assert f"DELETE FROM {name}" in source or f"UPDATE {name}" in source
