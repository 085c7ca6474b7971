-- The schema of release 1.0.0, as the migrations before it had made it. Frozen: a later change of
-- tables is a revision of its own, after this one.

CREATE TABLE avis (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  pro_localisation_id BIGINT NOT NULL,
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  facts_hash TEXT NOT NULL,
  accepted_facts_hash TEXT,
  text TEXT,
  label TEXT,
  digital_source_type TEXT,
  model TEXT,
  prompt_version TEXT,
  accepted_at TIMESTAMPTZ,
  published_at TIMESTAMPTZ,
  claim_token UUID,
  lease_until TIMESTAMPTZ,
  attempts BIGINT DEFAULT 0 NOT NULL,
  created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_avis PRIMARY KEY (id),
  CONSTRAINT uq_avis_pro_localisation_id_kind UNIQUE (pro_localisation_id, kind),
  CONSTRAINT ck_avis_kind CHECK (kind IN ('notice', 'synthese')),
  CONSTRAINT ck_avis_outcome CHECK (outcome IN ('pending', 'accepted', 'rejected', 'cancelled', 'no_reviews', 'skipped_non_diffusible', 'skipped_sole_trader', 'skipped_opposition'))
) WITH (fillfactor = 70);
CREATE INDEX ix_avis_pending ON avis (published_at, id) WHERE (outcome = 'pending'::text);
CREATE INDEX ix_avis_siren ON avis (siren);
CREATE INDEX ix_avis_siret ON avis (siret);

CREATE TABLE avis_attempts (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  avis_id BIGINT NOT NULL,
  siren TEXT NOT NULL,
  attempted_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  model TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  facts_hash TEXT NOT NULL,
  text TEXT,
  accepted BOOLEAN NOT NULL,
  reasons TEXT[] NOT NULL,
  tokens_in INTEGER DEFAULT 0 NOT NULL,
  tokens_out INTEGER DEFAULT 0 NOT NULL,
  latency_seconds DOUBLE PRECISION NOT NULL,
  provider TEXT,
  tokens_cached INTEGER DEFAULT 0 NOT NULL,
  cost_eur NUMERIC(12, 8) DEFAULT 0 NOT NULL,
  CONSTRAINT pk_avis_attempts PRIMARY KEY (id)
);
CREATE INDEX ix_avis_attempts_avis_id ON avis_attempts (avis_id);
CREATE INDEX ix_avis_attempts_siren ON avis_attempts (siren);

CREATE TABLE avis_simhashes (
  simhash BIGINT NOT NULL,
  avis_id BIGINT NOT NULL,
  place INTEGER NOT NULL,
  CONSTRAINT pk_avis_simhashes PRIMARY KEY (place, avis_id)
);

CREATE TABLE dead_letters (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  queue TEXT NOT NULL,
  message_id TEXT NOT NULL,
  actor TEXT,
  reason TEXT,
  body BYTEA NOT NULL,
  archived_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  replayed_at TIMESTAMPTZ,
  sirens TEXT[] DEFAULT '{}'::text[] NOT NULL,
  CONSTRAINT pk_dead_letters PRIMARY KEY (id),
  CONSTRAINT uq_dead_letters_queue_message_id UNIQUE (queue, message_id)
);
CREATE INDEX ix_dead_letters_sirens ON dead_letters USING gin (sirens);

CREATE TABLE erasures (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  siren TEXT NOT NULL,
  date_dernier_traitement TIMESTAMP WITHOUT TIME ZONE,
  fetched_at TIMESTAMPTZ,
  erased_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  reason TEXT NOT NULL,
  siret TEXT,
  CONSTRAINT pk_erasures PRIMARY KEY (id),
  CONSTRAINT ck_erasures_reason CHECK (reason IN ('partial_diffusion', 'opposition', 'withdrawal'))
);
CREATE INDEX ix_erasures_siren ON erasures (siren);

CREATE TABLE etablissements (
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  nic TEXT NOT NULL,
  statut_diffusion TEXT NOT NULL,
  etat_administratif TEXT,
  date_creation DATE,
  date_dernier_traitement TIMESTAMP WITHOUT TIME ZONE,
  siege BOOLEAN,
  nombre_periodes SMALLINT,
  date_debut DATE,
  tranche_effectifs TEXT,
  annee_effectifs TEXT,
  activite_principale_registre_metiers TEXT,
  activite_principale TEXT,
  nomenclature_activite_principale TEXT,
  activite_principale_naf25 TEXT,
  caractere_employeur TEXT,
  enseigne1 TEXT,
  enseigne2 TEXT,
  enseigne3 TEXT,
  denomination_usuelle TEXT,
  complement_adresse TEXT,
  numero_voie TEXT,
  indice_repetition TEXT,
  dernier_numero_voie TEXT,
  indice_repetition_dernier_numero_voie TEXT,
  type_voie TEXT,
  libelle_voie TEXT,
  code_postal TEXT,
  libelle_commune TEXT,
  libelle_commune_etranger TEXT,
  distribution_speciale TEXT,
  code_commune TEXT,
  code_cedex TEXT,
  libelle_cedex TEXT,
  code_pays_etranger TEXT,
  libelle_pays_etranger TEXT,
  identifiant_adresse TEXT,
  coordonnee_lambert_abscisse DOUBLE PRECISION,
  coordonnee_lambert_ordonnee DOUBLE PRECISION,
  complement_adresse2 TEXT,
  numero_voie2 TEXT,
  indice_repetition2 TEXT,
  type_voie2 TEXT,
  libelle_voie2 TEXT,
  code_postal2 TEXT,
  libelle_commune2 TEXT,
  libelle_commune_etranger2 TEXT,
  distribution_speciale2 TEXT,
  code_commune2 TEXT,
  code_cedex2 TEXT,
  libelle_cedex2 TEXT,
  code_pays_etranger2 TEXT,
  libelle_pays_etranger2 TEXT,
  departement TEXT,
  region TEXT,
  content_hash BYTEA NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_etablissements PRIMARY KEY (siret)
) WITH (fillfactor = 85);
CREATE INDEX ix_etablissements_code_commune ON etablissements (code_commune);
CREATE INDEX ix_etablissements_departement_siret ON etablissements (departement, siret);
CREATE INDEX ix_etablissements_siren ON etablissements (siren);

CREATE TABLE failed_items (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  siren TEXT,
  batch_id BIGINT,
  payload BYTEA,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  attempts INTEGER DEFAULT 1 NOT NULL,
  created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  resolved_at TIMESTAMPTZ,
  closed_because TEXT,
  retries INTEGER DEFAULT 0 NOT NULL,
  next_attempt_at TIMESTAMPTZ DEFAULT (now() + '01:00:00'::interval) NOT NULL,
  CONSTRAINT pk_failed_items PRIMARY KEY (id),
  CONSTRAINT ck_failed_items_kind CHECK (kind IN ('write', 'review'))
);
CREATE INDEX ix_failed_items_next_attempt_at ON failed_items (next_attempt_at) WHERE (resolved_at IS NULL);
CREATE INDEX ix_failed_items_resolved_at ON failed_items (resolved_at, closed_because);
CREATE INDEX ix_failed_items_siren ON failed_items (siren);
CREATE UNIQUE INDEX uq_failed_items_open ON failed_items (kind, key) WHERE (resolved_at IS NULL);

CREATE TABLE import_runs (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  departements TEXT[] DEFAULT '{}'::text[] NOT NULL,
  communes TEXT[] DEFAULT '{}'::text[] NOT NULL,
  row_limit BIGINT,
  status TEXT DEFAULT 'pending'::text NOT NULL,
  error TEXT,
  lease_until TIMESTAMPTZ,
  created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  completed_at TIMESTAMPTZ,
  activites TEXT[] DEFAULT '{}'::text[] NOT NULL,
  sirets TEXT[] DEFAULT '{}'::text[] NOT NULL,
  etat_administratif TEXT,
  siret_from TEXT,
  siret_to TEXT,
  kind TEXT DEFAULT 'scope'::text NOT NULL,
  since TIMESTAMP WITHOUT TIME ZONE,
  overlap_hours DOUBLE PRECISION,
  wait_until TIMESTAMPTZ,
  warning TEXT,
  per_day BIGINT,
  day_seconds DOUBLE PRECISION,
  resting_until TIMESTAMPTZ,
  CONSTRAINT pk_import_runs PRIMARY KEY (id),
  CONSTRAINT ck_import_runs_kind CHECK (kind IN ('scope', 'delta')),
  CONSTRAINT ck_import_runs_status CHECK (status IN ('pending', 'running', 'complete', 'failed'))
);

CREATE TABLE insee_requests (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  key_fingerprint TEXT NOT NULL,
  batch_id BIGINT,
  page INTEGER,
  granted_at TIMESTAMPTZ NOT NULL,
  http_status SMALLINT,
  records INTEGER,
  duration_seconds DOUBLE PRECISION,
  CONSTRAINT pk_insee_requests PRIMARY KEY (id)
);
CREATE INDEX ix_insee_requests_granted_at ON insee_requests (granted_at);
CREATE INDEX ix_insee_requests_throttled ON insee_requests (granted_at) WHERE (http_status = 429);

CREATE TABLE job_slots (
  job TEXT NOT NULL,
  slot TEXT NOT NULL,
  status TEXT NOT NULL,
  lease_until TIMESTAMPTZ,
  token UUID,
  attempts INTEGER DEFAULT 1 NOT NULL,
  started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  finished_at TIMESTAMPTZ,
  next_attempt_at TIMESTAMPTZ,
  result TEXT,
  error TEXT,
  CONSTRAINT pk_job_slots PRIMARY KEY (job, slot),
  CONSTRAINT ck_job_slots_status CHECK (status IN ('running', 'done', 'failed'))
);

CREATE TABLE jobs (
  job TEXT NOT NULL,
  schedule TEXT NOT NULL,
  next_at TIMESTAMPTZ NOT NULL,
  seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_jobs PRIMARY KEY (job)
);

CREATE TABLE oppositions (
  siren TEXT NOT NULL,
  recorded_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_oppositions PRIMARY KEY (siren)
);

CREATE TABLE periodes_etablissements (
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  rang SMALLINT NOT NULL,
  date_debut DATE,
  date_fin DATE,
  etat_administratif TEXT,
  changement_etat_administratif BOOLEAN,
  enseigne1 TEXT,
  enseigne2 TEXT,
  enseigne3 TEXT,
  changement_enseigne BOOLEAN,
  denomination_usuelle TEXT,
  changement_denomination_usuelle BOOLEAN,
  activite_principale TEXT,
  nomenclature_activite_principale TEXT,
  changement_activite_principale BOOLEAN,
  caractere_employeur TEXT,
  changement_caractere_employeur BOOLEAN,
  CONSTRAINT pk_periodes_etablissements PRIMARY KEY (siret, rang)
);

CREATE TABLE pro_localisations (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  activite_principale TEXT NOT NULL,
  code_commune TEXT NOT NULL,
  slug TEXT NOT NULL,
  nom TEXT,
  libelle_activite TEXT,
  libelle_commune TEXT,
  status TEXT NOT NULL,
  opened_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  closed_at TIMESTAMPTZ,
  CONSTRAINT pk_pro_localisations PRIMARY KEY (id),
  CONSTRAINT uq_pro_localisations_siret_activite_principale_code_commune UNIQUE (siret, activite_principale, code_commune),
  CONSTRAINT uq_pro_localisations_slug UNIQUE (slug),
  CONSTRAINT ck_pro_localisations_status CHECK (status IN ('open', 'closed'))
) WITH (fillfactor = 85);
CREATE INDEX ix_pro_localisations_siren ON pro_localisations (siren);

CREATE TABLE quota (
  key_fingerprint TEXT NOT NULL,
  minute_arrival_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  hour_arrival_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  paused_until TIMESTAMPTZ,
  requests_per_minute DOUBLE PRECISION NOT NULL,
  requests_per_hour DOUBLE PRECISION,
  updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  configured_per_minute DOUBLE PRECISION,
  adaptation DOUBLE PRECISION DEFAULT 1 NOT NULL,
  CONSTRAINT pk_quota PRIMARY KEY (key_fingerprint)
);

CREATE TABLE redirections (
  siren_or_siret TEXT NOT NULL,
  target TEXT NOT NULL,
  seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_redirections PRIMARY KEY (siren_or_siret)
);

CREATE TABLE review_batch_holds (
  key UUID NOT NULL,
  provider TEXT NOT NULL,
  reserved_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  spent_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  calls BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT pk_review_batch_holds PRIMARY KEY (key)
);

CREATE TABLE review_batch_lines (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  avis_id BIGINT NOT NULL,
  claim_token UUID NOT NULL,
  provider TEXT NOT NULL,
  batch_id BIGINT,
  asks SMALLINT DEFAULT 0 NOT NULL,
  reasons TEXT[] NOT NULL,
  facts_hash TEXT,
  tokens_in INTEGER DEFAULT 0 NOT NULL,
  cost_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  parked_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_review_batch_lines PRIMARY KEY (id)
);
CREATE INDEX ix_review_batch_lines_avis_id ON review_batch_lines (avis_id);
CREATE INDEX ix_review_batch_lines_batch_id ON review_batch_lines (batch_id, id);
CREATE INDEX ix_review_batch_lines_waiting ON review_batch_lines (provider, parked_at) WHERE (batch_id IS NULL);

CREATE TABLE review_batches (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  key UUID NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  structured_output TEXT NOT NULL,
  state TEXT NOT NULL,
  remote_id TEXT,
  texts INTEGER NOT NULL,
  answered BIGINT DEFAULT 0 NOT NULL,
  cost_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  spent_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  next_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  failures BIGINT DEFAULT 0 NOT NULL,
  created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  submit_begun_at TIMESTAMPTZ,
  submitted_at TIMESTAMPTZ,
  expires_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ,
  CONSTRAINT pk_review_batches PRIMARY KEY (id),
  CONSTRAINT uq_review_batches_key UNIQUE (key),
  CONSTRAINT ck_review_batches_state CHECK (state IN ('ready', 'submitted', 'completed', 'expired', 'cancelled', 'failed', 'lost'))
);
CREATE INDEX ix_review_batches_open ON review_batches (next_at) WHERE (finished_at IS NULL);
CREATE INDEX ix_review_batches_provider ON review_batches (provider, finished_at);

CREATE TABLE review_budget (
  id SMALLINT DEFAULT 1 NOT NULL,
  cap_eur NUMERIC(16, 8) DEFAULT 0,
  reserved_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  spent_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  status TEXT DEFAULT 'running'::text NOT NULL,
  paused_because TEXT,
  sample_ids BIGINT[],
  changed_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_review_budget PRIMARY KEY (id),
  CONSTRAINT ck_review_budget_has_its_reason CHECK ((status = 'paused'::text) = (paused_because IS NOT NULL)),
  CONSTRAINT ck_review_budget_id CHECK (id = 1),
  CONSTRAINT ck_review_budget_never_below_zero CHECK (spent_eur >= 0::numeric AND reserved_eur >= 0::numeric AND (cap_eur IS NULL OR cap_eur >= 0::numeric)),
  CONSTRAINT ck_review_budget_paused_because CHECK (paused_because IN ('cap', 'asked', 'sample')),
  CONSTRAINT ck_review_budget_status CHECK (status IN ('running', 'paused'))
) WITH (fillfactor = 50);

CREATE TABLE review_providers (
  name TEXT NOT NULL,
  listed BOOLEAN NOT NULL,
  model TEXT NOT NULL,
  prompt_version TEXT,
  weight DOUBLE PRECISION NOT NULL,
  max_parallel INTEGER NOT NULL,
  charges BOOLEAN NOT NULL,
  requests_per_minute INTEGER,
  tokens_per_minute INTEGER,
  requests_arrival_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  tokens_arrival_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  slot_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  calls BIGINT DEFAULT 0 NOT NULL,
  spent_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  opened_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  paused_until TIMESTAMPTZ,
  CONSTRAINT pk_review_providers PRIMARY KEY (name)
) WITH (fillfactor = 50);

CREATE TABLE review_reservations (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  provider TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  cost_eur NUMERIC(16, 8) DEFAULT 0 NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  expired_at TIMESTAMPTZ,
  CONSTRAINT pk_review_reservations PRIMARY KEY (id)
);
CREATE INDEX ix_review_reservations_expires_at ON review_reservations (expires_at);

CREATE TABLE schema_drift (
  key TEXT NOT NULL,
  first_seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  batch_id BIGINT,
  CONSTRAINT pk_schema_drift PRIMARY KEY (key)
);

CREATE TABLE shard_place (
  shard SMALLINT NOT NULL,
  shards SMALLINT NOT NULL,
  CONSTRAINT pk_shard_place PRIMARY KEY (shard)
);

CREATE TABLE shard_receipts (
  batch_id BIGINT NOT NULL,
  page INTEGER NOT NULL,
  fetch_id BIGINT NOT NULL,
  slice INTEGER NOT NULL,
  records INTEGER NOT NULL,
  sirets TEXT[] NOT NULL,
  inserted INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  written_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_shard_receipts PRIMARY KEY (batch_id, page, fetch_id, slice)
);

CREATE TABLE sources (
  digest BYTEA NOT NULL,
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  url TEXT NOT NULL,
  licence TEXT NOT NULL,
  author_label TEXT NOT NULL,
  published_on DATE NOT NULL,
  experienced_on DATE,
  verification TEXT NOT NULL,
  verbatim TEXT NOT NULL,
  imported_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_sources PRIMARY KEY (digest)
);
CREATE INDEX ix_sources_siren ON sources (siren);
CREATE INDEX ix_sources_siret ON sources (siret);
CREATE INDEX ix_sources_url ON sources (url);

CREATE TABLE stock_loads (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  collection TEXT NOT NULL,
  file_name TEXT NOT NULL,
  file_identity TEXT NOT NULL,
  file_date DATE NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  chunk_rows INTEGER NOT NULL,
  way TEXT NOT NULL,
  status TEXT DEFAULT 'staging'::text NOT NULL,
  rows BIGINT DEFAULT 0 NOT NULL,
  refused BIGINT DEFAULT 0 NOT NULL,
  inserted BIGINT DEFAULT 0 NOT NULL,
  updated BIGINT DEFAULT 0 NOT NULL,
  vanished BIGINT,
  treated_until TIMESTAMP WITHOUT TIME ZONE,
  merged_blocks BIGINT DEFAULT 0 NOT NULL,
  pages_siret TEXT,
  started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  finished_at TIMESTAMPTZ,
  CONSTRAINT pk_stock_loads PRIMARY KEY (id),
  CONSTRAINT ck_stock_loads_collection CHECK (collection IN ('unites_legales', 'etablissements')),
  CONSTRAINT ck_stock_loads_status CHECK (status IN ('staging', 'staged', 'stored', 'complete', 'refused', 'abandoned')),
  CONSTRAINT ck_stock_loads_way CHECK (way IN ('swap', 'merge'))
);
CREATE UNIQUE INDEX uq_stock_loads_open ON stock_loads (collection) WHERE (status IN ('staging', 'staged'));

CREATE TABLE successions (
  siret_predecesseur TEXT NOT NULL,
  siret_successeur TEXT NOT NULL,
  date_lien_succession DATE NOT NULL,
  transfert_siege BOOLEAN,
  continuite_economique BOOLEAN,
  date_dernier_traitement TIMESTAMP WITHOUT TIME ZONE,
  CONSTRAINT pk_successions PRIMARY KEY (siret_predecesseur, siret_successeur, date_lien_succession)
);
CREATE INDEX ix_successions_siret_successeur ON successions (siret_successeur);

CREATE TABLE unites_legales (
  siren TEXT NOT NULL,
  statut_diffusion TEXT NOT NULL,
  unite_purgee BOOLEAN DEFAULT false NOT NULL,
  etat_administratif TEXT,
  date_creation DATE,
  date_dernier_traitement TIMESTAMP WITHOUT TIME ZONE,
  categorie_juridique TEXT,
  denomination TEXT,
  sigle TEXT,
  denomination_usuelle1 TEXT,
  denomination_usuelle2 TEXT,
  denomination_usuelle3 TEXT,
  sexe TEXT,
  nom TEXT,
  nom_usage TEXT,
  prenom1 TEXT,
  prenom2 TEXT,
  prenom3 TEXT,
  prenom4 TEXT,
  prenom_usuel TEXT,
  pseudonyme TEXT,
  activite_principale TEXT,
  nomenclature_activite_principale TEXT,
  activite_principale_naf25 TEXT,
  identifiant_association TEXT,
  economie_sociale_solidaire TEXT,
  societe_mission TEXT,
  caractere_employeur TEXT,
  tranche_effectifs TEXT,
  annee_effectifs TEXT,
  nic_siege TEXT,
  categorie_entreprise TEXT,
  annee_categorie_entreprise TEXT,
  content_hash BYTEA NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_unites_legales PRIMARY KEY (siren)
) WITH (fillfactor = 85);

CREATE TABLE watermarks (
  collection TEXT NOT NULL,
  treated_until TIMESTAMP WITHOUT TIME ZONE NOT NULL,
  made_available_at TIMESTAMP WITHOUT TIME ZONE,
  moved_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_watermarks PRIMARY KEY (collection)
);

CREATE TABLE certificates (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  scope JSONB NOT NULL,
  windows JSONB DEFAULT '[]'::jsonb NOT NULL,
  status TEXT DEFAULT 'running'::text NOT NULL,
  reason TEXT,
  informations_before TIMESTAMP WITHOUT TIME ZONE NOT NULL,
  informations_after TIMESTAMP WITHOUT TIME ZONE,
  expected BIGINT,
  stored BIGINT,
  missing BIGINT,
  surplus BIGINT,
  missing_sirets TEXT[],
  surplus_sirets TEXT[],
  gone_sirets TEXT[],
  repair_run_id BIGINT,
  started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  finished_at TIMESTAMPTZ,
  CONSTRAINT pk_certificates PRIMARY KEY (id),
  CONSTRAINT fk_certificates_repair_run_id FOREIGN KEY(repair_run_id) REFERENCES import_runs (id),
  CONSTRAINT ck_certificates_status CHECK (status IN ('running', 'void', 'counts_agree', 'agree', 'differ'))
);

CREATE TABLE import_batches (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  run_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  query TEXT NOT NULL,
  departement TEXT,
  code_commune TEXT,
  row_limit BIGINT,
  expected BIGINT,
  status TEXT DEFAULT 'pending'::text NOT NULL,
  error TEXT,
  received BIGINT DEFAULT 0 NOT NULL,
  inserted BIGINT DEFAULT 0 NOT NULL,
  updated BIGINT DEFAULT 0 NOT NULL,
  unchanged BIGINT DEFAULT 0 NOT NULL,
  failed BIGINT DEFAULT 0 NOT NULL,
  received_distinct BIGINT,
  stored BIGINT,
  missing_sirets TEXT[],
  surplus_sirets TEXT[],
  created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  completed_at TIMESTAMPTZ,
  activite_principale TEXT,
  etat_administratif TEXT,
  siret_from TEXT,
  siret_to TEXT,
  sirets TEXT[],
  collection TEXT,
  treated_from TIMESTAMP WITHOUT TIME ZONE,
  treated_until TIMESTAMP WITHOUT TIME ZONE,
  CONSTRAINT pk_import_batches PRIMARY KEY (id),
  CONSTRAINT fk_import_batches_run_id FOREIGN KEY(run_id) REFERENCES import_runs (id),
  CONSTRAINT uq_import_batches_run_id_number UNIQUE (run_id, number),
  CONSTRAINT ck_import_batches_status CHECK (status IN ('pending', 'running', 'complete', 'failed'))
);
CREATE INDEX ix_import_batches_differing ON import_batches (id) WHERE ((missing_sirets <> '{}'::text[]) OR (surplus_sirets <> '{}'::text[]));

CREATE TABLE stock_chunks (
  load_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  refused_keys TEXT[] NOT NULL,
  refused_codes TEXT[] NOT NULL,
  treated_until TIMESTAMP WITHOUT TIME ZONE,
  written_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_stock_chunks PRIMARY KEY (load_id, number),
  CONSTRAINT fk_stock_chunks_load_id FOREIGN KEY(load_id) REFERENCES stock_loads (id)
);

CREATE TABLE treatment_windows (
  run_id BIGINT NOT NULL,
  collection TEXT NOT NULL,
  treated_from TIMESTAMP WITHOUT TIME ZONE,
  treated_until TIMESTAMP WITHOUT TIME ZONE NOT NULL,
  made_available_at TIMESTAMP WITHOUT TIME ZONE,
  settled_at TIMESTAMPTZ,
  CONSTRAINT pk_treatment_windows PRIMARY KEY (run_id, collection),
  CONSTRAINT fk_treatment_windows_run_id FOREIGN KEY(run_id) REFERENCES import_runs (id)
);
CREATE INDEX ix_treatment_windows_open ON treatment_windows (run_id) WHERE (settled_at IS NULL);

CREATE TABLE import_pages (
  batch_id BIGINT NOT NULL,
  number INTEGER NOT NULL,
  cursor TEXT NOT NULL,
  fetch_id BIGINT,
  next_cursor TEXT,
  records INTEGER,
  is_last BOOLEAN,
  slices_expected INTEGER,
  slices_done INTEGER DEFAULT 0 NOT NULL,
  starts INTEGER DEFAULT 0 NOT NULL,
  lease_token UUID,
  lease_until TIMESTAMPTZ,
  moved_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  share_day TIMESTAMPTZ,
  share_rows INTEGER,
  CONSTRAINT pk_import_pages PRIMARY KEY (batch_id, number),
  CONSTRAINT fk_import_pages_batch_id FOREIGN KEY(batch_id) REFERENCES import_batches (id)
);
CREATE INDEX ix_import_pages_incomplete ON import_pages (moved_at) WHERE ((slices_expected IS NULL) OR (slices_done < slices_expected));
CREATE INDEX ix_import_pages_share_day ON import_pages (share_day) WHERE (share_day IS NOT NULL);

CREATE TABLE slice_receipts (
  batch_id BIGINT NOT NULL,
  page INTEGER NOT NULL,
  fetch_id BIGINT NOT NULL,
  slice INTEGER NOT NULL,
  records INTEGER NOT NULL,
  sirets TEXT[] NOT NULL,
  written_at TIMESTAMPTZ DEFAULT now() NOT NULL,
  CONSTRAINT pk_slice_receipts PRIMARY KEY (batch_id, page, fetch_id, slice),
  CONSTRAINT fk_slice_receipts_batch_id FOREIGN KEY(batch_id) REFERENCES import_batches (id)
);

INSERT INTO review_budget DEFAULT VALUES;
