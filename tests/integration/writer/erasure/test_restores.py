"""A restored backup brings back nothing that was withdrawn after it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from deploy.local.postgres import RunningPostgres
from deploy.local.postgres_binaries import binaries_for
from deploy.local.processes import server_account
from services.writer.erasure.honour import honour
from shared.db.engine import make_engine
from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.scene import (
    NATURAL,
    SIREN,
    STREET,
    WORDS,
    Scene,
)
from tests.integration.writer.whole_database import places_of


@pytest.fixture
def restored(
    postgres: RunningPostgres, person: Scene, tmp_path: Path
) -> Iterator[Callable[[], Engine]]:
    """Dump the database as it is now; return a function that restores it as another one."""
    person.fill()
    dump = tmp_path / "before.dump"
    _postgres_tool(person.desk.engine, "pg_dump", "--format=custom", f"--file={dump}")
    made: list[Engine] = []

    def restore() -> Engine:
        url = postgres.create_database("restored")
        engine = make_engine(url, application_name="tests-restored", pool_size=2)
        made.append(engine)
        _postgres_tool(engine, "pg_restore", "--dbname=restored", str(dump))
        return engine

    yield restore
    for engine in made:
        engine.dispose()
    postgres.drop_database("restored")


def _postgres_tool(engine: Engine, tool: str, *arguments: str) -> None:
    url = make_url(str(engine.url.render_as_string(hide_password=False)))
    subprocess.run(
        [binaries_for(server_account()) / tool, *arguments],
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGUSER": str(url.username),
            "PGPASSWORD": str(url.password),
            "PGDATABASE": str(url.database),
        },
    )


@pytest.mark.parametrize(
    "how",
    [
        "forget",
        pytest.param("turn", marks=pytest.mark.slow),
        pytest.param("turn of an establishment", marks=pytest.mark.slow),
    ],
)
def test_a_restored_dump_is_erased_again_from_the_export(
    restored: Callable[[], Engine],
    person: Scene,
    sirenade: Sirenade,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    words: tuple[str, ...] = WORDS
    if how == "forget":
        sirenade("forget", SIREN)
    elif how == "turn":
        person.turn(person.masked(1))
    else:
        # The third one, which failed to be written, stays open to all.
        words = ("CHEZ ZORGLUB", "CRAPAUDS", "zinzoline")
        person.turn(person.masked(1, unite="O"), person.masked(2, unite="O"))
    kept_now = [] if words is WORDS else ["failed_items.payload"]
    assert places_of(person.desk.engine, *words) == kept_now
    exported = tmp_path / "erasures.jsonl"
    assert sirenade("forget", "--export", exported)[0] == 0
    assert exported.stat().st_mode & 0o777 == 0o600
    engine = restored()
    assert places_of(engine, *words) != kept_now
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("SIRENADE_DATABASE_URL", url)
    status, out, _ = sirenade("forget", "--apply", exported, "--json")
    assert status == 0
    assert json.loads(out)["erased"]["etablissements"] >= 2
    assert places_of(engine, *words) == kept_now
    again = Scene(Desk(engine), person.records, NATURAL)
    again.desk.import_(again.clear(1), again.clear(2))
    assert places_of(engine, *words) == kept_now
    assert json.loads(sirenade("forget", "--apply", exported, "--json")[1])["erased"] == {}


def test_rows_that_came_in_another_way_are_erased_again(person: Scene, sirenade: Sirenade) -> None:
    person.desk.import_(person.clear(1), person.bystander())
    sirenade("forget", SIREN)
    person.desk.execute("UPDATE unites_legales SET nom = 'ZORGLUB' WHERE siren = :s", s=SIREN)
    person.desk.execute(
        "UPDATE etablissements SET libelle_voie = :street WHERE siren = :s", street=STREET, s=SIREN
    )
    with person.desk.engine.begin() as connection:
        assert honour(connection, [SIREN]) == {"unites_legales": 1, "etablissements": 1}
    assert places_of(person.desk.engine, *WORDS) == []
    assert places_of(person.desk.engine, "AU PASSANT") != []
    with person.desk.engine.begin() as connection:
        assert honour(connection, [SIREN]) == {}


def test_an_opposition_withdrawn_since_the_dump_does_not_come_back_with_it(
    person: Scene, sirenade: Sirenade, tmp_path: Path
) -> None:
    sirenade("forget", SIREN)
    (opposition,) = person.desk.execute("SELECT * FROM oppositions")
    sirenade("forget", "--withdraw", SIREN)
    exported = tmp_path / "erasures.jsonl"
    sirenade("forget", "--export", exported)
    person.desk.execute(
        "INSERT INTO oppositions VALUES (:siren, :recorded_at, :reason)", **dict(opposition)
    )
    sirenade("forget", "--apply", exported)
    assert person.desk.number("oppositions") == 0


_NO_EXPORTS = [
    "no JSON",
    "[]",
    '{"siren": "1"}',
    f'{{"siren": "{SIREN}", "recorded_at": "yesterday", "reason": "r"}}',
    f'{{"siren": "{SIREN}", "erased_at": "2026-01-01", "because": "whim"}}',
    f'{{"siren": "{SIREN}", "erased_at": "2026-01-01", "because": "opposition", "siret": "7"}}',
]


def test_a_file_that_is_no_export_is_refused_whole(
    desk: Desk, sirenade: Sirenade, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    good = {"siren": SIREN, "recorded_at": "2026-01-01T00:00:00+00:00", "reason": "asked"}
    for line in _NO_EXPORTS:
        file.write_text(f"{json.dumps(good)}\n\n{line}\n")
        status, _, err = sirenade("forget", "--apply", file)
        assert status == 2, line
        assert "line 3 is not a line of an export: nothing was applied" in err
    assert desk.number("oppositions") == 0
