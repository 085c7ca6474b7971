"""Fixtures of a restore: a store in a folder, an empty database, commands of two services."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from services.operator.__main__ import app as operators_app
from shared.archive.tables import tables_of
from shared.db.engine import make_engine
from tests.integration.commands import Answer, Sirenade, sirenade_of

KEY = "a key that is nowhere in the store"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a store that the settings name, with the key of its seals."""
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setenv("SIRENADE_ARCHIVE_URL", f"file://{folder}")
    monkeypatch.setenv("SIRENADE_BACKUP_KEY", KEY)
    return folder


@pytest.fixture
def operators(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sirenade:
    return sirenade_of(operators_app, monkeypatch, capsys)


@pytest.fixture
def back_up(operators: Sirenade, sirenade: Sirenade) -> Sirenade:
    """Return the command that makes a backup of the test's database."""
    del sirenade  # it has set the database

    def back_up() -> Answer:
        answer = operators("backup", "--json")
        assert answer.status == 0, answer.err
        return answer

    return back_up


@pytest.fixture
def empty(postgres: RunningPostgres) -> Iterator[Engine]:
    """Return an empty database, to which connections come also while its mark stands."""
    url = postgres.create_database("restored_here")
    engine = make_engine(url, application_name="tests", pool_size=2, marked_too=True)
    yield engine
    engine.dispose()
    postgres.drop_database("restored_here")


@pytest.fixture
def restore(
    sirenade: Sirenade, store: Path, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> Sirenade:
    """Return the command that restores into the empty database.

    Commands after it go there, too.
    """
    del store  # it is set

    def restore(*arguments: object) -> Answer:
        point_at(empty, monkeypatch)
        return sirenade("restore", *arguments)

    return restore


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def point_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", url_of(engine))


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table: connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
            for table in tables_of(connection)
        }


def is_marked(engine: Engine) -> bool:
    return counts(engine)["restore_marks"] == 1


def loaded(answer: Answer) -> Any:
    assert answer.status == 0, answer.err
    return json.loads(answer.out)
