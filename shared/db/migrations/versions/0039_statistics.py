"""Keep no statistics of columns that hold people's data.

PostgreSQL leaves the statistics that it has; `shared.db.server_copies` deletes them.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0039"
down_revision: str | None = "0042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PERSONAL = {
    "unites_legales": """denomination sigle denomination_usuelle1 denomination_usuelle2
        denomination_usuelle3 sexe nom nom_usage prenom1 prenom2 prenom3 prenom4 prenom_usuel
        pseudonyme""",
    "etablissements": """enseigne1 enseigne2 enseigne3 denomination_usuelle complement_adresse
        numero_voie indice_repetition type_voie libelle_voie code_postal distribution_speciale
        code_cedex libelle_cedex complement_adresse2 numero_voie2 indice_repetition2 type_voie2
        libelle_voie2 code_postal2 distribution_speciale2 code_cedex2 libelle_cedex2
        dernier_numero_voie indice_repetition_dernier_numero_voie identifiant_adresse
        coordonnee_lambert_abscisse coordonnee_lambert_ordonnee""",
    "periodes_etablissements": "enseigne1 enseigne2 enseigne3 denomination_usuelle",
    "pro_localisations": "slug nom",
    "page_redirects": "slug",
    "avis": "facts_hash accepted_facts_hash context_hash text display_name json_ld",
    "avis_attempts": "facts_hash facts text",
    "avis_orders": "ordered_by reason text refusal",
    "sources": "url author_label verbatim review_id doubt_url",
    "review_batch_lines": "facts_hash",
    "failed_items": "payload message",
    "dead_letters": "body",
}


def upgrade() -> None:
    for table, columns in _PERSONAL.items():
        altered = ", ".join(f"ALTER {column} SET STATISTICS 0" for column in columns.split())
        op.execute(f"ALTER TABLE {table} {altered}")
