"""INSEE's data beside its records: new keys, duplicates, successions."""

from sqlalchemy import Index, PrimaryKeyConstraint

from shared.db.tables import columns as col
from shared.db.tables.base import table

schema_drift = table(
    "schema_drift",
    # `block.key` of INSEE's records without a column; never a value.
    col.text("key", key=True),
    col.instant_now("first_seen_at"),
    col.bigint("batch_id"),
)

redirections = table(
    "redirections",
    # The siren or siret that INSEE declared a duplicate of the target.
    col.text("siren_or_siret", key=True),
    col.text("target", required=True),
    col.instant_now("seen_at"),
)

successions = table(
    "successions",
    col.text("siret_predecesseur", "siret_successeur", required=True),
    col.date("date_lien_succession", required=True),
    col.boolean("transfert_siege", "continuite_economique"),
    col.insee_time("date_dernier_traitement"),
    PrimaryKeyConstraint("siret_predecesseur", "siret_successeur", "date_lien_succession"),
    Index("ix_successions_siret_successeur", "siret_successeur"),
)
