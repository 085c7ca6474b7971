"""The register, and INSEE's data beside its records: new keys, duplicates, successions."""

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint

from shared.db.tables import columns as col
from shared.sirene.records import Etablissement, PeriodeEtablissement, UniteLegale

unites_legales = col.table(
    "unites_legales",
    col.of_record(UniteLegale, key="siren"),
    col.binary("content_hash", required=True),
    # The instant at which the quota granted the GET's slot: a part of the version.
    col.instant("fetched_at", required=True),
    col.instant_now("updated_at"),
    # The record is an O that a P hides: its status here is P (docs/adr/0023-order-of-versions.md).
    col.boolean("buried"),
    fillfactor=85,
)

etablissements = col.table(
    "etablissements",
    col.of_record(Etablissement, key="siret"),
    col.binary("content_hash", required=True),
    col.instant("fetched_at", required=True),
    col.instant_now("updated_at"),
    col.boolean("buried"),
    Index("ix_etablissements_siren", "siren"),
    Index("ix_etablissements_departement_siret", "departement", "siret"),
    # It finds the rows of a commune, and those of a trade in it.
    Index(
        "ix_etablissements_code_commune_activite_principale",
        "code_commune",
        "activite_principale",
    ),
    fillfactor=85,
)

# The periods that INSEE sends with each establishment. Those of a unit come only with answers of
# /siren, which the import does not ask for.
periodes_etablissements = col.table(
    "periodes_etablissements",
    col.of_record(PeriodeEtablissement),
    # The periods of a unit are a range of the key: a siret begins with its siren.
    PrimaryKeyConstraint("siret", "rang"),
)

# The next day on which a stored period of the establishment begins to hold.
turns = col.table(
    "turns",
    col.text("siret", key=True),
    col.date("day", required=True),
    Index("ix_turns_day", "day"),
)

pro_localisations = col.table(
    "pro_localisations",
    col.own_id(),
    col.text("siret", "siren", "activite_principale", "code_commune", required=True),
    col.text("slug", required=True, unique=True),
    col.text("nom", "nom_source", "libelle_activite", "libelle_commune"),
    col.one_of("status", "open", "closed"),
    col.instant_now("opened_at"),
    col.instant("closed_at"),
    # A page is one establishment: its activity, commune and name change in place.
    UniqueConstraint("siret"),
    Index("ix_pro_localisations_siren", "siren"),
    fillfactor=85,
)

# The slugs that pages had before: whoever serves pages leads them to the page of the siret. Where
# that one is closed, `to_siret` is the establishment of which INSEE declared it a duplicate.
page_redirects = col.table(
    "page_redirects",
    col.text("slug", key=True),
    col.text("siret", "siren", required=True),
    col.text("to_siret"),
    col.instant_now("since"),
    Index("ix_page_redirects_siret", "siret"),
    Index("ix_page_redirects_siren", "siren"),
)

schema_drift = col.table(
    "schema_drift",
    # `block.key` of INSEE's records without a column; never a value.
    col.text("key", key=True),
    col.instant_now("first_seen_at"),
    col.bigint("batch_id"),
)

unknown_codes = col.table(
    "unknown_codes",
    # A column of the register, and a code that it has on an open establishment.
    col.text("field", "code", required=True),
    col.instant_now("first_seen_at"),
    PrimaryKeyConstraint("field", "code"),
)

redirections = col.table(
    "redirections",
    # The siren or siret that INSEE declared a duplicate of the target.
    col.text("siren_or_siret", key=True),
    col.text("target", required=True),
    col.instant_now("seen_at"),
)

# Stored sirets that INSEE, asked by number, no longer lists, or that are to be asked for.
absences = col.table(
    "absences",
    col.text("siret", key=True),
    col.text("siren", required=True),
    # Null until INSEE has answered: moved 301, withheld 403, unknown 404.
    col.one_of("answer", "moved", "withheld", "unknown", nullable=True),
    # The siret or siren that a moved one leads to.
    col.text("target"),
    # The French day of the first such answer.
    col.date("first_seen_on"),
    col.instant("asked_at"),
    # The page stays closed while the row is not newer than the last answer.
    col.instant("page_closed_at"),
    Index("ix_absences_asked_at", "asked_at"),
)

successions = col.table(
    "successions",
    col.text("siret_predecesseur", "siret_successeur", required=True),
    col.date("date_lien_succession", required=True),
    col.boolean("transfert_siege", "continuite_economique"),
    col.insee_time("date_dernier_traitement"),
    PrimaryKeyConstraint("siret_predecesseur", "siret_successeur", "date_lien_succession"),
    Index("ix_successions_siret_successeur", "siret_successeur"),
)
