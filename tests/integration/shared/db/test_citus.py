"""The DDL for Citus on a server without it: every name is there, and every key holds siren."""

import re
from pathlib import Path

from sqlalchemy import text

import shared.db
from shared.db.engine import make_engine
from shared.sharding import SHARD_TABLES

_FILE = Path(shared.db.__file__).with_name("citus.sql")
# What only a database beside others needs, and what holds rows without a siren.
_LOCAL = {
    "avis_simhashes",
    "failed_items",
    "review_batch_lines",
    "review_batches",
    "shard_place",
    "shard_receipts",
}

# Citus refuses a table of which a unique constraint does not hold the column that spreads it.
_STAND_IN = """
    CREATE TABLE distributed (name text, colocated_with text);
    CREATE FUNCTION create_distributed_table(
      name regclass, spread_by text, shard_count int DEFAULT NULL, colocate_with text DEFAULT NULL)
    RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      loose text;
    BEGIN
      SELECT c.relname INTO loose FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = name AND i.indisunique AND NOT EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = name AND a.attname = spread_by
          AND a.attnum = ANY(i.indkey));
      IF loose IS NOT NULL THEN
        RAISE EXCEPTION 'cannot distribute %: % does not hold %', name, loose, spread_by;
      END IF;
      INSERT INTO distributed VALUES (name::text, colocate_with);
    END $$
"""


def test_every_table_of_the_register_is_distributed_with_its_unit(database_url: str) -> None:
    ddl = _FILE.read_text(encoding="utf-8")
    runnable, removed = re.subn(r"CREATE EXTENSION IF NOT EXISTS citus;|BEGIN;|COMMIT;", "", ddl)
    assert removed == 3
    engine = make_engine(database_url, application_name="tests-citus")
    with engine.begin() as connection:
        connection.execute(text(_STAND_IN))
        connection.execute(text(runnable))
        found = connection.execute(text("SELECT name, colocated_with FROM distributed")).all()
    engine.dispose()
    assert {row.name for row in found} == SHARD_TABLES - _LOCAL
    assert {row.colocated_with for row in found if row.name != "unites_legales"} == {
        "unites_legales"
    }
