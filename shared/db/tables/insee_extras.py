"""INSEE's data beside its records: new keys, duplicates, successions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from shared.db.tables.base import instant, metadata

schema_drift = Table(
    "schema_drift",
    metadata,
    # `block.key` of INSEE's records without a column; never a value.
    Column("key", Text, primary_key=True),
    instant("first_seen_at", default_now=True),
    Column("batch_id", BigInteger),
)

redirections = Table(
    "redirections",
    metadata,
    # The siren or siret that INSEE declared a duplicate of the target.
    Column("siren_or_siret", Text, primary_key=True),
    Column("target", Text, nullable=False),
    instant("seen_at", default_now=True),
)

successions = Table(
    "successions",
    metadata,
    Column("siret_predecesseur", Text, nullable=False),
    Column("siret_successeur", Text, nullable=False),
    Column("date_lien_succession", Date, nullable=False),
    Column("transfert_siege", Boolean),
    Column("continuite_economique", Boolean),
    Column("date_dernier_traitement", DateTime),
    PrimaryKeyConstraint("siret_predecesseur", "siret_successeur", "date_lien_succession"),
    Index("ix_successions_siret_successeur", "siret_successeur"),
)
