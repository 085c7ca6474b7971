"""Every table. Columns of the register carry INSEE's own names in snake_case, without suffix.

Hot tables carry no foreign keys: one transaction writes a unit, its establishments and their
pages together, and an erasure clears them together (docs/adr/0004-database.md).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_NOW = text("now()")


def _instant(name: str, *, nullable: bool = True, default_now: bool = False) -> Column[object]:
    """An instant of our own clock; INSEE's dates carry no offset and are `DateTime` without one."""
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable and not default_now,
        server_default=_NOW if default_now else None,
    )


def _one_of(column: str, *values: str) -> CheckConstraint:
    quoted = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({quoted})", name=column)


def _counter(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


# ── The register ──────────────────────────────────────────────────────────────────────────────

unites_legales = Table(
    "unites_legales",
    metadata,
    Column("siren", Text, primary_key=True),
    Column("statut_diffusion", Text, nullable=False),
    Column("unite_purgee", Boolean, nullable=False, server_default=text("false")),
    Column("etat_administratif", Text),
    Column("date_creation", Date),
    Column("date_dernier_traitement", DateTime),
    *_texts(
        "categorie_juridique",
        "denomination",
        "sigle",
        "denomination_usuelle1",
        "denomination_usuelle2",
        "denomination_usuelle3",
        "sexe",
        "nom",
        "nom_usage",
        "prenom1",
        "prenom2",
        "prenom3",
        "prenom4",
        "prenom_usuel",
        "pseudonyme",
        "activite_principale",
        "nomenclature_activite_principale",
        "activite_principale_naf25",
        "identifiant_association",
        "economie_sociale_solidaire",
        "societe_mission",
        "caractere_employeur",
        "tranche_effectifs",
        "annee_effectifs",
        "nic_siege",
        "categorie_entreprise",
        "annee_categorie_entreprise",
    ),
    Column("content_hash", LargeBinary, nullable=False),
    # When the quota slot of the record's GET was granted: the second half of a version.
    _instant("fetched_at", nullable=False),
    _instant("updated_at", default_now=True),
    postgresql_with={"fillfactor": "85"},
)

etablissements = Table(
    "etablissements",
    metadata,
    Column("siret", Text, primary_key=True),
    Column("siren", Text, nullable=False),
    Column("nic", Text, nullable=False),
    Column("statut_diffusion", Text, nullable=False),
    Column("etat_administratif", Text),
    Column("date_creation", Date),
    Column("date_dernier_traitement", DateTime),
    Column("siege", Boolean),
    Column("nombre_periodes", SmallInteger),
    Column("date_debut", Date),
    *_texts(
        "tranche_effectifs",
        "annee_effectifs",
        "activite_principale_registre_metiers",
        "activite_principale",
        "nomenclature_activite_principale",
        "activite_principale_naf25",
        "caractere_employeur",
        "enseigne1",
        "enseigne2",
        "enseigne3",
        "denomination_usuelle",
        "complement_adresse",
        "numero_voie",
        "indice_repetition",
        "dernier_numero_voie",
        "indice_repetition_dernier_numero_voie",
        "type_voie",
        "libelle_voie",
        "code_postal",
        "libelle_commune",
        "libelle_commune_etranger",
        "distribution_speciale",
        "code_commune",
        "code_cedex",
        "libelle_cedex",
        "code_pays_etranger",
        "libelle_pays_etranger",
        "identifiant_adresse",
    ),
    Column("coordonnee_lambert_abscisse", Double),
    Column("coordonnee_lambert_ordonnee", Double),
    *_texts(
        "complement_adresse2",
        "numero_voie2",
        "indice_repetition2",
        "type_voie2",
        "libelle_voie2",
        "code_postal2",
        "libelle_commune2",
        "libelle_commune_etranger2",
        "distribution_speciale2",
        "code_commune2",
        "code_cedex2",
        "libelle_cedex2",
        "code_pays_etranger2",
        "libelle_pays_etranger2",
    ),
    # Derived from code_commune; a column to filter on, never a key: an establishment can move.
    *_texts("departement", "region"),
    Column("content_hash", LargeBinary, nullable=False),
    _instant("fetched_at", nullable=False),
    _instant("updated_at", default_now=True),
    Index("ix_etablissements_siren", "siren"),
    Index("ix_etablissements_departement_siret", "departement", "siret"),
    Index("ix_etablissements_code_commune", "code_commune"),
    postgresql_with={"fillfactor": "85"},
)

# What INSEE sends with each establishment. A unit's own periods come only with the answers of
# /siren, which are not asked for.
periodes_etablissements = Table(
    "periodes_etablissements",
    metadata,
    Column("siret", Text, nullable=False),
    Column("siren", Text, nullable=False),
    # Counted from the oldest, which is 0: a new period appends.
    Column("rang", SmallInteger, nullable=False),
    # As INSEE sends them: 1900-01-01 is kept here.
    Column("date_debut", Date),
    Column("date_fin", Date),
    Column("etat_administratif", Text),
    Column("changement_etat_administratif", Boolean),
    *_texts("enseigne1", "enseigne2", "enseigne3"),
    Column("changement_enseigne", Boolean),
    Column("denomination_usuelle", Text),
    Column("changement_denomination_usuelle", Boolean),
    *_texts("activite_principale", "nomenclature_activite_principale"),
    Column("changement_activite_principale", Boolean),
    Column("caractere_employeur", Text),
    Column("changement_caractere_employeur", Boolean),
    # Those of a unit are a range of it, since a siret begins with its siren.
    PrimaryKeyConstraint("siret", "rang"),
)

pro_localisations = Table(
    "pro_localisations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("siret", Text, nullable=False),
    Column("siren", Text, nullable=False),
    Column("activite_principale", Text, nullable=False),
    Column("code_commune", Text, nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    Column("nom", Text),
    Column("libelle_activite", Text),
    Column("libelle_commune", Text),
    Column("status", Text, _one_of("status", "open", "closed"), nullable=False),
    _instant("opened_at", default_now=True),
    _instant("closed_at"),
    UniqueConstraint("siret", "activite_principale", "code_commune"),
    Index("ix_pro_localisations_siren", "siren"),
    postgresql_with={"fillfactor": "85"},
)

# ── The import ────────────────────────────────────────────────────────────────────────────────

quota = Table(
    "quota",
    metadata,
    # A fingerprint of the key; the key itself is never stored.
    Column("key_fingerprint", Text, primary_key=True),
    # When the next request may leave, by the minute's limit and by the hour's (GCRA).
    _instant("minute_arrival_at", default_now=True),
    _instant("hour_arrival_at", default_now=True),
    _instant("paused_until"),
    # What INSEE's headers last said; until then, and after a change of it, the setting.
    Column("requests_per_minute", Double, nullable=False),
    Column("configured_per_minute", Double),
    Column("requests_per_hour", Double),
    # What is left to us of the quota: falls with each burst of 429s, creeps back to 1.
    Column("adaptation", Double, nullable=False, server_default=text("1")),
    _instant("updated_at", default_now=True),
)

import_runs = Table(
    "import_runs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("departements", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("communes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Narrow the places down; with no place named, they narrow the whole register down.
    Column("activites", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    # Instead of all of the above: just these, as a retry asks for.
    Column("sirets", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("row_limit", BigInteger),
    # At most so many rows a day; a day is the calendar's in France, or so many seconds.
    Column("per_day", BigInteger),
    Column("day_seconds", Double),
    # The day's share is given out: until then only pages that have their part of it are fetched.
    _instant("resting_until"),
    # A delta asks for treatment windows instead of a scope (docs/adr/0005-delta.md).
    Column(
        "kind",
        Text,
        _one_of("kind", "scope", "delta"),
        nullable=False,
        server_default="scope",
    ),
    Column("since", DateTime),
    Column("overlap_hours", Double),
    # Until then it waits for INSEE to publish.
    _instant("wait_until"),
    Column("warning", Text),
    Column(
        "status",
        Text,
        _one_of("status", "pending", "running", "complete", "failed"),
        nullable=False,
        server_default="pending",
    ),
    Column("error", Text),
    _instant("lease_until"),
    _instant("created_at", default_now=True),
    _instant("completed_at"),
)

import_batches = Table(
    "import_batches",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", BigInteger, ForeignKey("import_runs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("query", Text, nullable=False),
    # The window in our own columns, to compare what is stored with what INSEE lists.
    Column("departement", Text),
    Column("code_commune", Text),
    Column("activite_principale", Text),
    Column("etat_administratif", Text),
    Column("siret_from", Text),
    Column("siret_to", Text),
    Column("sirets", ARRAY(Text)),
    # Of a delta: what INSEE treated in this collection between these dates, both included.
    Column("collection", Text),
    Column("treated_from", DateTime),
    Column("treated_until", DateTime),
    Column("row_limit", BigInteger),
    # min(row_limit, header.total of the latest page).
    Column("expected", BigInteger),
    Column(
        "status",
        Text,
        _one_of("status", "pending", "running", "complete", "failed"),
        nullable=False,
        server_default="pending",
    ),
    Column("error", Text),
    # Records in the slices that count; written by the writer, with the rows themselves.
    _counter("received"),
    # What became of rows, over every slice that was committed.
    _counter("inserted"),
    _counter("updated"),
    _counter("unchanged"),
    _counter("failed"),
    # Stated once, when the batch completes.
    Column("received_distinct", BigInteger),
    Column("stored", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    _instant("created_at", default_now=True),
    _instant("completed_at"),
    UniqueConstraint("run_id", "number"),
)

treatment_windows = Table(
    "treatment_windows",
    metadata,
    Column("run_id", BigInteger, ForeignKey("import_runs.id"), nullable=False),
    Column("collection", Text, nullable=False),
    # Null where the run brings whatever INSEE has, since ever.
    Column("treated_from", DateTime),
    Column("treated_until", DateTime, nullable=False),
    # INSEE's dateDerniereMiseADisposition: it can publish again without a later treatment.
    Column("made_available_at", DateTime),
    # When the watermark took it in.
    _instant("settled_at"),
    PrimaryKeyConstraint("run_id", "collection"),
    Index(
        "ix_treatment_windows_open",
        "run_id",
        postgresql_where=text("settled_at IS NULL"),
    ),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("collection", Text, primary_key=True),
    # Everything that INSEE treated up to here, itself included, was asked for and written.
    Column("treated_until", DateTime, nullable=False),
    Column("made_available_at", DateTime),
    _instant("moved_at", default_now=True),
)

insee_requests = Table(
    "insee_requests",
    metadata,
    # Its id is the fetch_id of the page that the request brought.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key_fingerprint", Text, nullable=False),
    Column("batch_id", BigInteger),
    Column("page", Integer),
    _instant("granted_at", nullable=False),
    # Null while in flight, and for good where the process was killed meanwhile; 0: no answer.
    Column("http_status", SmallInteger),
    Column("records", Integer),
    Column("duration_seconds", Double),
    Index("ix_insee_requests_granted_at", "granted_at"),
    # Few, and counted by `stats` at any number of requests.
    Index(
        "ix_insee_requests_throttled",
        "granted_at",
        postgresql_where=text("http_status = 429"),
    ),
)

import_pages = Table(
    "import_pages",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("import_batches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cursor", Text, nullable=False),
    # The GET that counts; receipts of another one do not.
    Column("fetch_id", BigInteger),
    Column("next_cursor", Text),
    Column("records", Integer),
    Column("is_last", Boolean),
    Column("slices_expected", Integer),
    Column("slices_done", Integer, nullable=False, server_default=text("0")),
    # Its part of a day's share: the beginning of that day, and the rows to ask for, then received.
    _instant("share_day"),
    Column("share_rows", Integer),
    # Starts since the page last succeeded: the wait before the next grows with it.
    Column("starts", Integer, nullable=False, server_default=text("0")),
    # Nobody touches the page before lease_until, but for the holder of the token.
    Column("lease_token", Uuid),
    _instant("lease_until"),
    # When the page last got further, or its message was last sent.
    _instant("moved_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "number"),
    Index(
        "ix_import_pages_incomplete",
        "moved_at",
        postgresql_where=text("slices_expected IS NULL OR slices_done < slices_expected"),
    ),
    Index(
        "ix_import_pages_share_day",
        "share_day",
        postgresql_where=text("share_day IS NOT NULL"),
    ),
)

slice_receipts = Table(
    "slice_receipts",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("import_batches.id"), nullable=False),
    Column("page", Integer, nullable=False),
    Column("fetch_id", BigInteger, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("sirets", ARRAY(Text), nullable=False),
    _instant("written_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)

certificates = Table(
    "certificates",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # The scope as it was asked for, and its windows with what was found in each.
    Column("scope", JSONB, nullable=False),
    Column("windows", JSONB, nullable=False, server_default=text("'[]'")),
    # Only the last three compare anything: `running` is also what a killed process leaves behind.
    Column(
        "status",
        Text,
        _one_of("status", "running", "void", "counts_agree", "agree", "differ"),
        nullable=False,
        server_default="running",
    ),
    # Why it is void.
    Column("reason", Text),
    # `dateDernierTraitementMaximum` of INSEE's establishments, in its own time.
    Column("informations_before", DateTime, nullable=False),
    Column("informations_after", DateTime),
    Column("expected", BigInteger),
    Column("stored", BigInteger),
    # Counts of whole sets; the sirets are kept up to a limit.
    Column("missing", BigInteger),
    Column("surplus", BigInteger),
    Column("missing_sirets", ARRAY(Text)),
    Column("surplus_sirets", ARRAY(Text)),
    # Stored, and asked for by number: INSEE does not list them any more. No part of the surplus.
    Column("gone_sirets", ARRAY(Text)),
    Column("repair_run_id", BigInteger, ForeignKey("import_runs.id")),
    _instant("started_at", default_now=True),
    _instant("finished_at"),
)

# ── Beyond one database ───────────────────────────────────────────────────────────────────────

# Which shard this database is: one row, none where it is the only one.
shard_place = Table(
    "shard_place",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("shards", SmallInteger, nullable=False),
)

# The receipt of a slice in the transaction of its rows, where that is not the one of its counters:
# whoever writes the slice again after a kill between the two reads here what became of it.
shard_receipts = Table(
    "shard_receipts",
    metadata,
    Column("batch_id", BigInteger, nullable=False),
    Column("page", Integer, nullable=False),
    Column("fetch_id", BigInteger, nullable=False),
    Column("slice", Integer, nullable=False),
    Column("records", Integer, nullable=False),
    Column("sirets", ARRAY(Text), nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    _instant("written_at", default_now=True),
    PrimaryKeyConstraint("batch_id", "page", "fetch_id", "slice"),
)

# ── What failed ───────────────────────────────────────────────────────────────────────────────

failed_items = Table(
    "failed_items",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, _one_of("kind", "write", "review"), nullable=False),
    Column("key", Text, nullable=False),
    Column("siren", Text),
    Column("batch_id", BigInteger),
    Column("payload", LargeBinary),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    _instant("created_at", default_now=True),
    _instant("resolved_at"),
    # Why it was closed without a success; null where what failed was done in the end.
    Column("closed_because", Text),
    # Retries asked for, by the schedule or by hand; the wait before the next grows with them.
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column(
        "next_attempt_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("now() + interval '1 hour'"),
    ),
    Index(
        "uq_failed_items_open",
        "kind",
        "key",
        unique=True,
        postgresql_where=text("resolved_at IS NULL"),
    ),
    Index("ix_failed_items_siren", "siren"),
    Index(
        "ix_failed_items_next_attempt_at",
        "next_attempt_at",
        postgresql_where=text("resolved_at IS NULL"),
    ),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("queue", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("actor", Text),
    # Of the records in the body, so that an erasure finds them.
    Column("sirens", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("reason", Text),
    Column("body", LargeBinary, nullable=False),
    _instant("archived_at", default_now=True),
    _instant("replayed_at"),
    UniqueConstraint("queue", "message_id"),
    Index("ix_dead_letters_sirens", "sirens", postgresql_using="gin"),
)

job_slots = Table(
    "job_slots",
    metadata,
    Column("job", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("status", Text, _one_of("status", "running", "done", "failed"), nullable=False),
    _instant("lease_until"),
    # Of the process that runs it: what it did counts only while the token is its own.
    Column("token", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    _instant("started_at", default_now=True),
    _instant("finished_at"),
    _instant("next_attempt_at"),
    Column("result", Text),
    Column("error", Text),
    PrimaryKeyConstraint("job", "slot"),
)

# What the operators that run say of themselves: whether there is one, and with which hours.
jobs = Table(
    "jobs",
    metadata,
    Column("job", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    _instant("next_at", nullable=False),
    _instant("seen_at", default_now=True),
)

# ── The stock files ───────────────────────────────────────────────────────────────────────────

stock_loads = Table(
    "stock_loads",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "collection",
        Text,
        _one_of("collection", "unites_legales", "etablissements"),
        nullable=False,
    ),
    Column("file_name", Text, nullable=False),
    # Size and version of the file: an interrupted load goes on only with the same one.
    Column("file_identity", Text, nullable=False),
    Column("file_date", Date, nullable=False),
    # What its rows carry as `fetched_at`.
    _instant("fetched_at", nullable=False),
    # The file's rows in each chunk, refused ones included: what a chunk's number means.
    Column("chunk_rows", Integer, nullable=False),
    Column("way", Text, _one_of("way", "swap", "merge"), nullable=False),
    Column(
        "status",
        Text,
        _one_of("status", "staging", "staged", "stored", "complete", "refused", "abandoned"),
        nullable=False,
        server_default="staging",
    ),
    # Of the rows that the file has: those that could be read, those that could not.
    _counter("rows"),
    _counter("refused"),
    # What became of those that could be read.
    _counter("inserted"),
    _counter("updated"),
    # In the register, but not in the file; they stay.
    Column("vanished", BigInteger),
    # The highest treatment date among the rows.
    Column("treated_until", DateTime),
    # Merged up to this block of the staging table; pages renewed up to this siret.
    _counter("merged_blocks"),
    Column("pages_siret", Text),
    _instant("started_at", default_now=True),
    _instant("finished_at"),
    # The staging table is one.
    Index(
        "uq_stock_loads_open",
        "collection",
        unique=True,
        postgresql_where=text("status IN ('staging', 'staged')"),
    ),
)

stock_chunks = Table(
    "stock_chunks",
    metadata,
    Column("load_id", BigInteger, ForeignKey("stock_loads.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    # Of the refused rows, the first ones that have a key.
    Column("refused_keys", ARRAY(Text), nullable=False),
    Column("refused_codes", ARRAY(Text), nullable=False),
    Column("treated_until", DateTime),
    _instant("written_at", default_now=True),
    PrimaryKeyConstraint("load_id", "number"),
)

# ── The texts ─────────────────────────────────────────────────────────────────────────────────

avis = Table(
    "avis",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("pro_localisation_id", BigInteger, nullable=False),
    Column("siret", Text, nullable=False),
    Column("siren", Text, nullable=False),
    Column("kind", Text, _one_of("kind", "notice", "synthese"), nullable=False),
    Column(
        "outcome",
        Text,
        _one_of(
            "outcome",
            "pending",
            "accepted",
            "rejected",
            "cancelled",
            "no_reviews",
            "skipped_non_diffusible",
            "skipped_sole_trader",
            "skipped_opposition",
        ),
        nullable=False,
    ),
    # Of the facts that are due; the accepted text's own are in accepted_facts_hash.
    Column("facts_hash", Text, nullable=False),
    Column("accepted_facts_hash", Text),
    Column("text", Text),
    Column("label", Text),
    Column("digital_source_type", Text),
    Column("model", Text),
    Column("prompt_version", Text),
    _instant("accepted_at"),
    _instant("published_at"),
    Column("claim_token", Uuid),
    _instant("lease_until"),
    _counter("attempts"),
    _instant("created_at", default_now=True),
    _instant("updated_at", default_now=True),
    UniqueConstraint("pro_localisation_id", "kind"),
    Index("ix_avis_siret", "siret"),
    Index("ix_avis_siren", "siren"),
    Index("ix_avis_pending", "published_at", "id", postgresql_where=text("outcome = 'pending'")),
    postgresql_with={"fillfactor": "70"},
)

avis_attempts = Table(
    "avis_attempts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("avis_id", BigInteger, nullable=False),
    Column("siren", Text, nullable=False),
    _instant("attempted_at", default_now=True),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("facts_hash", Text, nullable=False),
    Column("text", Text),
    Column("accepted", Boolean, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("tokens_in", Integer, nullable=False, server_default=text("0")),
    Column("tokens_out", Integer, nullable=False, server_default=text("0")),
    Column("cost_euros", Numeric(12, 6), nullable=False, server_default=text("0")),
    Column("latency_seconds", Double, nullable=False),
    Index("ix_avis_attempts_avis_id", "avis_id"),
    Index("ix_avis_attempts_siren", "siren"),
)

oppositions = Table(
    "oppositions",
    metadata,
    Column("siren", Text, primary_key=True),
    _instant("recorded_at", default_now=True),
    Column("reason", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("siren", Text, nullable=False),
    # Where only one establishment of the unit was erased.
    Column("siret", Text),
    # The version that asked for it: an older or equal clear record stays out.
    Column("date_dernier_traitement", DateTime),
    _instant("fetched_at"),
    _instant("erased_at", default_now=True),
    # A withdrawal ends an opposition, and erases nothing.
    Column(
        "reason",
        Text,
        _one_of("reason", "partial_diffusion", "opposition", "withdrawal"),
        nullable=False,
    ),
    Index("ix_erasures_siren", "siren"),
)

# ── What INSEE says beside its records ────────────────────────────────────────────────────────

schema_drift = Table(
    "schema_drift",
    metadata,
    # `block.key` of INSEE's records that no column holds; never a value.
    Column("key", Text, primary_key=True),
    _instant("first_seen_at", default_now=True),
    Column("batch_id", BigInteger),
)

redirections = Table(
    "redirections",
    metadata,
    # The siren or siret that INSEE declared to be another one's duplicate.
    Column("siren_or_siret", Text, primary_key=True),
    Column("target", Text, nullable=False),
    _instant("seen_at", default_now=True),
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
