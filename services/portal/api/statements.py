"""The statements of the API on the register; each connection prepares them once."""

from collections.abc import Iterable

from services.portal.web.connections import PreparedStatement
from shared.sirene.pages import ETABLISSEMENT_FACTS, UNITE_FACTS

PAGE_COLUMNS = (
    "slug",
    "nom",
    "nom_source",
    "activite_principale",
    "libelle_activite",
    "code_commune",
    "libelle_commune",
    "status",
)
UNITE_COLUMNS = (
    *UNITE_FACTS,
    "etat_administratif",
    "activite_principale",
    "date_dernier_traitement",
    "identifiant_association",
)
SUBJECT_COLUMNS = (
    *(f"e_{name}" for name in ETABLISSEMENT_FACTS),
    *(f"u_{name}" for name in UNITE_COLUMNS),
    *(f"p_{name}" for name in PAGE_COLUMNS),
)
# Whoever objected here is masked as INSEE masks, whatever the rows hold.
_OPPOSED = "EXISTS (SELECT FROM oppositions o WHERE o.siren = {0}.siren)"
_STATUT = f"CASE WHEN {_OPPOSED} THEN 'P' ELSE {{0}}.statut_diffusion END"


def _of(alias: str, columns: Iterable[str]) -> list[str]:
    return [
        _STATUT.format(alias) if name == "statut_diffusion" else f"{alias}.{name}"
        for name in columns
    ]


_SUBJECT = ", ".join(
    [*_of("e", ETABLISSEMENT_FACTS), *_of("u", UNITE_COLUMNS), *_of("p", PAGE_COLUMNS)]
)

SUBJECT_OF_SIRET = PreparedStatement(
    "api_subject_of_siret",
    f"""SELECT {_SUBJECT} FROM etablissements e JOIN unites_legales u ON u.siren = e.siren
        LEFT JOIN pro_localisations p ON p.siret = e.siret WHERE e.siret = $1""",
    ("text",),
)
# A slug that leads elsewhere is no page here: the page for people knows where it leads.
SUBJECT_OF_SLUG = PreparedStatement(
    "api_subject_of_slug",
    f"""SELECT {_SUBJECT} FROM pro_localisations p JOIN etablissements e ON e.siret = p.siret
        JOIN unites_legales u ON u.siren = p.siren WHERE p.slug = $1""",
    ("text",),
)
TEXTS_OF_SIRET = PreparedStatement(
    "api_texts_of_siret",
    """SELECT kind, text, label, json_ld, accepted_at FROM avis_published WHERE siret = $1""",
    ("text",),
)
RESULT_COLUMNS = {
    "id": "p.id",
    "siret": "p.siret",
    "siren": "p.siren",
    "nom": "p.nom",
    "activite_principale": "p.activite_principale",
    "libelle_activite": "p.libelle_activite",
    "code_postal": "e.code_postal",
    "code_commune": "p.code_commune",
    "libelle_commune": "p.libelle_commune",
    "departement": "e.departement",
    "region": "e.region",
    "etat": "CASE p.status WHEN 'open' THEN 'A' ELSE 'F' END",
    "siege": (
        "CASE WHEN u.nic_siege IS NULL THEN coalesce(e.siege, false) ELSE e.nic = u.nic_siege END"
    ),
    "date_creation": "CASE WHEN e.date_creation > '1900-01-01' THEN e.date_creation END",
    "tranche_effectif_salarie": "e.tranche_effectifs",
    "nature_juridique": "u.categorie_juridique",
    "page": "CASE p.status WHEN 'open' THEN '/pages/' || p.slug END",
}
# The rows of a search or list are read after it: what an erasure has taken since is not there.
RESULTS = PreparedStatement(
    "api_results",
    f"""SELECT {", ".join(RESULT_COLUMNS.values())}
       FROM pro_localisations p JOIN etablissements e ON e.siret = p.siret
         JOIN unites_legales u ON u.siren = p.siren
       WHERE p.id = ANY($1) AND p.nom IS NOT NULL
         AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O'""",
    ("bigint[]",),
)
UNITE = PreparedStatement(
    "api_unite",
    f"SELECT {', '.join(_of('u', UNITE_COLUMNS))} FROM unites_legales u WHERE u.siren = $1",
    ("text",),
)
# INSEE publishes no establishment of an objector in a list: its number alone leads to it.
ETABLISSEMENTS_OF_UNITE = PreparedStatement(
    "api_etablissements_of_unite",
    f"""SELECT {_SUBJECT} FROM etablissements e JOIN unites_legales u ON u.siren = e.siren
        LEFT JOIN pro_localisations p ON p.siret = e.siret
        WHERE e.siren = $1 AND e.siret > $2
          AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O' AND NOT {_OPPOSED.format("e")}
        ORDER BY e.siret LIMIT $3""",
    ("text", "text", "integer"),
)
# Establishments that were found, with the siège of their unit.
SUBJECTS = PreparedStatement(
    "api_subjects",
    f"""SELECT {_SUBJECT} FROM etablissements e JOIN unites_legales u ON u.siren = e.siren
        LEFT JOIN pro_localisations p ON p.siret = e.siret
        WHERE e.siren = $1 AND (e.siret = ANY($2) OR e.siret = u.siren || u.nic_siege)""",
    ("text", "text[]"),
)
COUNTS_OF_UNITES = PreparedStatement(
    "api_counts_of_unites",
    """SELECT count(*), count(*) FILTER (WHERE etat_administratif = 'A')
       FROM etablissements WHERE siren = $1 AND statut_diffusion = 'O'""",
    ("text",),
)
# The slug is that of the present row: of a page that was erased since, none is shown.
PAGES_OF_CHANGES = PreparedStatement(
    "api_pages_of_changes",
    """SELECT p.id, p.slug, p.nom IS NOT NULL AND e.statut_diffusion = 'O'
           AND u.statut_diffusion = 'O' AS is_shown
       FROM pro_localisations p JOIN etablissements e ON e.siret = p.siret
         JOIN unites_legales u ON u.siren = p.siren
       WHERE p.id = ANY($1)""",
    ("bigint[]",),
)
# GCRA with a burst: `free_at` is when the key would be free of all that it used. A row whose
# condition fails under the lock of another request is not updated.
USE_OF_KEY = PreparedStatement(
    "api_use_of_key",
    """WITH used AS (
         UPDATE api_keys SET used_on = current_date,
           free_at = greatest(free_at, clock_timestamp())
             + make_interval(secs => 60.0 * $2 / per_minute)
         WHERE key_hash = $1 AND revoked_at IS NULL
           AND free_at <= clock_timestamp() + make_interval(secs => $3)
         RETURNING key_hash)
       SELECT revoked_at IS NULL AS is_valid, EXISTS (SELECT FROM used) AS is_granted,
         extract(epoch FROM free_at - clock_timestamp())::float - $3 AS wait_seconds
       FROM api_keys WHERE key_hash = $1""",
    ("bytea", "integer", "double precision"),
)
