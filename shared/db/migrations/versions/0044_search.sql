CREATE TABLE search_entries (
  pro_localisation_id BIGINT NOT NULL,
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  nom TEXT,
  names TEXT,
  person BOOLEAN NOT NULL,
  libelle_commune TEXT,
  code_postal TEXT,
  code_commune TEXT NOT NULL,
  activite_principale TEXT NOT NULL,
  departement TEXT NOT NULL,
  region TEXT,
  open BOOLEAN NOT NULL,
  siege BOOLEAN NOT NULL,
  tranche_effectifs TEXT,
  categorie_juridique TEXT,
  date_creation DATE NOT NULL,
  rank SMALLINT NOT NULL,
  x INTEGER,
  y INTEGER,
  terms TSVECTOR NOT NULL,
  CONSTRAINT pk_search_entries PRIMARY KEY (pro_localisation_id)
);
CREATE INDEX ix_search_entries_terms ON search_entries USING gin (terms) WITH (fastupdate = on);
CREATE INDEX ix_search_entries_siren ON search_entries (siren);
CREATE INDEX ix_search_entries_code_commune
  ON search_entries (code_commune, rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_code_commune_activite_principale
  ON search_entries (code_commune, activite_principale, rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_activite_principale_departement
  ON search_entries (activite_principale, departement, rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_departement
  ON search_entries (departement, rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_code_postal
  ON search_entries (code_postal, rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_rank ON search_entries (rank DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_date_creation
  ON search_entries (date_creation DESC, pro_localisation_id DESC);
CREATE INDEX ix_search_entries_point ON search_entries USING gist (point(x, y))
  WHERE x IS NOT NULL;

CREATE TABLE search_lexemes (
  lexeme TEXT COLLATE "C" NOT NULL,
  documents INTEGER NOT NULL,
  variants INTEGER[] NOT NULL,
  CONSTRAINT pk_search_lexemes PRIMARY KEY (lexeme)
) WITH (fillfactor = 85);
CREATE INDEX ix_search_lexemes_variants ON search_lexemes USING gin (variants);

CREATE TABLE search_prefixes (
  prefix TEXT COLLATE "C" NOT NULL,
  lexemes TEXT[] NOT NULL,
  CONSTRAINT pk_search_prefixes PRIMARY KEY (prefix)
);

CREATE TABLE search_cursors (
  consumer TEXT NOT NULL,
  position TEXT,
  moved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_search_cursors PRIMARY KEY (consumer)
);

-- Only the owner of an index may empty its list of pending entries.
CREATE FUNCTION clean_search_entries() RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT gin_clean_pending_list('public.ix_search_entries_terms')
$$;

ALTER TABLE search_entries
  ALTER nom SET STATISTICS 0, ALTER names SET STATISTICS 0, ALTER code_postal SET STATISTICS 0,
  ALTER x SET STATISTICS 0, ALTER y SET STATISTICS 0, ALTER terms SET STATISTICS 0;
ALTER TABLE search_lexemes
  ALTER lexeme SET STATISTICS 0, ALTER variants SET STATISTICS 0;
ALTER TABLE search_prefixes
  ALTER prefix SET STATISTICS 0, ALTER lexemes SET STATISTICS 0;
