"""The texts, and the units that must not be written about."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.avis import AvisOutcome
from shared.db.tables.base import counter, instant, metadata, one_of, own_id

avis = Table(
    "avis",
    metadata,
    own_id(),
    Column("pro_localisation_id", BigInteger, nullable=False),
    Column("siret", Text, nullable=False),
    Column("siren", Text, nullable=False),
    one_of("kind", "notice", "synthese"),
    one_of("outcome", *AvisOutcome),
    # The hash of the present facts; accepted_facts_hash is that of the accepted text's.
    Column("facts_hash", Text, nullable=False),
    Column("accepted_facts_hash", Text),
    Column("text", Text),
    Column("label", Text),
    Column("digital_source_type", Text),
    Column("model", Text),
    Column("prompt_version", Text),
    instant("accepted_at"),
    instant("published_at"),
    Column("claim_token", Uuid),
    instant("lease_until"),
    counter("attempts"),
    instant("created_at", default_now=True),
    instant("updated_at", default_now=True),
    UniqueConstraint("pro_localisation_id", "kind"),
    Index("ix_avis_siret", "siret"),
    Index("ix_avis_siren", "siren"),
    Index("ix_avis_pending", "published_at", "id", postgresql_where=text("outcome = 'pending'")),
    postgresql_with={"fillfactor": "70"},
)

avis_attempts = Table(
    "avis_attempts",
    metadata,
    own_id(),
    Column("avis_id", BigInteger, nullable=False),
    Column("siren", Text, nullable=False),
    instant("attempted_at", default_now=True),
    # The chat server's name in the settings; null for a template.
    Column("provider", Text),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("facts_hash", Text, nullable=False),
    Column("text", Text),
    Column("accepted", Boolean, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("tokens_in", Integer, nullable=False, server_default=text("0")),
    Column("tokens_out", Integer, nullable=False, server_default=text("0")),
    # They are among tokens_in.
    Column("tokens_cached", Integer, nullable=False, server_default=text("0")),
    Column("cost_eur", Numeric(12, 8), nullable=False, server_default=text("0")),
    Column("latency_seconds", Double, nullable=False),
    Index("ix_avis_attempts_avis_id", "avis_id"),
    Index("ix_avis_attempts_siren", "siren"),
)

sources = Table(
    "sources",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("siret", Text, nullable=False),
    Column("siren", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("author_label", Text, nullable=False),
    Column("published_on", Date, nullable=False),
    Column("experienced_on", Date),
    Column("verification", Text, nullable=False),
    Column("verbatim", Text, nullable=False),
    instant("imported_at", default_now=True),
    Index("ix_sources_siret", "siret"),
    Index("ix_sources_siren", "siren"),
    Index("ix_sources_url", "url"),
)

# The fingerprints of accepted texts without their facts, compared with those of neighbours: `place`
# stands for activity and commune (shared.db.neighbours). Without a siren and a second index,
# 525 000 rows stay under 50 MB.
avis_simhashes = Table(
    "avis_simhashes",
    metadata,
    Column("simhash", BigInteger, nullable=False),
    Column("avis_id", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    PrimaryKeyConstraint("place", "avis_id"),
)

oppositions = Table(
    "oppositions",
    metadata,
    Column("siren", Text, primary_key=True),
    instant("recorded_at", default_now=True),
    Column("reason", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    own_id(),
    Column("siren", Text, nullable=False),
    # Set where only one establishment of the unit was erased.
    Column("siret", Text),
    # The version that asked for the erasure: older or equal unmasked records stay out.
    Column("date_dernier_traitement", DateTime),
    instant("fetched_at"),
    instant("erased_at", default_now=True),
    # A withdrawal ends an opposition and erases nothing.
    one_of("reason", "partial_diffusion", "opposition", "withdrawal"),
    Index("ix_erasures_siren", "siren"),
)
