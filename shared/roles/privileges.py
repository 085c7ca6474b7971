"""The one table of what each role may do in PostgreSQL (pure): role, table, privileges.

A role has what its service does, and no more; `tests/integration/roles` runs the services' own
tests as these roles. Commands of people run as the owner, `migrate`. A column is named where the
rest of the row is none of the role's business: people's data, or what only another service writes.
`FOR UPDATE` and `FOR SHARE` need the right to update one column: those roles have one that tells
nothing.
"""

from collections.abc import Mapping

OWNER = "migrate"
SERVICES = ("fetcher", "writer", "reviewer", "operator")
"""The roles of services, named like them."""
CONSOLE = "console"
"""People act through the console, which does the same as their commands."""
PORTAL, INDEXER = "portal", "indexer"
"""The portal serves pages and answers searches; its indexer writes what they search in."""
EXPORTER, READER = "exporter", "reader"
USERS = (OWNER, *SERVICES, CONSOLE, PORTAL, INDEXER, READER)
"""The roles that have a URL of their own; the exporter has its password alone."""
ROLES = (*USERS, EXPORTER)

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_KEEP = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
Privileges = Mapping[str, str]

# Every service compares the schema and its place with its settings before it starts, and each new
# connection looks whether the database was restored.
_SCHEMA: Privileges = dict.fromkeys(("alembic_version", "restore_marks", "shard_place"), _READ)
# These say that a commune is complete (shared/imports/completeness.py).
_COMPLETENESS: Privileges = {
    **dict.fromkeys(
        ("certificates", "import_runs", "stock_chunks", "stock_loads"),
        _READ,
    ),
    **dict.fromkeys(("treatment_windows", "watermarks"), _READ),
}
# The newest period says in which scope INSEE lists an establishment (shared/imports/listed.py).
_LISTED_PERIODS = "SELECT (siret, rang, activite_principale, etat_administratif)"
# An event of an avis ends its claim and keeps its text (`RESET` in shared/avis.py).
_AVIS_EVENT = (
    "UPDATE (outcome, claim_token, lease_until, published_at, attempts, renewal_rank, updated_at)"
)

_FETCHER: Privileges = {
    **_SCHEMA,
    **dict.fromkeys(
        (
            "import_batches",
            "import_pages",
            "import_runs",
            "quota",
            "treatment_windows",
            "watermarks",
        ),
        _KEEP,
    ),
    **dict.fromkeys(
        ("absences", "insee_requests", "page_redirects", "redirections", "service_heartbeats"),
        _ALL,
    ),
    **dict.fromkeys(("slice_receipts", "stock_loads", "turns"), _READ),
    # Places and activities tell which stored establishments a delta must ask for by number.
    "etablissements": (
        "SELECT (siret, siren, departement, code_commune, activite_principale,"
        " activite_principale_naf25, etat_administratif, tranche_effectifs),"
        " UPDATE (content_hash)"
    ),
    "periodes_etablissements": _LISTED_PERIODS,
    "unites_legales": "SELECT (siren, tranche_effectifs), UPDATE (updated_at)",
    "pro_localisations": "SELECT (siret, siren, slug, status), UPDATE (status, closed_at)",
    "avis": f"SELECT (siret, outcome, text), {_AVIS_EVENT}",
    "failed_items": "SELECT (kind, key, created_at, resolved_at)",
    # A trigger of etablissements notes what a change does to the counts of trades.
    "trade_count_changes": "INSERT",
}

_WRITER: Privileges = {
    **_SCHEMA,
    **dict.fromkeys(
        (
            "avis",
            "dead_letters",
            "etablissements",
            "failed_items",
            "leases",
            "pro_localisations",
            "shard_receipts",
            "trade_counts",
            "unites_legales",
        ),
        _KEEP,
    ),
    **dict.fromkeys(
        ("page_redirects", "periodes_etablissements", "service_heartbeats", "turns"),
        _ALL,
    ),
    **dict.fromkeys(("schema_drift", "slice_receipts"), _ADD),
    "absences": _READ,
    # It carries out the erasures that people order.
    "oppositions": _ADD,
    "erasure_orders": "SELECT, UPDATE",
    **dict.fromkeys(("import_batches", "import_pages", "import_runs"), "SELECT, UPDATE"),
    **dict.fromkeys(("erasures", "trade_count_changes", "unknown_codes"), f"{_ADD}, DELETE"),
    # An erasure empties what other services made of a person.
    **dict.fromkeys(("avis_attempts", "avis_simhashes"), "SELECT, UPDATE, DELETE"),
    **dict.fromkeys(("avis_orders", "page_reports", "sources"), "SELECT, DELETE"),
    "review_batch_lines": "SELECT (avis_id, facts_hash), UPDATE (facts_hash)",
    # An erasure takes away what the portal's index has of whom it erases.
    "search_entries": "SELECT (pro_localisation_id, siren, siret, person, terms), DELETE",
    "search_lexemes": "SELECT (lexeme, documents), UPDATE (documents), DELETE",
    "search_prefixes": "SELECT, UPDATE (lexemes)",
}

_REVIEWER: Privileges = {
    **_SCHEMA,
    **_COMPLETENESS,
    **dict.fromkeys(
        (
            "context_sweeps",
            "failed_items",
            "leases",
            "prompt_debuts",
            "review_batches",
            "review_providers",
        ),
        _KEEP,
    ),
    **dict.fromkeys(
        (
            "avis_simhashes",
            "review_batch_holds",
            "review_batch_lines",
            "review_reservations",
            "service_heartbeats",
        ),
        _ALL,
    ),
    **dict.fromkeys(("avis", "avis_orders"), "SELECT, UPDATE"),
    # The cap, and the renewals of a day, are people's to set.
    "review_budget": (
        "SELECT, UPDATE (reserved_eur, spent_eur, status, paused_because, sample_ids, changed_at,"
        " renewals_arrival_at)"
    ),
    **dict.fromkeys(
        ("periodes_etablissements", "successions", "trade_count_changes", "trade_counts"),
        _READ,
    ),
    "avis_attempts": _ADD,
    "oppositions": "SELECT (siren)",
    "sources": f"{_READ}, UPDATE (read_at)",
    # It locks the rows that a text is about, and changes nothing of the register.
    **dict.fromkeys(("etablissements", "unites_legales"), f"{_READ}, UPDATE (updated_at)"),
    "pro_localisations": f"{_READ}, UPDATE (opened_at)",
}

_OPERATOR: Privileges = {
    **_SCHEMA,
    **_COMPLETENESS,
    **dict.fromkeys(
        (
            "context_sweeps",
            "import_batches",
            "import_pages",
            "insee_requests",
            "quota",
            "restore_drills",
            "review_budget",
            "review_providers",
            "schema_drift",
            "shard_receipts",
            "slice_receipts",
            "trade_counts",
            "turns",
            "unknown_codes",
        ),
        _READ,
    ),
    **dict.fromkeys(("import_runs", "trade_count_changes"), _ADD),
    **dict.fromkeys(("job_slots", "jobs", "service_heartbeats"), _ALL),
    "page_changes": "SELECT, DELETE",
    # One that an older release set into the future is brought back wherever it is read.
    "watermarks": "SELECT, UPDATE (treated_until, made_available_at)",
    "failed_items": "SELECT, UPDATE, DELETE",
    "dead_letters": "SELECT (id, archived_at, replayed_at)",
    "avis": _KEEP,
    # Reviews that their site keeps no longer go, with what quotes them.
    "sources": "SELECT (siret, published_on, retention_days), DELETE",
    "withdrawn_reviews": "SELECT, DELETE",
    "avis_attempts": "SELECT (avis_id, text, text_digest), UPDATE (text)",
    "avis_orders": "SELECT (siret, kind), DELETE",
    "oppositions": "SELECT (siren)",
    "page_reports": "SELECT (reported_at, done_at), DELETE",
    "console_sessions": "SELECT (expires_at), DELETE",
    "console_actions": "SELECT (done_at), DELETE",
    "pro_localisations": "SELECT (id, siret, siren, status)",
    "etablissements": (
        "SELECT (siret, siren, code_commune, activite_principale,"
        " activite_principale_naf25, nomenclature_activite_principale, etat_administratif,"
        " tranche_effectifs, departement)"
    ),
    "periodes_etablissements": _LISTED_PERIODS,
    "unites_legales": "SELECT (siren, tranche_effectifs)",
}

# It looks at the whole system, and acts by the functions and orders of the commands. A person makes
# accounts by a command.
_CONSOLE: Privileges = {
    **_SCHEMA,
    **_COMPLETENESS,
    "console_users": "SELECT, UPDATE (password_hash, is_one_time, failures, locked_until)",
    "console_sessions": "SELECT, INSERT, UPDATE (notice), DELETE",
    "console_actions": _ADD,
    # The look of `monitor`, and the list of runs.
    **dict.fromkeys(
        (
            "context_sweeps",
            "insee_requests",
            "job_slots",
            "jobs",
            "quota",
            "restore_drills",
            "review_providers",
            "schema_drift",
            "service_heartbeats",
            "slice_receipts",
            "trade_counts",
            "unknown_codes",
        ),
        _READ,
    ),
    # Editors read all that is held about a unit.
    **dict.fromkeys(
        (
            "absences",
            "avis_attempts",
            "erasures",
            "etablissements",
            "oppositions",
            "page_redirects",
            "periodes_etablissements",
            "prompt_debuts",
            "review_batch_holds",
            "review_batches",
            "review_reservations",
            "sources",
            "turns",
        ),
        _READ,
    ),
    # An item that is tried again, and the import or the avis that does it.
    "failed_items": "SELECT, UPDATE (retries, next_attempt_at, resolved_at, closed_because)",
    # A person orders, pauses, resumes and cancels runs, and repairs what a certificate found.
    "import_runs": (
        "SELECT, INSERT, UPDATE (halted_at, halted_by, halted_because, status, completed_at, error)"
    ),
    "import_batches": "SELECT, UPDATE (status, completed_at)",
    "import_pages": "SELECT, UPDATE (moved_at)",
    "certificates": "SELECT, UPDATE (repair_run_id)",
    "treatment_windows": "SELECT, UPDATE (settled_at)",
    "watermarks": _KEEP,
    "pro_localisations": "SELECT, UPDATE (status, closed_at)",
    "unites_legales": "SELECT, UPDATE (updated_at)",
    "avis": f"SELECT, {_AVIS_EVENT}",
    # A letter that is replayed is published as it is.
    "dead_letters": "SELECT, UPDATE (replayed_at), DELETE",
    # Reviewers and writers carry these orders out.
    "avis_orders": (
        "SELECT, INSERT (siret, siren, kind, verb, ordered_by, reason, text, override, seen)"
    ),
    "erasure_orders": "SELECT, INSERT (siren, reason)",
    "page_reports": "SELECT, UPDATE (done_at)",
    "review_budget": "SELECT, UPDATE (cap_eur, status, paused_because, sample_ids, changed_at)",
    "search_entries": "SELECT (pro_localisation_id, terms)",
}

# Numbers for dashboards and scaling, and the texts that are published.
_READER: Privileges = {
    **_SCHEMA,
    **_COMPLETENESS,
    **dict.fromkeys(
        (
            "avis_published",
            "context_sweeps",
            "import_batches",
            "insee_requests",
            "job_slots",
            "jobs",
            "quota",
            "restore_drills",
            "review_budget",
            "review_providers",
            "schema_drift",
            "trade_count_changes",
            "trade_counts",
            "unknown_codes",
        ),
        _READ,
    ),
    "avis": "SELECT (id, kind, outcome, published_at, accepted_at, held_at, renewal_rank)",
}

# The rows that a page shows, and the log of their changes.
_PAGES: Privileges = {
    **_SCHEMA,
    **dict.fromkeys(
        (
            "avis_published",
            "etablissements",
            "page_changes",
            "page_redirects",
            "pro_localisations",
            "unites_legales",
        ),
        _READ,
    ),
}

_PORTAL: Privileges = {
    **_PAGES,
    **dict.fromkeys(("periodes_etablissements", "watermarks"), _READ),
    # The beginning of the first import, and the end of the last.
    "import_runs": "SELECT (id, kind, status, created_at, completed_at)",
    "stock_loads": "SELECT (status, finished_at)",
    # It looks for the version of each row that a page is made of; texts it has from the view.
    "avis": "SELECT (pro_localisation_id, kind, xmin)",
    "oppositions": "SELECT (siren, xmin)",
    # A person makes and revokes keys; each use moves the row on.
    "api_keys": "SELECT, UPDATE (free_at, used_on)",
    # Readers report; people read it by a command.
    "page_reports": "SELECT (siret, done_at), INSERT (siret, siren, kind, message, contact)",
    **dict.fromkeys(
        ("search_cursors", "search_entries", "search_lexemes", "search_prefixes"),
        _READ,
    ),
}

# Locks on units keep an erasure and the indexer apart; the column tells nothing.
_INDEXER: Privileges = {
    **_SCHEMA,
    "page_changes": _READ,
    "leases": _KEEP,
    "service_heartbeats": _ALL,
    "search_entries": "SELECT, INSERT, DELETE",
    **dict.fromkeys(("search_cursors", "search_lexemes", "search_prefixes"), _ALL),
    "pro_localisations": (
        "SELECT (id, siret, siren, slug, nom, libelle_commune, code_commune, activite_principale,"
        " status)"
    ),
    # A person adds receivers; whoever sends pauses those that are gone.
    "webhooks": (
        "SELECT (id, url, secret, kinds, departements, paused_because), UPDATE (paused_because)"
    ),
    "webhook_places": "SELECT, UPDATE",
    "webhook_attempts": "SELECT, INSERT, DELETE",
    "etablissements": (
        "SELECT (siret, siren, nic, statut_diffusion, departement, region, code_postal,"
        " tranche_effectifs, siege, date_creation, coordonnee_lambert_abscisse,"
        " coordonnee_lambert_ordonnee, enseigne1, enseigne2, enseigne3, denomination_usuelle)"
    ),
    "unites_legales": (
        "SELECT (siren, statut_diffusion, denomination, sigle, nom, nom_usage, prenom1,"
        " prenom_usuel, categorie_juridique, nic_siege), UPDATE (updated_at)"
    ),
    "oppositions": "SELECT (siren)",
}

PRIVILEGES: Mapping[str, Privileges] = {
    # It owns the database and all that is in it.
    OWNER: {},
    "fetcher": _FETCHER,
    "writer": _WRITER,
    "reviewer": _REVIEWER,
    "operator": _OPERATOR,
    CONSOLE: _CONSOLE,
    PORTAL: _PORTAL,
    INDEXER: _INDEXER,
    # PostgreSQL's own role `pg_monitor` is all it has.
    EXPORTER: {},
    READER: _READER,
}
SEQUENCES: Mapping[str, Privileges] = {
    # Ids of pages are taken before their rows are copied. Other tables number their own rows.
    "writer": {"pro_localisations_id_seq": "USAGE"},
}
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    # The view of published texts asks it, whoever reads the view.
    "avis_may_be_shown(text, text)": ("PUBLIC",),
    # It escapes them for a page.
    "html_of(text)": ("PUBLIC",),
    "script_of(jsonb)": ("PUBLIC",),
    # A generated column of the attempts: who writes their text.
    "avis_text_digest(text)": ("writer", "reviewer", "operator"),
    # Triggers run it.
    "note_trades()": (),
    "note_pages()": (),
    "note_etablissements()": (),
    "note_unites_legales()": (),
    "note_periodes()": (),
    "note_oppositions()": (),
    "note_texts()": (),
    "note_redirects()": (),
    # It empties a list that only the owner of an index may empty.
    "clean_search_entries()": (INDEXER,),
}
TEMPORARY = ("writer",)
"""The roles that make temporary tables."""
