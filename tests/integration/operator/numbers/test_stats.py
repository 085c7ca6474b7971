"""The numbers of the whole come from one query that reads no table as large as the register."""

import json

import pytest
from sqlalchemy import Engine, event, text
from typer.testing import CliRunner

from services.operator.__main__ import app
from services.operator.numbers import stats
from services.operator.numbers.stats import described, read_stats
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records


def read(engine: Engine) -> stats.Stats:
    with engine.connect() as connection:
        return read_stats(connection)


def test_an_empty_database_has_numbers_too(engine: Engine) -> None:
    found = read(engine)
    assert found["batches"] == {"pending": 0, "running": 0, "complete": 0, "failed": 0}
    assert found["items"]["processed"] == 0
    assert found["items"]["success_rate"] is None
    assert found["failed_items"] == {"open": 0, "resolved": 0, "no_longer_due": 0}
    assert found["quota"] == []
    assert list(described(found))


def test_the_numbers_are_those_of_the_import(engine: Engine) -> None:
    desk, records = Desk(engine), Records()
    good = [records.record(number) for number in range(1, 4)]
    bad = records.record(4) | {"siret": "no siret"}
    desk.import_(*good, bad)
    desk.batch()
    desk.execute(
        "INSERT INTO failed_items (kind, key, code, message, resolved_at)"
        " VALUES ('write', 'x', 'c', 'm', now())"
    )
    desk.execute(
        "INSERT INTO quota (key_fingerprint, requests_per_minute) VALUES ('key', 30);"
        "INSERT INTO insee_requests (key_fingerprint, granted_at, http_status)"
        " VALUES ('key', now(), 200), ('key', now() - interval '2 h', 429)"
    )

    found = read(engine)

    assert found["batches"] == {"pending": 0, "running": 1, "complete": 1, "failed": 0}
    items = found["items"]
    assert (items["processed"], items["succeeded"], items["failed"]) == (4, 3, 1)
    assert items["success_rate"] == 0.75
    assert found["failed_items"] == {"open": 1, "resolved": 1, "no_longer_due": 0}
    [quota] = found["quota"]
    assert (quota["requests_per_minute"], quota["paused_until"]) == (30, None)
    assert found["requests"] == {"last_60_seconds": 1, "http_429": 1}
    sizes = found["sizes"]
    assert sizes["database_bytes"] > sizes["tables"]["etablissements"]["bytes"] > 0
    [exact] = desk.execute("SELECT pg_database_size(current_database()) AS bytes")
    assert abs(sizes["database_bytes"] - exact["bytes"]) < 6 * 2**20
    lines = dict(described(found)).values()
    assert all("{" not in line for line in lines), "a person reads this"


def test_they_say_how_many_establishments_there_are(engine: Engine) -> None:
    desk, records = Desk(engine), Records()
    for _ in range(2):
        desk.import_(*(records.record(number) for number in range(1, 4)))
    # PostgreSQL tells its own statistics a moment later.
    desk.execute("ANALYZE etablissements, unites_legales, pro_localisations")
    found = read(engine)
    assert found["items"]["processed"] == 6
    assert found["register"] == {
        "establishments_estimated": 3,
        "legal_units_estimated": 3,
        "pages_estimated": 3,
    }


def test_one_query_reads_no_table_of_rows(engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    read(engine)
    assert len(statements) == 1
    with engine.connect() as connection:
        plan = "\n".join(connection.execute(text(f"EXPLAIN {statements[0]}")).scalars())
    for table in ("etablissements", "unites_legales", "pro_localisations", "avis", "receipts"):
        assert f" on {table}" not in plan


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_prints_them(
    database_url: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    printed = CliRunner().invoke(app, ["stats", *options])
    assert printed.exit_code == 0
    if options:
        assert json.loads(printed.stdout)["failed_items"] == {
            "open": 0,
            "resolved": 0,
            "no_longer_due": 0,
        }
    else:
        assert "success_rate: none" in printed.stdout
