CREATE TABLE page_redirects (
  slug TEXT NOT NULL,
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  to_siret TEXT,
  since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_page_redirects PRIMARY KEY (slug)
);
CREATE INDEX ix_page_redirects_siret ON page_redirects (siret);
CREATE INDEX ix_page_redirects_siren ON page_redirects (siren);

CREATE TABLE absences (
  siret TEXT NOT NULL,
  siren TEXT NOT NULL,
  answer TEXT,
  target TEXT,
  first_seen_on DATE,
  asked_at TIMESTAMP WITH TIME ZONE,
  page_closed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_absences PRIMARY KEY (siret),
  CONSTRAINT ck_absences_answer CHECK (answer IN ('moved', 'withheld', 'unknown'))
);
CREATE INDEX ix_absences_asked_at ON absences (asked_at);

-- Each page of an establishment that has several, with the one that stays.
CREATE TEMP TABLE merged_pages ON COMMIT DROP AS
SELECT id, first_value(id) OVER (
    PARTITION BY siret ORDER BY status = 'open' DESC, closed_at DESC NULLS LAST, id DESC) AS kept_id
FROM pro_localisations
WHERE siret IN (SELECT siret FROM pro_localisations GROUP BY siret HAVING count(*) > 1);
CREATE UNIQUE INDEX ON merged_pages (id);
ANALYZE merged_pages;

-- Each text of these pages, with the one of its kind that stays: that of the page that stays, else
-- the latest.
CREATE TEMP TABLE merged_avis ON COMMIT DROP AS
SELECT a.id, m.id AS page_id, m.kept_id AS kept_page_id,
  first_value(a.id) OVER (
    PARTITION BY m.kept_id, a.kind ORDER BY m.id = m.kept_id DESC, a.id DESC) AS kept_id
FROM avis a JOIN merged_pages m ON m.id = a.pro_localisation_id;
CREATE UNIQUE INDEX ON merged_avis (id);
ANALYZE merged_avis;

UPDATE avis_attempts t SET avis_id = m.kept_id
FROM merged_avis m WHERE t.avis_id = m.id AND m.id <> m.kept_id;
UPDATE review_batch_lines l SET avis_id = m.kept_id
FROM merged_avis m WHERE l.avis_id = m.id AND m.id <> m.kept_id;
-- They lie among the neighbours of another page.
DELETE FROM avis_simhashes s
USING merged_avis m JOIN pro_localisations p ON p.id = m.page_id
WHERE m.page_id <> m.kept_page_id AND s.avis_id = m.id
  AND s.place = ('x' || left(md5(p.activite_principale || ' ' || p.code_commune), 8))::bit(32)::int;
DELETE FROM avis a USING merged_avis m WHERE a.id = m.id AND m.id <> m.kept_id;
UPDATE avis a SET pro_localisation_id = m.kept_page_id
FROM merged_avis m WHERE a.id = m.id AND m.page_id <> m.kept_page_id;

-- A page that closed gave its slug away and got another, with its id behind it. It has its own
-- again; both lead to the page that stays.
INSERT INTO page_redirects (slug, siret, siren)
SELECT p.slug, p.siret, p.siren
FROM pro_localisations p LEFT JOIN merged_pages m USING (id)
WHERE m.id <> m.kept_id OR p.status = 'closed' AND p.slug LIKE '%-' || p.id
UNION
SELECT left(p.slug, -length('-' || p.id)), p.siret, p.siren
FROM pro_localisations p JOIN merged_pages m USING (id)
WHERE m.id <> m.kept_id AND p.status = 'closed' AND p.slug LIKE '%-' || p.id;
DELETE FROM pro_localisations p USING merged_pages m WHERE p.id = m.id AND m.id <> m.kept_id;
UPDATE pro_localisations SET slug = left(slug, -length('-' || id))
WHERE status = 'closed' AND slug LIKE '%-' || id;
DELETE FROM page_redirects r USING pro_localisations p WHERE p.slug = r.slug;

ALTER TABLE pro_localisations
  DROP CONSTRAINT uq_pro_localisations_siret_activite_principale_code_commune;
ALTER TABLE pro_localisations ADD CONSTRAINT uq_pro_localisations_siret UNIQUE (siret);
