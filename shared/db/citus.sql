-- The register on Citus 12 or later, distributed on siren: see docs/adr/0011-shards.md. Kept
-- beside the program, which does not run on it yet: where a key below gets a siren, the program's
-- ON CONFLICT must name it too. A test runs this file against a stand-in of Citus's function.
--
-- Run once on the coordinator, as the owner of the schema, after `./sirenade migrate` of the empty
-- database, with SIRENADE_DATABASE_URL naming the coordinator and no SIRENADE_SHARD_DATABASE_URLS:
-- to the program a Citus cluster is one database.

BEGIN;

CREATE EXTENSION IF NOT EXISTS citus;

-- A unique constraint of a distributed table must contain siren. A siret, a page and a slug each
-- belong to one siren for good, so with siren in front they promise the same as without:
--   siret         its first nine digits are the siren
--   slug          ends with the siret
--   ids           of pages, avis, attempts and tombstones come from one sequence for each table;
--                 Citus gives each worker a range of its own
-- Failed items are no such case, some are about a record without a siren: they stay on the
-- coordinator, in a local table.

ALTER TABLE etablissements DROP CONSTRAINT pk_etablissements;
ALTER TABLE etablissements ADD CONSTRAINT pk_etablissements PRIMARY KEY (siret, siren);

ALTER TABLE periodes_etablissements DROP CONSTRAINT pk_periodes_etablissements;
ALTER TABLE periodes_etablissements
  ADD CONSTRAINT pk_periodes_etablissements PRIMARY KEY (siret, rang, siren);

ALTER TABLE pro_localisations DROP CONSTRAINT pk_pro_localisations;
ALTER TABLE pro_localisations ADD CONSTRAINT pk_pro_localisations PRIMARY KEY (id, siren);
ALTER TABLE pro_localisations DROP CONSTRAINT uq_pro_localisations_slug;
ALTER TABLE pro_localisations ADD CONSTRAINT uq_pro_localisations_slug UNIQUE (slug, siren);
ALTER TABLE pro_localisations
  DROP CONSTRAINT uq_pro_localisations_siret_activite_principale_code_commune;
ALTER TABLE pro_localisations
  ADD CONSTRAINT uq_pro_localisations_siret_activite_principale_code_commune
  UNIQUE (siret, activite_principale, code_commune, siren);

ALTER TABLE avis DROP CONSTRAINT pk_avis;
ALTER TABLE avis ADD CONSTRAINT pk_avis PRIMARY KEY (id, siren);
ALTER TABLE avis DROP CONSTRAINT uq_avis_pro_localisation_id_kind;
ALTER TABLE avis
  ADD CONSTRAINT uq_avis_pro_localisation_id_kind UNIQUE (pro_localisation_id, kind, siren);

ALTER TABLE avis_attempts DROP CONSTRAINT pk_avis_attempts;
ALTER TABLE avis_attempts ADD CONSTRAINT pk_avis_attempts PRIMARY KEY (id, siren);

ALTER TABLE sources DROP CONSTRAINT pk_sources;
ALTER TABLE sources ADD CONSTRAINT pk_sources PRIMARY KEY (digest, siren);

ALTER TABLE erasures DROP CONSTRAINT pk_erasures;
ALTER TABLE erasures ADD CONSTRAINT pk_erasures PRIMARY KEY (id, siren);

-- What is joined or written in one transaction lies on one worker: 64 shards, as the program's
-- own buckets are 64, of one group of co-located tables.
SELECT create_distributed_table('unites_legales', 'siren', shard_count => 64);
SELECT create_distributed_table('etablissements', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table(
  'periodes_etablissements', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('pro_localisations', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('avis', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('avis_attempts', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('sources', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('erasures', 'siren', colocate_with => 'unites_legales');
SELECT create_distributed_table('oppositions', 'siren', colocate_with => 'unites_legales');

-- All other tables are the work in hand: local tables of the coordinator. There are no reference
-- tables: nothing in the database is both small and joined to the register.

COMMIT;
