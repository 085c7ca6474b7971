"""The budget and the rate limits of texts, which all reviewers share."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of, own_id

_ZERO = text("0")


def euros(name: str, *, nullable: bool = False) -> Column[object]:
    """Make a column of euros; the eighth decimal is a tenth of a token at ten cents a million."""
    return Column(
        name, Numeric(16, 8), nullable=nullable, server_default=None if nullable else _ZERO
    )


# The chat servers in the settings of the reviewer that started last. Others are no longer `listed`
# and keep their spending.
review_providers = Table(
    "review_providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("listed", Boolean, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text),
    Column("weight", Double, nullable=False),
    Column("max_parallel", Integer, nullable=False),
    # A call can cost something.
    Column("charges", Boolean, nullable=False),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
    # The instants at which each limit lets the next call leave (GCRA), and the slot of the last.
    instant("requests_arrival_at", default_now=True),
    instant("tokens_arrival_at", default_now=True),
    instant("slot_at", default_now=True),
    # The end of the pause that a 429 asked for, of all replicas.
    instant("paused_until"),
    counter("calls"),
    euros("spent_eur"),
    instant("opened_at", default_now=True),
    postgresql_with={"fillfactor": "50"},
)

review_budget = Table(
    "review_budget",
    metadata,
    # The table has one row.
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    # The most that is ever spent; null: no cap. It begins at zero: a person sets it first.
    Column("cap_eur", Numeric(16, 8), server_default=_ZERO),
    euros("reserved_eur"),
    euros("spent_eur"),
    one_of("status", "running", "paused", default="running"),
    one_of("paused_because", "cap", "asked", "sample", nullable=True),
    # The texts of a sample: while it is set, no others are made.
    Column("sample_ids", ARRAY(BigInteger)),
    instant("changed_at", default_now=True),
    CheckConstraint("id = 1", name="id"),
    CheckConstraint(
        "spent_eur >= 0 AND reserved_eur >= 0 AND (cap_eur IS NULL OR cap_eur >= 0)",
        name="never_below_zero",
    ),
    CheckConstraint("(status = 'paused') = (paused_because IS NOT NULL)", name="has_its_reason"),
    postgresql_with={"fillfactor": "50"},
)

# The calls under way, each with the most tokens and euros that it can use.
review_reservations = Table(
    "review_reservations",
    metadata,
    own_id(),
    Column("provider", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    euros("cost_eur"),
    # Afterwards its process counts as dead, and its cost as spent.
    instant("expires_at", nullable=False),
    instant("expired_at"),
    Index("ix_review_reservations_expires_at", "expires_at"),
)
