"""The SQL of the pages. A version names the state of every row that a page is made of."""

from services.portal.pages.subject import PAGE_COLUMNS
from services.portal.web.connections import PreparedStatement
from shared.sirene.pages import ETABLISSEMENT_FACTS, UNITE_FACTS

# No transaction writes a row twice under one number that others could see: `xmin` of each row is
# its version, without a column or a trigger. A row that comes or goes changes the list. Another
# server may give the same numbers to other transactions: a replica that took over before it had all
# of them, or a backup of the files. So it says of which server, by its start.
_VERSION = """concat_ws('.', (SELECT extract(epoch FROM pg_postmaster_start_time())),
      p.xmin, e.xmin, u.xmin,
      (SELECT o.xmin::text FROM oppositions o WHERE o.siren = p.siren),
      '/', (SELECT string_agg(a.xmin::text, '.' ORDER BY a.kind) FROM avis a
        WHERE a.pro_localisation_id = p.id),
      '/', (SELECT string_agg(h.xmin::text, '.' ORDER BY h.rang) FROM periodes_etablissements h
        WHERE h.siret = p.siret))"""
_ROWS = """pro_localisations p
    JOIN etablissements e ON e.siret = p.siret JOIN unites_legales u ON u.siren = p.siren"""

VERSIONS = PreparedStatement(
    "page_versions",
    f"SELECT p.slug, {_VERSION} FROM {_ROWS} WHERE p.slug = ANY($1) AND p.status = 'open'",
    ("text[]",),
)
PAGE = PreparedStatement(
    "page_rows",
    f"""
    SELECT {_VERSION},
      {", ".join(f"p.{name}" for name in PAGE_COLUMNS)},
      {", ".join(f"e.{name}" for name in ETABLISSEMENT_FACTS)},
      {", ".join(f"u.{name}" for name in UNITE_FACTS)},
      EXISTS (SELECT FROM oppositions o WHERE o.siren = p.siren),
      e.nombre_periodes, least(e.fetched_at, u.fetched_at),
      (SELECT json_agg(json_build_array(v.kind, v.text, v.label, v.json_ld_script)
          ORDER BY v.kind)
        FROM avis_published v WHERE v.siret = p.siret),
      (SELECT json_agg(json_build_array(h.date_debut, h.date_fin, h.etat_administratif,
          h.activite_principale, h.nomenclature_activite_principale,
          h.enseigne1, h.enseigne2, h.enseigne3, h.denomination_usuelle) ORDER BY h.rang)
        FROM periodes_etablissements h WHERE h.siret = p.siret)
    FROM {_ROWS}
    WHERE p.slug = $1 AND p.status = 'open'""",
    ("text",),
)
# The page of a siret, whatever slug was asked for, and where INSEE says that a duplicate leads.
MOVED = PreparedStatement(
    "page_moved",
    """
    SELECT p.slug, p.status, p.nom IS NOT NULL, p.libelle_commune, r.siret IS NOT NULL,
      coalesce(r.to_siret,
        (SELECT k.to_siret FROM page_redirects k WHERE k.slug = p.slug))
    FROM (SELECT $1 AS slug, $2 AS siret) asked
    LEFT JOIN page_redirects r ON r.slug = asked.slug
    LEFT JOIN pro_localisations p ON p.siret = coalesce(r.siret, asked.siret)""",
    ("text", "text"),
)
# Search engines may keep this: a page with a name, a text, and no person's name unless allowed.
_LISTED = """p.status = 'open' AND p.nom IS NOT NULL
      AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O'
      AND (u.categorie_juridique <> '1000' OR $3)"""
SITEMAP_PAGES = PreparedStatement(
    "sitemap_pages",
    f"""
    SELECT p.slug, greatest(v.accepted_at, e.updated_at)::date
    FROM {_ROWS} CROSS JOIN LATERAL (
      SELECT accepted_at FROM avis_published
      WHERE siret = p.siret AND kind = 'notice' LIMIT 1) v
    WHERE p.id >= $1 AND p.id < $2 AND {_LISTED}
    ORDER BY p.id""",
    ("bigint", "bigint", "boolean"),
)
# The ranges of ids that hold a page, each found by one probe of the key.
SITEMAP_RANGES = PreparedStatement(
    "sitemap_ranges",
    """
    WITH RECURSIVE ranges (n) AS (
      SELECT min(id) / $1 FROM pro_localisations
      UNION ALL
      SELECT (SELECT min(id) / $1 FROM pro_localisations WHERE id >= (n + 1) * $1)
      FROM ranges WHERE n IS NOT NULL)
    SELECT n FROM ranges WHERE n IS NOT NULL""",
    ("bigint",),
)
SITEMAP_RANGE_EXISTS = PreparedStatement(
    "sitemap_range_exists",
    "SELECT 1 FROM pro_localisations WHERE id >= $1 AND id < $2 LIMIT 1",
    ("bigint", "bigint"),
)
# Rows of hits: what may not be listed any more drops out here, whatever an index still holds.
HITS = PreparedStatement(
    "listed_pages",
    f"""
    SELECT p.id, p.slug, p.siret, p.nom, p.nom_source, p.libelle_activite, p.libelle_commune,
      p.code_commune, u.sigle, u.categorie_juridique, e.code_postal
    FROM {_ROWS}
    WHERE p.id = ANY($1) AND p.status = 'open' AND p.nom IS NOT NULL
      AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O'""",
    ("bigint[]",),
)
HAS_PAGE = PreparedStatement(
    "has_page", "SELECT slug FROM pro_localisations WHERE siret = $1", ("text",)
)
OPEN_REPORTS = PreparedStatement(
    "open_reports",
    "SELECT count(*) FROM page_reports WHERE siret = $1 AND done_at IS NULL",
    ("text",),
)
ADD_REPORT = PreparedStatement(
    "add_report",
    "INSERT INTO page_reports (siret, siren, kind, message, contact)"
    " VALUES ($1, left($1, 9), $2, $3, $4)",
    ("text", "text", "text", "text"),
)
