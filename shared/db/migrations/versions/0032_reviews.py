"""Keep the particulars of a review that the law asks for.

Syntheses that were written without them are taken down. Reviews without them are kept, and are
quoted again once they were imported again.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        text("""
    ALTER TABLE sources RENAME COLUMN verification TO verification_description;
    ALTER TABLE sources ALTER COLUMN verification_description DROP NOT NULL,
      ADD COLUMN site TEXT,
      ADD COLUMN review_id TEXT,
      ADD COLUMN updated_on DATE,
      ADD COLUMN verification TEXT CONSTRAINT ck_sources_verification
        CHECK (verification IN ('none', 'purchase', 'identity', 'content')),
      ADD COLUMN counterpart BOOLEAN,
      ADD COLUMN publication_days INTEGER,
      ADD COLUMN retention_days INTEGER,
      ADD COLUMN author_contact BOOLEAN,
      ADD COLUMN modification TEXT,
      ADD COLUMN refusal_grounds TEXT,
      ADD COLUMN doubt_url TEXT,
      ADD CONSTRAINT ck_sources_has_its_particulars CHECK (
        site IS NULL OR num_nulls(review_id, experienced_on, verification, counterpart,
          publication_days, retention_days, author_contact, doubt_url) = 0);
    UPDATE avis SET text = NULL, label = NULL, digital_source_type = NULL, model = NULL,
      prompt_version = NULL, accepted_facts_hash = NULL, accepted_at = NULL,
      held_because = NULL, held_at = NULL,
      outcome = CASE outcome WHEN 'accepted' THEN 'pending' ELSE outcome END,
      claim_token = NULL, published_at = NULL, lease_until = NULL, attempts = 0,
      updated_at = clock_timestamp()
    WHERE kind = 'synthese' AND text IS NOT NULL
    """)
    )
