"""What texts may cost and how fast they may be asked for, for all reviewers together."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables.base import counter, instant, metadata, one_of

_ZERO = text("0")


def euros(name: str, *, nullable: bool = False) -> Column[object]:
    """An eighth decimal is a tenth of a token at ten cents a million."""
    return Column(
        name, Numeric(16, 8), nullable=nullable, server_default=None if nullable else _ZERO
    )


# Whom the reviewers ask, as the last of them to start was told; those that it was not told of
# are not listed any more, and keep what they have spent.
review_providers = Table(
    "review_providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("listed", Boolean, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text),
    Column("weight", Double, nullable=False),
    Column("max_parallel", Integer, nullable=False),
    # Whether a call can cost anything.
    Column("charges", Boolean, nullable=False),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
    # When the next call may leave, by each limit (GCRA), and when the last was allowed to.
    instant("requests_arrival_at", default_now=True),
    instant("tokens_arrival_at", default_now=True),
    instant("slot_at", default_now=True),
    # What a 429 asked for: no replica calls before.
    instant("paused_until"),
    counter("calls"),
    euros("spent_eur"),
    instant("opened_at", default_now=True),
    postgresql_with={"fillfactor": "50"},
)

review_budget = Table(
    "review_budget",
    metadata,
    # One row.
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    # Of all that is ever spent; null: none. It begins at zero: the bill comes first.
    Column("cap_eur", Numeric(16, 8), server_default=_ZERO),
    euros("reserved_eur"),
    euros("spent_eur"),
    Column(
        "status",
        Text,
        one_of("status", "running", "paused"),
        nullable=False,
        server_default="running",
    ),
    Column("paused_because", Text, one_of("paused_because", "cap", "asked", "sample")),
    # While it is set, only these texts are made.
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

# Calls that are under way: each with the most that it can take.
review_reservations = Table(
    "review_reservations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("provider", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    euros("cost_eur"),
    # After that its process is held to be dead, and its cost to be spent.
    instant("expires_at", nullable=False),
    instant("expired_at"),
    Index("ix_review_reservations_expires_at", "expires_at"),
)
