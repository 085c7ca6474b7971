"""A pod of a new version waits for the schema of its version."""

import threading

import pytest
from sqlalchemy import text

from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.revision import NotCurrent
from shared.errors import UserError
from shared.runtime.schema import wait_for_schema


def _set(url: str, statement: str) -> None:
    engine = make_engine(url, application_name="test")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_it_waits_until_the_schema_is_there(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _set(database_url, "ALTER TABLE alembic_version RENAME TO away")
    waiting = threading.Thread(
        target=wait_for_schema, args=([database_url], Clock()), kwargs={"patience_seconds": 60}
    )
    waiting.start()
    waiting.join(timeout=1)
    assert waiting.is_alive()
    _set(database_url, "ALTER TABLE away RENAME TO alembic_version")
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert capsys.readouterr().out.count("run ./sirenade migrate") == 1


def test_its_patience_ends(database_url: str) -> None:
    _set(database_url, "DELETE FROM alembic_version")
    with pytest.raises(UserError, match=r"after 0 s: .* run \./sirenade migrate"):
        wait_for_schema([database_url], Clock(), patience_seconds=0)


def test_a_server_that_does_not_answer_yet_is_waited_for() -> None:
    with pytest.raises(UserError, match="after 0 s: the database does not answer"):
        wait_for_schema(["postgresql://u@127.0.0.1:1/none"], Clock(), patience_seconds=0)


def test_a_newer_schema_is_not_waited_for(database_url: str) -> None:
    _set(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NotCurrent, match="9999, which this version does not know"):
        wait_for_schema([database_url], Clock(), patience_seconds=60)
