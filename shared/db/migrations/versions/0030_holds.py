"""Texts that are held for a person, and people's orders about texts.

Prompt versions that have brought texts already are not new: their texts are counted once.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE avis
      ADD COLUMN held_because TEXT CONSTRAINT ck_avis_held_because CHECK (held_because IN
        ('asked', 'edited', 'fallback', 'first_texts', 'accusation')),
      ADD COLUMN held_at TIMESTAMPTZ,
      ADD CONSTRAINT ck_avis_a_text_is_held CHECK (held_because IS NULL OR text IS NOT NULL);
    CREATE INDEX ix_avis_held ON avis (held_at, id) WHERE held_because IS NOT NULL;

    CREATE TABLE avis_orders (
      id BIGINT GENERATED ALWAYS AS IDENTITY,
      siret TEXT NOT NULL,
      siren TEXT NOT NULL,
      kind TEXT NOT NULL CONSTRAINT ck_avis_orders_kind CHECK (kind IN ('notice', 'synthese')),
      verb TEXT NOT NULL CONSTRAINT ck_avis_orders_verb CHECK (verb IN
        ('hold', 'release', 'reject', 'edit')),
      ordered_by TEXT NOT NULL,
      reason TEXT NOT NULL,
      text TEXT,
      override BOOLEAN NOT NULL,
      ordered_at TIMESTAMPTZ DEFAULT now() NOT NULL,
      status TEXT DEFAULT 'pending' NOT NULL CONSTRAINT ck_avis_orders_status CHECK (status IN
        ('pending', 'done', 'refused')),
      refusal TEXT,
      done_at TIMESTAMPTZ,
      CONSTRAINT pk_avis_orders PRIMARY KEY (id),
      CONSTRAINT ck_avis_orders_an_edit_has_its_text CHECK ((verb = 'edit') = (text IS NOT NULL))
    );
    CREATE INDEX ix_avis_orders_siret ON avis_orders (siret);
    CREATE INDEX ix_avis_orders_siren ON avis_orders (siren);
    CREATE INDEX ix_avis_orders_pending ON avis_orders (id) WHERE status = 'pending';

    CREATE TABLE prompt_debuts (
      model TEXT NOT NULL,
      prompt_version TEXT NOT NULL,
      texts BIGINT DEFAULT 0 NOT NULL,
      CONSTRAINT pk_prompt_debuts PRIMARY KEY (model, prompt_version)
    );
    INSERT INTO prompt_debuts (model, prompt_version, texts)
      SELECT model, prompt_version, count(*) FROM avis_attempts
      WHERE provider IS NOT NULL AND accepted GROUP BY 1, 2
    """)
    )
