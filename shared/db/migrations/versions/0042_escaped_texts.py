"""Serve names and texts escaped for HTML beside the plain ones, which strangers choose."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0042"
down_revision: str | None = "0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text(r"""
    CREATE FUNCTION html_of(plain text) RETURNS text
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT replace(replace(replace(replace(replace(
        plain, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;')
    $$;
    CREATE FUNCTION script_of(plain jsonb) RETURNS text
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT replace(replace(replace(replace(replace(
        CAST(plain AS text), '&', '\u0026'), '<', '\u003c'), '>', '\u003e'),
        U&'\2028', '\u2028'), U&'\2029', '\u2029')
    $$;
    CREATE OR REPLACE VIEW avis_published AS
    SELECT siret, siren, slug, kind, display_name, text, label, json_ld, accepted_at,
      html_of(display_name) AS display_name_html, html_of(text) AS text_html,
      html_of(label) AS label_html, script_of(json_ld) AS json_ld_script
    FROM (
      SELECT a.siret, a.siren, p.slug, a.kind, a.display_name, a.text, a.label,
        a.json_ld || jsonb_build_object('text', a.text, 'creditText', a.label,
          'dateCreated', a.accepted_at) AS json_ld, a.accepted_at
      FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE p.status = 'open' AND a.held_because IS NULL
        AND a.outcome IN ('pending', 'accepted', 'rejected', 'not_understood')
        AND num_nulls(a.text, a.label, a.display_name, a.json_ld, a.accepted_at) = 0
        AND avis_may_be_shown(a.siret, a.siren)) AS served;
    COMMENT ON VIEW avis_published IS 'the texts that a web page may show';
    COMMENT ON COLUMN avis_published.text IS
      'plain text with names that strangers chose: HTML takes text_html';
    COMMENT ON COLUMN avis_published.label IS 'plain text: HTML takes label_html';
    COMMENT ON COLUMN avis_published.display_name IS
      'plain text that a stranger chose: HTML takes display_name_html';
    COMMENT ON COLUMN avis_published.json_ld IS
      'plain values: a script element takes json_ld_script'
    """)
    )
