"""The columns that may hold people's data, and those that were found free of it.

A test reads the catalogue of a live database, staging and temporary tables included, and fails for
a column of text that stands in neither list. PostgreSQL keeps no statistics of personal columns:
`pg_stats` would show their values after an erasure (docs/adr/0009-erasure.md).
"""

from collections.abc import Iterable, Mapping

from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    SIGN_FIELDS,
)

STAGING = ("stock_unites_legales", "stock_etablissements")
"""The tables that only an interrupted `stock` leaves behind: no backup holds them."""

PERSONAL: Mapping[str, tuple[str, ...]] = {
    "unites_legales": PERSONAL_UNITE_FIELDS,
    "etablissements": PERSONAL_ETABLISSEMENT_FIELDS,
    "periodes_etablissements": SIGN_FIELDS,
    "pro_localisations": ("slug", "nom"),
    "page_redirects": ("slug",),
    "page_reports": ("message", "contact"),
    "avis": (
        *("facts_hash", "accepted_facts_hash", "context_hash"),
        *("text", "display_name", "json_ld"),
    ),
    "avis_attempts": ("facts_hash", "facts", "text"),
    "avis_orders": ("ordered_by", "reason", "text", "refusal", "seen"),
    "sources": ("url", "author_label", "verbatim", "review_id", "doubt_url"),
    "review_batch_lines": ("facts_hash",),
    "failed_items": ("payload", "message"),
    "dead_letters": ("body",),
    "search_entries": ("nom", "names", "code_postal", "x", "y", "terms"),
    "search_lexemes": ("lexeme", "variants"),
    "search_prefixes": ("prefix", "lexemes"),
    # A holder of a key may be a person.
    "api_keys": ("name",),
    "webhooks": ("name", "url", "secret"),
    # People who work with the console.
    "console_users": ("login", "password_hash"),
    "console_sessions": ("csrf", "notice"),
    "console_actions": ("login",),
}
# Numbers of the register, codes, words of ours, digests that nobody can read a name from.
_FREE: Mapping[str, str] = {
    "unites_legales": """siren statut_diffusion etat_administratif categorie_juridique
        activite_principale nomenclature_activite_principale activite_principale_naf25
        identifiant_association economie_sociale_solidaire societe_mission caractere_employeur
        tranche_effectifs annee_effectifs nic_siege categorie_entreprise
        annee_categorie_entreprise content_hash""",
    "etablissements": """siret siren nic statut_diffusion etat_administratif tranche_effectifs
        annee_effectifs activite_principale_registre_metiers activite_principale
        nomenclature_activite_principale activite_principale_naf25 caractere_employeur
        libelle_commune libelle_commune_etranger code_commune code_pays_etranger
        libelle_pays_etranger libelle_commune2 libelle_commune_etranger2 code_commune2
        code_pays_etranger2 libelle_pays_etranger2 departement region content_hash""",
    "periodes_etablissements": """siret siren etat_administratif activite_principale
        nomenclature_activite_principale caractere_employeur""",
    "turns": "siret",
    "pro_localisations": """siret siren activite_principale code_commune nom_source
        libelle_activite libelle_commune status""",
    "page_redirects": "siret siren to_siret",
    "page_reports": "siret siren kind",
    "page_changes": "siret kind",
    "schema_drift": "key",
    "unknown_codes": "field code",
    "redirections": "siren_or_siret target",
    "absences": "siret siren answer target",
    "successions": "siret_predecesseur siret_successeur",
    "avis": """siret siren kind outcome label digital_source_type model prompt_version
        held_because""",
    "avis_attempts": "siren provider model prompt_version text_digest reasons",
    "avis_orders": "siret siren kind verb status",
    "prompt_debuts": "model prompt_version",
    "sources": """digest siret siren licence site verification verification_description
        modification refusal_grounds""",
    "withdrawn_reviews": "digest url_digest",
    # The reason is for the audit; the manual asks for a file number there.
    "oppositions": "siren reason",
    "erasures": "siren siret reason",
    "erasure_orders": "siren reason status refusal",
    "review_batches": """provider model prompt_version structured_output state remote_id
        failed_because""",
    "review_batch_lines": "provider reasons",
    "review_batch_holds": "provider",
    "review_providers": "name model prompt_version",
    "review_budget": "status paused_because",
    "review_reservations": "provider",
    "quota": "key_fingerprint",
    # `halted_by` is the login of whoever runs Sirenade.
    "import_runs": """departements communes activites etat_administratif siret_from siret_to sirets
        kind warning status error halted_by halted_because""",
    "import_batches": """query departement code_commune activite_principale etat_administratif
        siret_from siret_to sirets collection status error missing_sirets surplus_sirets""",
    "treatment_windows": "collection",
    "watermarks": "collection",
    "insee_requests": "key_fingerprint",
    "import_pages": "cursor next_cursor",
    "slice_receipts": "sirets",
    "shard_receipts": "sirets",
    "certificates": """scope windows status reason missing_sirets surplus_sirets gone_sirets
        altered_sirets altered_columns""",
    "stock_loads": "collection file_name file_identity way status pages_siret",
    "stock_chunks": "refused_keys refused_codes refused_columns",
    "trade_counts": "code_commune activite_principale nomenclature_activite_principale",
    "trade_count_changes": "code_commune activite_principale nomenclature_activite_principale",
    "failed_items": "kind key siren code closed_because",
    "dead_letters": "queue message_id actor sirens reason",
    "search_entries": """siret siren libelle_commune code_commune activite_principale departement
        region tranche_effectifs categorie_juridique""",
    "search_cursors": "consumer position",
    "api_keys": "key_hash",
    "webhooks": "kinds departements paused_because",
    "webhook_places": "position",
    "webhook_attempts": "message_id outcome",
    "console_users": "role",
    "console_sessions": "token_hash",
    "console_actions": "action subject",
    "job_slots": "job slot status result error",
    "jobs": "job schedule",
    "leases": "name",
    "service_heartbeats": "service instance version",
    "restore_drills": "backup_id outcome result",
    "restore_marks": "backup_id",
    "alembic_version": "version_num",
}
FREE: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split()) for name, words in _FREE.items()
}

TWINS: Mapping[str, tuple[str, ...]] = {
    "stock_unites_legales": ("unites_legales",),
    "stock_etablissements": ("etablissements",),
    "stock_trades": ("trade_counts",),
    # These are temporary, and empty at the end of each transaction.
    "new_unites": ("unites_legales",),
    "new_etablissements": ("etablissements",),
    "new_periodes": ("periodes_etablissements",),
    "new_pages": ("pro_localisations", "avis"),
    "stock_due": ("unites_legales", "etablissements"),
}
"""Tables with the columns of others."""


def keep_no_statistics(table: str, columns: Iterable[str]) -> str:
    """Return the statement after which ANALYZE passes over these columns of the table."""
    altered = ", ".join(f"ALTER {column} SET STATISTICS 0" for column in columns)
    return f"ALTER TABLE {table} {altered}"
