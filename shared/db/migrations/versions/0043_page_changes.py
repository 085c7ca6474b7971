"""Note each change of what a page shows, in the transaction of the change.

Triggers write the notes, so that no statement can forget them (docs/adr/0035-portal.md). They run
as the owner: no other role may write into the log.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0043"
down_revision: str | None = "0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PAGE = """
    slug nom nom_source activite_principale libelle_activite code_commune libelle_commune status
"""
# The date of INSEE's treatment is not here: no page shows it.
_UNITE = """
    statut_diffusion unite_purgee etat_administratif date_creation categorie_juridique
    denomination sigle denomination_usuelle1 denomination_usuelle2 denomination_usuelle3 sexe
    nom nom_usage prenom1 prenom2 prenom3 prenom4 prenom_usuel pseudonyme activite_principale
    nomenclature_activite_principale activite_principale_naf25 identifiant_association
    economie_sociale_solidaire societe_mission caractere_employeur tranche_effectifs
    annee_effectifs nic_siege categorie_entreprise annee_categorie_entreprise
"""
_ETABLISSEMENT = """
    statut_diffusion etat_administratif date_creation siege nombre_periodes date_debut
    tranche_effectifs annee_effectifs activite_principale_registre_metiers activite_principale
    nomenclature_activite_principale activite_principale_naf25 caractere_employeur enseigne1
    enseigne2 enseigne3 denomination_usuelle complement_adresse numero_voie indice_repetition
    dernier_numero_voie indice_repetition_dernier_numero_voie type_voie libelle_voie code_postal
    libelle_commune libelle_commune_etranger distribution_speciale code_commune code_cedex
    libelle_cedex code_pays_etranger libelle_pays_etranger identifiant_adresse
    coordonnee_lambert_abscisse coordonnee_lambert_ordonnee complement_adresse2 numero_voie2
    indice_repetition2 type_voie2 libelle_voie2 code_postal2 libelle_commune2
    libelle_commune_etranger2 distribution_speciale2 code_commune2 code_cedex2 libelle_cedex2
    code_pays_etranger2 libelle_pays_etranger2 departement region
"""
_PERIODE = """
    date_debut date_fin etat_administratif enseigne1 enseigne2 enseigne3 denomination_usuelle
    activite_principale nomenclature_activite_principale caractere_employeur
"""
_TEXT = ("accepted_at", "text", "label", "display_name", "json_ld")

# A plan is kept for the session. One for the first rows, which are few, would read a whole table
# for each key later, or the old rows anew for each new one.
_AS_OWNER = """RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET enable_seqscan = off SET enable_nestloop = off"""
_NOTE = """INSERT INTO page_changes (xid, pro_localisation_id, siret, kind)
      SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint),"""
# A transaction has one row for a page. It says what matters most to a reader, then what came last.
_ONCE = """ON CONFLICT (xid, pro_localisation_id) DO UPDATE SET kind = excluded.kind
      WHERE page_changes.kind = 'text'
        OR page_changes.kind <> 'erased' AND excluded.kind IN ('opened', 'closed', 'erased')"""


def _differ(columns: str, new: str, old: str) -> str:
    names = columns.split()
    listed = (", ".join(f"{row}.{name}" for name in names) for row in (new, old))
    return " IS DISTINCT FROM ".join(f"({each})" for each in listed)


def _is_shown(avis: str) -> str:
    """Return the condition that `avis_published` has the text while its page is open."""
    values = ", ".join(f"{avis}.{name}" for name in _TEXT)
    return f"""({avis}.held_because IS NULL AND num_nulls({values}) = 0
        AND {avis}.outcome IN ('pending', 'accepted', 'rejected', 'not_understood'))"""


_TABLE = """
    CREATE TABLE page_changes (
      xid BIGINT NOT NULL,
      pro_localisation_id BIGINT NOT NULL,
      siret TEXT NOT NULL,
      kind TEXT NOT NULL,
      changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
      CONSTRAINT pk_page_changes PRIMARY KEY (xid, pro_localisation_id),
      CONSTRAINT ck_page_changes_kind
        CHECK (kind IN ('opened', 'changed', 'closed', 'erased', 'text')))
"""
_PAGES = f"""
    CREATE FUNCTION note_pages() {_AS_OWNER} AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        {_NOTE} id, siret, CASE status WHEN 'open' THEN 'opened' ELSE 'closed' END FROM new_rows;
      ELSIF TG_OP = 'UPDATE' THEN
        {_NOTE} id, n.siret,
          CASE
            WHEN o.nom IS NOT NULL AND n.nom IS NULL THEN 'erased'
            WHEN o.status = n.status THEN 'changed'
            WHEN n.status = 'open' THEN 'opened'
            ELSE 'closed' END
        FROM new_rows n JOIN old_rows o USING (id)
        WHERE {_differ(_PAGE, "n", "o")}
        {_ONCE};
      ELSE
        {_NOTE} id, siret, 'closed' FROM old_rows
        {_ONCE};
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_pages_inserted AFTER INSERT ON pro_localisations
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_pages();
    CREATE TRIGGER note_pages_updated AFTER UPDATE ON pro_localisations
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION note_pages();
    CREATE TRIGGER note_pages_deleted AFTER DELETE ON pro_localisations
      REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_pages()
"""


def _of_register(table: str, key: str, columns: str) -> str:
    """Return the body of a function that notes the pages of changed rows, and its trigger."""
    return f"""{_AS_OWNER} AS $$
    DECLARE
      changed text[];
    BEGIN
      changed := ARRAY(
        SELECT {key} FROM new_rows n JOIN old_rows o USING ({key})
        WHERE {_differ(columns, "n", "o")});
      IF changed <> '{{}}' THEN
        {_NOTE} id, siret, 'changed' FROM pro_localisations WHERE {key} = ANY (changed)
        {_ONCE};
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_{table}_updated AFTER UPDATE ON {table}
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION note_{table}()
    """


_ETABLISSEMENTS = f"""
    CREATE FUNCTION note_etablissements() {_of_register("etablissements", "siret", _ETABLISSEMENT)}
"""
_UNITES = f"""
    CREATE FUNCTION note_unites_legales() {_of_register("unites_legales", "siren", _UNITE)}
"""
# Those of a new establishment come before its page, and are noted with it.
_PERIODES = f"""
    CREATE FUNCTION note_periodes() {_AS_OWNER} AS $$
    DECLARE
      changed text[];
    BEGIN
      IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT siret FROM new_rows);
      ELSIF TG_OP = 'UPDATE' THEN
        changed := ARRAY(
          SELECT siret FROM new_rows n JOIN old_rows o USING (siret, rang)
          WHERE {_differ(_PERIODE, "n", "o")});
      ELSE
        changed := ARRAY(SELECT siret FROM old_rows);
      END IF;
      IF changed <> '{{}}' THEN
        {_NOTE} id, siret, 'changed' FROM pro_localisations WHERE siret = ANY (changed)
        {_ONCE};
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_periodes_inserted AFTER INSERT ON periodes_etablissements
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_periodes();
    CREATE TRIGGER note_periodes_updated AFTER UPDATE ON periodes_etablissements
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
      FOR EACH STATEMENT EXECUTE FUNCTION note_periodes();
    CREATE TRIGGER note_periodes_deleted AFTER DELETE ON periodes_etablissements
      REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_periodes()
"""
# A page says less of a unit that objects.
_OPPOSITIONS = f"""
    CREATE FUNCTION note_oppositions() {_AS_OWNER} AS $$
    BEGIN
      {_NOTE} id, siret, 'changed' FROM pro_localisations
      WHERE siren = coalesce(NEW.siren, OLD.siren)
      {_ONCE};
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_oppositions AFTER INSERT OR DELETE ON oppositions
      FOR EACH ROW EXECUTE FUNCTION note_oppositions()
"""
# A claim changes none of these columns, and costs nothing.
_TEXTS = f"""
    CREATE FUNCTION note_texts() {_AS_OWNER} AS $$
    BEGIN
      {_NOTE} id, siret, 'text' FROM pro_localisations
      WHERE id = NEW.pro_localisation_id AND status = 'open'
      ON CONFLICT (xid, pro_localisation_id) DO NOTHING;
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_texts_updated
      AFTER UPDATE OF outcome, held_because, {", ".join(_TEXT)} ON avis
      FOR EACH ROW WHEN (
        (OLD.text IS NOT NULL OR NEW.text IS NOT NULL)
        AND ({_is_shown("OLD")} <> {_is_shown("NEW")}
          OR {_is_shown("NEW")} AND {_differ(" ".join(_TEXT), "NEW", "OLD")}))
      EXECUTE FUNCTION note_texts()
"""
# A slug of a closed page may lead to another establishment.
_REDIRECTS = f"""
    CREATE FUNCTION note_redirects() {_AS_OWNER} AS $$
    BEGIN
      {_NOTE} id, siret, 'changed' FROM pro_localisations
      WHERE siret = coalesce(NEW.siret, OLD.siret)
      {_ONCE};
      RETURN NULL;
    END $$;
    CREATE TRIGGER note_redirects_inserted AFTER INSERT ON page_redirects
      FOR EACH ROW WHEN (NEW.to_siret IS NOT NULL) EXECUTE FUNCTION note_redirects();
    CREATE TRIGGER note_redirects_updated AFTER UPDATE OF to_siret ON page_redirects
      FOR EACH ROW WHEN (NEW.to_siret IS DISTINCT FROM OLD.to_siret)
      EXECUTE FUNCTION note_redirects();
    CREATE TRIGGER note_redirects_deleted AFTER DELETE ON page_redirects
      FOR EACH ROW WHEN (OLD.to_siret IS NOT NULL) EXECUTE FUNCTION note_redirects()
"""


_PARTS = (
    *(_TABLE, _PAGES, _ETABLISSEMENTS, _UNITES),
    *(_PERIODES, _OPPOSITIONS, _TEXTS, _REDIRECTS),
)


def upgrade() -> None:
    for part in _PARTS:
        op.execute(text(part.replace(":=", r"\:=")))
