"""A backup is restored into an empty database with every row, under our own schema."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from deploy.local.postgres import RunningPostgres
from services.operator.archive.backups import Backups
from services.writer.restore.loader import Restoration
from shared.archive.manifest import Manifest, StoredDatabase, manifest_key
from shared.archive.settings import BackupSettings
from shared.archive.tables import transaction_on
from shared.archive.vault import open_vault
from shared.db.engine import temporary_engine
from shared.db.migrate import upgrade_within
from shared.db.restore_marks import clear_mark
from shared.db.revision import head_revision
from shared.settings import load
from tests.integration.commands import Sirenade
from tests.integration.shared.db.definitions import definitions
from tests.integration.writer.desk import Desk
from tests.integration.writer.restore.conftest import (
    counts,
    is_marked,
    loaded,
    url_of,
)
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

_TRIGGERS = text("""
    SELECT pg_get_triggerdef(oid) || CAST(tgenabled AS text) FROM pg_trigger
    WHERE NOT tgisinternal ORDER BY 1
""")


def test_all_rows_come_back_and_what_was_erased_since_goes_again(
    back_up: Sirenade,
    restore: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    store: Path,
    empty: Engine,
) -> None:
    person.fill()
    made = loaded(back_up())
    counted = counts(person.desk.engine)
    assert made["rows"] == sum(counted.values()) > 10
    assert sirenade("forget", SIREN).status == 0
    answer = loaded(restore("latest", "--json"))
    assert answer["rows"] == made["rows"]
    assert answer["erased"]["etablissements"] >= 2
    assert places_of(empty, *WORDS) == []
    assert not is_marked(empty)
    again = restore(made["id"])
    assert again.status == 2
    assert "not empty" in again.err
    modes = {path.stat().st_mode & 0o777 for path in store.rglob("*")}
    assert modes == {0o600, 0o700}


def test_rows_schema_and_numbers_are_those_of_the_backup(
    back_up: Sirenade,
    restore: Sirenade,
    person: Scene,
    empty: Engine,
) -> None:
    person.fill()
    back_up()
    source = url_of(person.desk.engine)
    counted = counts(person.desk.engine)
    assert restore("latest", "--none").status == 0
    # The log belongs to the server that wrote it: whoever followed it begins anew.
    assert counts(empty) == counted | {"page_changes": 0}
    assert definitions(url_of(empty)) == definitions(source)
    found = {}
    for engine in (person.desk.engine, empty):
        with engine.connect() as connection:
            found[engine] = (
                connection.scalars(_TRIGGERS).all(),
                connection.execute(text("SELECT * FROM etablissements ORDER BY siret")).all(),
                connection.execute(text("SELECT * FROM avis_attempts ORDER BY id")).all(),
                connection.scalar(text("SELECT nextval('avis_id_seq')")),
            )
    assert found[empty] == found[person.desk.engine]


def test_a_backup_is_of_one_instant_while_others_write(
    back_up: Sirenade,
    restore: Sirenade,
    desk: Desk,
    empty: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = Backups._copy

    def copy_while_another_writes(self: Backups, *arguments: object) -> int:
        desk.execute(
            "INSERT INTO oppositions VALUES ('732829320', now(), 'x') ON CONFLICT DO NOTHING"
        )
        return copy(self, *arguments)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Backups, "_copy", copy_while_another_writes)
    back_up()
    assert desk.number("oppositions") == 1
    assert restore("latest", "--none").status == 0
    assert counts(empty)["oppositions"] == 0


def test_a_backup_of_an_older_revision_is_migrated(
    store: Path, postgres: RunningPostgres, database_url: str, empty: Engine, tmp_path: Path
) -> None:
    del store
    vault = open_vault(load(BackupSettings, database_url=database_url))
    with temporary_engine(postgres.create_database("older"), application_name="test") as engine:
        with engine.begin() as connection:
            upgrade_within(connection, "0037")
            connection.execute(text("INSERT INTO oppositions VALUES ('732829320', now(), 'x')"))
        with transaction_on(url_of(engine)) as connection:
            database: StoredDatabase = Backups(vault, tmp_path, print)._put(
                connection, "20260101T000000Z", 0
            )
    postgres.drop_database("older")
    manifest = Manifest(
        id="20260101T000000Z",
        made_at=datetime(2026, 1, 1, tzinfo=UTC),
        revision="0037",
        encrypted=False,
        databases=[database],
    )
    vault.put(manifest_key(manifest.id), manifest.model_dump_json().encode())
    Restoration(vault, tmp_path, print).load(manifest, [url_of(empty)])
    assert counts(empty)["oppositions"] == 1
    assert is_marked(empty)
    with empty.begin() as connection:
        clear_mark(connection)
    assert definitions(url_of(empty)) == definitions(database_url)
    with empty.connect() as connection:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert revision == head_revision()


def test_a_load_of_a_stock_file_that_was_under_way_is_abandoned(
    back_up: Sirenade,
    restore: Sirenade,
    desk: Desk,
    empty: Engine,
) -> None:
    """A backup holds no staging table."""
    desk.execute("CREATE TABLE stock_etablissements (LIKE etablissements)")
    desk.execute("""
        INSERT INTO stock_loads (collection, file_name, file_identity, file_date, fetched_at,
          chunk_rows, way, status)
        VALUES ('etablissements', 'a', 'a', now(), now(), 1, 'swap', 'staged')
    """)
    back_up()
    assert restore("latest", "--none").status == 0
    assert "stock_etablissements" not in counts(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT status FROM stock_loads")) == "abandoned"


def test_a_database_behind_several_hosts_is_backed_up(
    operators: Sirenade, database_url: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first host does not answer, as a primary that has failed."""
    del store
    url = make_url(database_url)
    hosts = f"host=127.0.0.1:1&host=127.0.0.1:{url.port}"
    several = f"postgresql://{url.username}:{url.password}@/{url.database}?{hosts}"
    monkeypatch.setenv("SIRENADE_DATABASE_URL", several)
    assert json.loads(operators("backup", "--json").out)["databases"] == 1


def test_services_that_still_run_are_noticed(
    back_up: Sirenade,
    restore: Sirenade,
    empty: Engine,
) -> None:
    back_up()
    with (
        temporary_engine(url_of(empty), application_name="sirenade-writer") as running,
        running.connect(),
    ):
        refused = restore("latest", "--none")
    assert refused.status == 2
    assert "services hold 1 connections" in refused.err
    assert counts(empty) == {}


@pytest.mark.slow
@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_each_shard_gets_its_rows_and_its_erasures(
    operators: Sirenade,
    sirenade: Sirenade,
    shard_urls: tuple[str, ...],
    person: Scene,
    store: Path,
    postgres: RunningPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del store
    person.desk.import_(person.clear(1), person.clear(2), person.bystander())
    monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(shard_urls))
    assert operators("backup").status == 0
    assert sirenade("forget", SIREN).status == 0
    names = ["restored_0", "restored_1"]
    urls = [postgres.create_database(name) for name in names]
    monkeypatch.setenv("SIRENADE_DATABASE_URL", urls[0])
    monkeypatch.setenv("SIRENADE_SHARD_DATABASE_URLS", ",".join(urls))
    answer = sirenade("restore", "latest")
    assert answer.status == 0, answer.err
    for url in urls:
        with temporary_engine(url, application_name="test") as engine:
            assert places_of(engine, *WORDS) == []
    for name in names:
        postgres.drop_database(name)
