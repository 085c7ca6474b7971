CREATE TABLE trade_counts (
  code_commune TEXT NOT NULL,
  activite_principale TEXT NOT NULL,
  nomenclature_activite_principale TEXT NOT NULL,
  etablissements INTEGER NOT NULL,
  with_employees INTEGER NOT NULL,
  CONSTRAINT pk_trade_counts
    PRIMARY KEY (code_commune, activite_principale, nomenclature_activite_principale)
) WITH (fillfactor = 85);

CREATE TABLE trade_count_changes (
  code_commune TEXT NOT NULL,
  activite_principale TEXT NOT NULL,
  nomenclature_activite_principale TEXT NOT NULL,
  etablissements INTEGER NOT NULL,
  with_employees INTEGER NOT NULL
);
CREATE INDEX ix_trade_count_changes_code_commune_activite_principale
  ON trade_count_changes (code_commune, activite_principale);

-- A row counts while it is open and has an activity and a commune; the bands NN and 00 have nobody.
CREATE FUNCTION note_trades() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO trade_count_changes
    SELECT code_commune, activite_principale, nomenclature_activite_principale, count(*),
      count(*) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00'))
    FROM new_rows
    WHERE etat_administratif = 'A' AND code_commune IS NOT NULL
      AND activite_principale IS NOT NULL AND nomenclature_activite_principale IS NOT NULL
    GROUP BY 1, 2, 3;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO trade_count_changes
    SELECT code_commune, activite_principale, nomenclature_activite_principale, sum(number),
      coalesce(sum(number) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00')), 0)
    FROM (
      SELECT code_commune, activite_principale, nomenclature_activite_principale,
        tranche_effectifs, etat_administratif, 1 AS number FROM new_rows
      UNION ALL
      SELECT code_commune, activite_principale, nomenclature_activite_principale,
        tranche_effectifs, etat_administratif, -1 FROM old_rows) changes
    WHERE etat_administratif = 'A' AND code_commune IS NOT NULL
      AND activite_principale IS NOT NULL AND nomenclature_activite_principale IS NOT NULL
    GROUP BY 1, 2, 3
    HAVING sum(number) <> 0
      OR sum(number) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00')) <> 0;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO trade_count_changes
    SELECT code_commune, activite_principale, nomenclature_activite_principale, -count(*),
      -count(*) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00'))
    FROM old_rows
    WHERE etat_administratif = 'A' AND code_commune IS NOT NULL
      AND activite_principale IS NOT NULL AND nomenclature_activite_principale IS NOT NULL
    GROUP BY 1, 2, 3;
  ELSE
    -- Whoever truncates may name these tables, too. A process that moves changes is waited for.
    DELETE FROM trade_count_changes;
    DELETE FROM trade_counts;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER note_trades_inserted AFTER INSERT ON etablissements
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_trades();
CREATE TRIGGER note_trades_updated AFTER UPDATE ON etablissements
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION note_trades();
CREATE TRIGGER note_trades_deleted AFTER DELETE ON etablissements
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION note_trades();
CREATE TRIGGER note_trades_truncated AFTER TRUNCATE ON etablissements
  FOR EACH STATEMENT EXECUTE FUNCTION note_trades();

INSERT INTO trade_counts
SELECT code_commune, activite_principale, nomenclature_activite_principale, count(*),
  count(*) FILTER (WHERE tranche_effectifs NOT IN ('NN', '00'))
FROM etablissements
WHERE etat_administratif = 'A' AND code_commune IS NOT NULL
  AND activite_principale IS NOT NULL AND nomenclature_activite_principale IS NOT NULL
GROUP BY 1, 2, 3;

ALTER TABLE stock_loads
  ADD COLUMN forced BOOLEAN DEFAULT false NOT NULL,
  ADD COLUMN head_offices BIGINT
