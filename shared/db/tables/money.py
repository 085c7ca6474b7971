"""The budget and the rate limits of texts, which all reviewers share."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Numeric, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import columns as col

# The chat servers in the settings of the reviewer that started last. Others are no longer `listed`
# and keep their spending.
review_providers = col.table(
    "review_providers",
    col.text("name", key=True),
    col.boolean("listed", required=True),
    col.text("model", required=True),
    col.text("prompt_version"),
    col.double("weight", required=True),
    col.integer("max_parallel", required=True),
    # A call can cost something.
    col.boolean("charges", required=True),
    col.integer("requests_per_minute", "tokens_per_minute"),
    # The instants at which each limit lets the next call leave (GCRA), and the slot of the last.
    col.instant_now("requests_arrival_at", "tokens_arrival_at", "slot_at"),
    # The end of the pause that a 429 asked for, of all replicas.
    col.instant("paused_until"),
    # The first 429 since its last answer.
    col.instant("throttled_since"),
    # The trust of all replicas in its texts and bills (services/reviewer/providers/trust.py).
    col.counter("refused_in_a_row", "doubts"),
    col.instant("doubted_until"),
    col.boolean("on_trial", default="false"),
    col.counter("calls"),
    col.euros("spent_eur"),
    col.instant_now("opened_at"),
    fillfactor=50,
)

review_budget = col.table(
    "review_budget",
    # The table has one row.
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    # The most that is ever spent; null: no cap. It begins at zero: a person sets it first.
    Column("cap_eur", Numeric(16, 8), server_default=text("0")),
    col.euros("reserved_eur", "spent_eur"),
    col.one_of("status", "running", "paused", default="running"),
    col.one_of("paused_because", "cap", "asked", "sample", nullable=True),
    # The texts of a sample: while it is set, no others are made.
    Column("sample_ids", ARRAY(BigInteger)),
    # The renewals that may begin in a day; null: no limit. The instant lets the next one go (GCRA).
    col.integer("renewals_per_day"),
    col.instant_now("renewals_arrival_at"),
    col.instant_now("changed_at"),
    CheckConstraint("id = 1", name="id"),
    CheckConstraint(
        "spent_eur >= 0 AND reserved_eur >= 0 AND (cap_eur IS NULL OR cap_eur >= 0)",
        name="never_below_zero",
    ),
    CheckConstraint("renewals_per_day >= 0", name="no_renewals_below_zero"),
    CheckConstraint("(status = 'paused') = (paused_because IS NOT NULL)", name="has_its_reason"),
    fillfactor=50,
)

# The calls under way, each with the most tokens and euros that it can use.
review_reservations = col.table(
    "review_reservations",
    col.own_id(),
    col.text("provider", required=True),
    col.integer("tokens", required=True),
    col.euros("cost_eur"),
    # Afterwards its process counts as dead, and its cost as spent.
    col.instant("expires_at", required=True),
    col.instant("expired_at"),
    Index("ix_review_reservations_expires_at", "expires_at"),
)
