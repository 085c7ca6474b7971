"""The texts, and the units that must not be written about."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.avis import AvisOutcome, HoldReason, OrderStatus, OrderVerb
from shared.db.tables import columns as col

avis = col.table(
    "avis",
    col.own_id(),
    col.bigint("pro_localisation_id", required=True),
    col.text("siret", "siren", required=True),
    col.one_of("kind", "notice", "synthese"),
    col.one_of("outcome", *AvisOutcome),
    # The hash of the present facts; accepted_facts_hash is that of the accepted text's.
    col.text("facts_hash", required=True),
    col.text("accepted_facts_hash"),
    # The hashes of what other rows say, by part, as the accepted text tells it; null makes the next
    # sweep find it due.
    col.text("context_hash"),
    col.text("text", "label", "digital_source_type", "model", "prompt_version"),
    col.instant("accepted_at", "published_at"),
    # The name beside the text, and its provenance; `avis_published` serves all together. All are
    # plain text with names that strangers chose: the view has them escaped for HTML, too.
    col.text("display_name"),
    col.columns(JSONB, "json_ld"),
    # A held text is not served.
    col.one_of("held_because", *HoldReason, nullable=True),
    col.instant("held_at"),
    col.uuid("claim_token"),
    col.instant("lease_until"),
    col.counter("attempts"),
    # A due avis whose accepted text stands has one; the lowest goes first (RENEWAL_RANK).
    col.smallint("renewal_rank"),
    col.instant_now("created_at", "updated_at"),
    UniqueConstraint("pro_localisation_id", "kind"),
    Index("ix_avis_siret", "siret"),
    Index("ix_avis_siren", "siren"),
    Index(
        "ix_avis_pending",
        "published_at",
        "renewal_rank",
        "id",
        postgresql_where="outcome = 'pending'",
    ),
    Index("ix_avis_held", "held_at", "id", postgresql_where="held_because IS NOT NULL"),
    # Few are, and somebody looks for them.
    Index("ix_avis_rejected", "id", postgresql_where="outcome = 'rejected'"),
    CheckConstraint("held_because IS NULL OR text IS NOT NULL", name="a_text_is_held"),
    fillfactor=70,
)

# `Verification` of the reviewer: whether and how a site checks its reviews.
_VERIFICATIONS = ("none", "purchase", "identity", "content")

avis_attempts = col.table(
    "avis_attempts",
    col.own_id(),
    col.bigint("avis_id", required=True),
    col.text("siren", required=True),
    col.instant_now("attempted_at"),
    # The chat server's name in the settings; null for a template.
    col.text("provider"),
    col.text("model", "prompt_version", "facts_hash", required=True),
    # The facts that the text was made of, without those that the register does not say.
    col.columns(JSONB, "facts"),
    col.text("text"),
    Column("text_digest", LargeBinary, Computed("avis_text_digest(text)", persisted=True)),
    col.boolean("accepted", required=True),
    col.texts("reasons", required=True),
    # The cached ones are among tokens_in.
    col.integer("tokens_in", "tokens_out", "tokens_cached", default="0"),
    col.columns(Numeric(12, 8), "cost_eur", default="0"),
    # The tries without an answer: tokens and cost are the most that they can have been.
    col.integer("unanswered", default="0"),
    col.double("latency_seconds", required=True),
    Index("ix_avis_attempts_avis_id", "avis_id"),
    Index("ix_avis_attempts_siren", "siren"),
    Index(
        "ix_avis_attempts_text_digest",
        "text_digest",
        postgresql_where="text_digest IS NOT NULL",
    ),
)

# Orders of people about texts: a reviewer carries them out.
avis_orders = col.table(
    "avis_orders",
    col.own_id(),
    col.text("siret", "siren", required=True),
    col.one_of("kind", "notice", "synthese"),
    col.one_of("verb", *OrderVerb),
    col.text("ordered_by", "reason", required=True),
    # The text of an edit; `override` keeps it although the validator has reasons against it.
    col.text("text"),
    col.boolean("override", required=True),
    # The state of the text that the person looked at; null where the order holds whatever it is.
    col.text("seen"),
    col.instant_now("ordered_at"),
    col.one_of("status", *OrderStatus, default="pending"),
    # The reason of a refusal.
    col.text("refusal"),
    col.instant("done_at"),
    # The latest order about a text counts.
    Index("ix_avis_orders_siret", "siret", "id"),
    Index("ix_avis_orders_siren", "siren"),
    Index("ix_avis_orders_pending", "id", postgresql_where="status = 'pending'"),
    CheckConstraint("(verb = 'edit') = (text IS NOT NULL)", name="an_edit_has_its_text"),
)

# The accepted texts of each prompt version of a model, counted until the first ones are held.
prompt_debuts = col.table(
    "prompt_debuts",
    col.text("model", "prompt_version", required=True),
    col.counter("texts"),
    PrimaryKeyConstraint("model", "prompt_version"),
)

# Imported reviews. Those of the first format of files lack `site` and the particulars after it:
# they are kept, and no text counts or quotes them.
sources = col.table(
    "sources",
    col.binary("digest", key=True),
    col.text("siret", "siren", "url", "licence", "author_label", required=True),
    col.date("published_on", required=True),
    col.date("experienced_on"),
    col.text("verification_description"),
    col.text("verbatim", required=True),
    col.instant_now("imported_at"),
    col.text("site", "review_id"),
    col.date("updated_on"),
    col.one_of("verification", *_VERIFICATIONS, nullable=True),
    col.boolean("counterpart"),
    col.integer("publication_days", "retention_days"),
    col.boolean("author_contact"),
    col.text("modification", "refusal_grounds", "doubt_url"),
    # An editor released a synthese then that quotes the review as it is stored.
    col.instant("read_at"),
    CheckConstraint(
        "site IS NULL OR num_nulls(review_id, experienced_on, verification, counterpart,"
        " publication_days, retention_days, author_contact, doubt_url) = 0",
        name="has_its_particulars",
    ),
    Index("ix_sources_siret", "siret"),
    Index("ix_sources_siren", "siren"),
    Index("ix_sources_url", "url"),
)

# Tombstones keep an import from bringing withdrawn reviews back: the digest of a review's site and
# id, and that of its address. They hold nothing else.
withdrawn_reviews = col.table(
    "withdrawn_reviews",
    col.binary("digest", key=True),
    col.binary("url_digest", required=True),
    col.date("keep_until", required=True),
    col.instant_now("withdrawn_at"),
    Index("ix_withdrawn_reviews_url_digest", "url_digest"),
)

# The sweeps over accepted texts, whose context may have changed since.
context_sweeps = col.table(
    "context_sweeps",
    col.own_id(),
    col.instant_now("began_at"),
    col.instant("ended_at"),
    # The avis up to this id are checked.
    col.counter("after_id", "checked", "made_due"),
)

# The fingerprints of accepted texts without their facts, compared with those of neighbours: `place`
# stands for activity and commune (shared.db.neighbours). Without a siren and a second index,
# 525 000 rows stay under 50 MB.
avis_simhashes = col.table(
    "avis_simhashes",
    col.bigint("simhash", "avis_id", required=True),
    col.integer("place", required=True),
    PrimaryKeyConstraint("place", "avis_id"),
)

oppositions = col.table(
    "oppositions",
    col.text("siren", key=True),
    col.instant_now("recorded_at"),
    col.text("reason", required=True),
)

# Orders of people to erase a unit that objects: a writer carries them out. They outlive the
# erasure, so they hold nobody: who ordered one stands in the journal of the console.
erasure_orders = col.table(
    "erasure_orders",
    col.own_id(),
    col.text("siren", "reason", required=True),
    col.instant_now("ordered_at"),
    col.one_of("status", *OrderStatus, default="pending"),
    # The reason of a refusal.
    col.text("refusal"),
    # The rows that were erased.
    col.integer("erased_rows"),
    col.instant("done_at"),
    Index("ix_erasure_orders_siren", "siren"),
    Index("ix_erasure_orders_pending", "id", postgresql_where="status = 'pending'"),
)

erasures = col.table(
    "erasures",
    col.own_id(),
    col.text("siren", required=True),
    # Set where only one establishment of the unit was erased.
    col.text("siret"),
    # The version that asked for the erasure: older or equal unmasked records stay out.
    col.insee_time("date_dernier_traitement"),
    col.instant("fetched_at"),
    col.instant_now("erased_at"),
    # A withdrawal ends an opposition and erases nothing.
    col.one_of("reason", "partial_diffusion", "opposition", "withdrawal"),
    Index("ix_erasures_siren", "siren"),
)
