"""A backup is restored into an empty database with every row; erased units stay erased."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from deploy.local.postgres_binaries import binaries_for
from deploy.local.processes import server_account
from services.operator.archive.backups import count_rows
from services.operator.archive.storage import open_storage
from services.writer.__main__ import app as writers_app
from shared.db.engine import make_engine
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.operator import stores
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import NATURAL, SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "store").mkdir()
    url = f"file://{tmp_path}/store"
    monkeypatch.setenv("SIRENADE_ARCHIVE_URL", url)
    monkeypatch.setenv("SIRENADE_PG_BIN", str(binaries_for(server_account())))
    return url


@pytest.fixture
def empty(postgres: RunningPostgres) -> Iterator[Engine]:
    engine = make_engine(
        postgres.create_database("restored_here"), application_name="tests", pool_size=2
    )
    yield engine
    engine.dispose()
    postgres.drop_database("restored_here")


def _point_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("SIRENADE_DATABASE_URL", url)


def _counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return count_rows(connection)


def test_all_rows_come_back_and_what_was_erased_since_goes_again(
    sirenade: Sirenade,
    desk: Desk,
    records: Records,
    store: str,
    empty: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scene = Scene(desk, records, NATURAL)
    scene.fill()
    made = json.loads(sirenade("backup", "--json").out)
    counted = _counts(desk.engine)
    assert made["rows"] == sum(counted.values()) > 10
    writers = sirenade_of(writers_app, monkeypatch, capsys)
    writers("forget", SIREN)
    exported = tmp_path / "erasures.jsonl"
    assert writers("forget", "--export", exported).status == 0
    _point_at(empty, monkeypatch)
    answer = sirenade("restore", "latest")
    assert answer.status == 0, answer.err
    assert "./sirenade forget --apply" in answer.out
    assert _counts(empty) == counted
    assert places_of(empty, *WORDS) != []
    assert writers("forget", "--apply", exported).status == 0
    assert places_of(empty, *WORDS) == []
    again = sirenade("restore", made["id"])
    assert again.status == 2
    assert "not empty" in again.err
    assert open_storage(store).keys(f"backup={made['id']}/0")


@pytest.mark.slow
def test_a_backup_goes_to_s3_and_comes_back(
    sirenade: Sirenade, store: str, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    del store
    with stores.s3() as (url, credentials):
        monkeypatch.setenv("SIRENADE_ARCHIVE_URL", url)
        monkeypatch.setenv("SIRENADE_ARCHIVE_CREDENTIALS", credentials)
        assert sirenade("backup").status == 0
        (listed,) = json.loads(sirenade("backup", "--list", "--json").out)
        _point_at(empty, monkeypatch)
        assert sirenade("restore", listed["id"]).status == 0


def test_backups_older_than_they_may_be_are_deleted_cut_short_ones_too(
    sirenade: Sirenade, store: str
) -> None:
    storage = open_storage(store)
    now = datetime.now(UTC)
    old, young = (f"{now - timedelta(days=days):%Y%m%dT%H%M%SZ}" for days in (31, 29))
    for backup_id in (old, young, "of-somebody-else"):
        storage.put(f"backup={backup_id}/0/toc.dat", b"half")
    assert json.loads(sirenade("backup", "--json").out)["deleted"] == [old]
    kept = {key.split("/")[0] for key in storage.keys("")}
    assert f"backup={old}" not in kept
    assert {f"backup={young}", "backup=of-somebody-else"} < kept
    assert len(json.loads(sirenade("backup", "--list", "--json").out)) == 1


def test_a_damaged_backup_restores_nothing(
    sirenade: Sirenade, store: str, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(sirenade("backup", "--json").out)
    path = Path(store.removeprefix("file://")) / f"backup={made['id']}" / "0" / "toc.dat"
    path.write_bytes(path.read_bytes()[::-1])
    _point_at(empty, monkeypatch)
    answer = sirenade("restore", "latest")
    assert answer.status == 2
    assert "is damaged" in answer.err
    assert _counts(empty) == {}


def test_what_is_lacking_is_said_in_one_line(
    sirenade: Sirenade, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del store
    absent = sirenade("restore", "20200101T000000Z")
    assert (absent.status, "there is no complete backup" in absent.err) == (2, True)
    monkeypatch.setenv("SIRENADE_PG_BIN", str(tmp_path))
    lacking = sirenade("backup")
    assert lacking.status == 2
    assert "pg_dump of PostgreSQL" in lacking.err
    assert "(found: none)" in lacking.err
    assert len(lacking.err.splitlines()) == 1
    monkeypatch.delenv("SIRENADE_ARCHIVE_URL")
    assert "set SIRENADE_ARCHIVE_URL" in sirenade("backup").err


def test_a_dump_is_of_one_instant_while_others_write(
    sirenade: Sirenade, desk: Desk, store: str, empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counted rows are those of the dump's own snapshot."""
    del store
    from services.operator.archive import pg_tools  # noqa: PLC0415

    dump = pg_tools.Found.dump

    def dump_while_another_writes(self: pg_tools.Found, *args: object, **options: object) -> None:
        with desk.engine.begin() as connection:
            connection.execute(text("INSERT INTO oppositions VALUES ('732829320', now(), 'x')"))
        dump(self, *args, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(pg_tools.Found, "dump", dump_while_another_writes)
    assert sirenade("backup").status == 0
    assert desk.number("oppositions") == 1
    _point_at(empty, monkeypatch)
    assert sirenade("restore", "latest").status == 0
    assert _counts(empty)["public.oppositions"] == 0
