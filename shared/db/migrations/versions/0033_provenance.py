"""Provenance of texts: facts, digests and times of attempts, and a view that serves texts whole.

Every text is due once after this upgrade: those that stand enter the view with their successors.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text(r"""
    -- Spaces, apostrophes and hyphens of any kind are one; marks without a width are none.
    CREATE FUNCTION avis_text_digest(words text) RETURNS bytea
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT sha256(convert_to(btrim(regexp_replace(translate(normalize(words, NFC),
          U&'\00A0\202F\2009\2007\0009\000A\000D\2019\2018\02BC\2010\2011\200B\200C\200D\FEFF\00AD',
          '       ''''''--'),
        ' +', ' ', 'g')), 'UTF8'))
    $$;

    ALTER TABLE avis_attempts
      ADD COLUMN facts JSONB,
      ADD COLUMN unanswered INTEGER DEFAULT 0 NOT NULL,
      ADD COLUMN text_digest BYTEA GENERATED ALWAYS AS (avis_text_digest(text)) STORED;
    CREATE INDEX ix_avis_attempts_text_digest ON avis_attempts (text_digest)
      WHERE text_digest IS NOT NULL;

    ALTER TABLE avis ADD COLUMN display_name TEXT, ADD COLUMN json_ld JSONB;

    -- Its body is read when it runs: a stock file takes the place of the tables in it. It reads
    -- them for its owner, so that a role needs a right on the view alone.
    CREATE FUNCTION avis_may_be_shown(text, text) RETURNS boolean
      LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      RETURN EXISTS (SELECT FROM etablissements e
          WHERE e.siret = $1 AND e.statut_diffusion = 'O')
        AND EXISTS (SELECT FROM unites_legales u WHERE u.siren = $2 AND u.statut_diffusion = 'O')
        AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = $2);
    END $$;
    CREATE VIEW avis_published AS
    SELECT a.siret, a.siren, p.slug, a.kind, a.display_name, a.text, a.label,
      a.json_ld || jsonb_build_object('text', a.text, 'creditText', a.label,
        'dateCreated', a.accepted_at) AS json_ld, a.accepted_at
    FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
    WHERE p.status = 'open' AND a.held_because IS NULL
      AND a.outcome IN ('pending', 'accepted', 'rejected', 'not_understood')
      AND num_nulls(a.text, a.label, a.display_name, a.json_ld, a.accepted_at) = 0
      AND avis_may_be_shown(a.siret, a.siren)
    """)
    )
