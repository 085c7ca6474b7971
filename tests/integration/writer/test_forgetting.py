"""An opposition erases the unit and keeps it out, through races and restores."""

import datetime as dt
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text

from deploy.local.postgres import RunningPostgres
from deploy.local.postgres_binaries import binaries_for
from deploy.local.processes import server_account
from services.reviewer.generators import template
from services.reviewer.judging import Fate, Result
from services.reviewer.reviewing import Attempt
from services.reviewer.store import claim, store
from services.writer.__main__ import app
from services.writer.archiving import archive
from services.writer.forgetting import forget, honour_everyone
from shared.broker import DeadLetter
from shared.db.engine import make_engine
from shared.messages import WRITE_QUEUE, WriteSlice
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.writer.conftest import FETCHED_AT, Desk, Records
from tests.integration.writer.searching import places_of
from tests.integration.writer.test_erasure import (
    BYSTANDER,
    LEGAL,
    NATURAL,
    PUBLIC_OF_LEGAL,
    SIREN,
    STREET,
    WORDS,
    Scene,
)

_ALL_WORDS = (*WORDS, PUBLIC_OF_LEGAL, "LE FOURNIL", "fournil")


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture(params=[NATURAL, LEGAL], ids=["person", "company"])
def scene(request: pytest.FixtureRequest, desk: Desk, records: Records) -> Scene:
    scene = Scene(desk, records, request.param)
    scene.fill()
    return scene


@pytest.fixture
def person(desk: Desk, records: Records) -> Scene:
    return Scene(desk, records, NATURAL)


def test_who_objects_is_in_no_column_any_more_and_is_kept_out(
    scene: Scene, sirenade: Sirenade
) -> None:
    desk = scene.desk
    status, out, _ = sirenade("forget", SIREN, "--json")
    assert status == 0
    (told,) = json.loads(out)
    assert (told["siren"], told["is_new"], told["is_stored"]) == (SIREN, True, True)
    assert set(told["erased"]) >= {
        "avis",
        "avis_attempts",
        "dead_letters",
        "etablissements",
        "failed_items",
        "pro_localisations",
        "unites_legales",
    }
    assert places_of(desk.engine, *_ALL_WORDS) == []
    assert scene.letter_sirens("of both") == [BYSTANDER]
    outcomes = desk.execute("SELECT DISTINCT outcome FROM avis WHERE siren = :s", s=SIREN)
    assert [row["outcome"] for row in outcomes] == ["skipped_opposition"]
    newer = scene.clear(2, treated="2026-06-01T00:00:00")
    broken = scene.clear(5)
    broken["dateCreationEtablissement"] = "never"
    desk.import_(newer, broken, scene.clear(6), fetched_at=FETCHED_AT + dt.timedelta(days=30))
    scene.archive(scene.body(newer), "later")
    assert places_of(desk.engine, *_ALL_WORDS) == []


def test_forgetting_twice_does_nothing_more(scene: Scene, sirenade: Sirenade) -> None:
    sirenade("forget", SIREN)
    before = scene.desk.execute("SELECT * FROM erasures")
    status, out, _ = sirenade("forget", f"{SIREN[:3]} {SIREN[3:6]} {SIREN[6:]}")
    assert status == 0
    assert "stood already" in out
    assert "nothing was there to erase" in out
    assert scene.desk.execute("SELECT * FROM erasures") == before
    assert scene.desk.import_(scene.clear(1)).unchanged == 1, "the hidden record is as it was"


def test_a_unit_that_is_not_stored_yet_never_comes_in_clear(
    person: Scene, sirenade: Sirenade
) -> None:
    person.archive(person.body(person.clear(1)), "early")
    status, out, _ = sirenade("forget", SIREN)
    assert status == 0
    assert "not stored" in out
    assert places_of(person.desk.engine, *WORDS) == []
    person.desk.import_(person.clear(1), person.clear(2))
    assert places_of(person.desk.engine, *WORDS) == []
    assert len(person.desk.sirets()) == 2


def test_a_withdrawn_opposition_lets_the_next_import_bring_the_data_back(
    person: Scene, sirenade: Sirenade
) -> None:
    person.desk.import_(person.clear(1), sole_traders=True)
    sirenade("forget", SIREN)
    person.desk.import_(person.clear(1), sole_traders=True)
    _, out, _ = sirenade("forget", "--withdraw", SIREN)
    assert "opposition ended" in out
    assert places_of(person.desk.engine, *WORDS) == []
    person.desk.import_(person.clear(1), sole_traders=True)
    assert "unites_legales.nom" in places_of(person.desk.engine, "ZORGLUB")
    assert person.desk.one("SELECT outcome FROM avis") == {"outcome": "pending"}
    reasons = person.desk.execute("SELECT reason FROM erasures ORDER BY id")
    assert [row["reason"] for row in reasons] == ["opposition", "withdrawal"]
    assert "no opposition stood" in sirenade("forget", "--withdraw", SIREN)[1]


_MISTAKES: list[tuple[list[str], str]] = [
    (["12345"], "'12345' is not a siren: nine digits"),
    (["12345678901234"], "is a siret: an opposition is the unit's, 123456789"),
    (["000000019"], "not stored, and its check digit is wrong: --force records it anyway"),
    ([], "say what: SIREN…, or --export FILE, or --apply FILE"),
    ([SIREN, "--export", "x"], "say what: SIREN…, or --export FILE, or --apply FILE"),
    (["--withdraw", "--export", "x"], "--withdraw goes with SIREN…"),
    (["--apply", "/nowhere/at.all"], "cannot read /nowhere/at.all: No such file"),
    (["--export", "/nowhere/at.all"], "No such file or directory"),
]


def test_a_mistake_gets_one_clear_line(sirenade: Sirenade) -> None:
    for arguments, message in _MISTAKES:
        status, out, err = sirenade("forget", *arguments)
        assert (status, out) == (2, ""), arguments
        assert message in err
        assert len(err.splitlines()) == 1


def test_a_number_with_a_wrong_check_digit_is_taken_where_one_insists(
    desk: Desk, sirenade: Sirenade
) -> None:
    assert sirenade("forget", "000000019", "--force")[0] == 0
    assert desk.one("SELECT siren FROM oppositions") == {"siren": "000000019"}


# ── Races ──


def _wait_for_waiters(engine: Engine, number: int, last: "Future[Any]") -> None:
    """Until so many transactions wait for a lock, or the last of them did not have to."""
    query = text("""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """)
    deadline = time.monotonic() + 20
    while not last.done():
        assert time.monotonic() < deadline
        with engine.connect() as connection:
            if connection.execute(query).scalar_one() >= number:
                return
        time.sleep(0.02)


def _result(engine: Engine) -> Result:
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM avis")).scalars().all()
    claimed = claim(
        engine, ids, lease_seconds=60, prompt_version=template.PROMPT_VERSION, sole_traders=True
    )
    (held,) = claimed.claims
    attempt = Attempt(
        model="m", prompt_version="v", reasons=(), latency_seconds=1, text="zinzoline"
    )
    return Result(claim=held, attempts=(attempt,), label="l")


def test_a_text_generated_while_its_unit_objects_is_stored_nowhere(person: Scene) -> None:
    engine = person.desk.engine
    person.desk.import_(person.clear(1), sole_traders=True)
    result = _result(engine)
    forget(engine, SIREN, reason="asked")
    assert set(store(engine, [result], sole_traders=True).values()) <= {
        Fate.DISCARDED,
        Fate.SKIPPED,
    }
    assert places_of(engine, *WORDS) == []


def test_a_text_that_is_being_stored_when_its_unit_objects_is_erased(person: Scene) -> None:
    engine = person.desk.engine
    person.desk.import_(person.clear(1), sole_traders=True)
    result = _result(engine)
    with ThreadPoolExecutor(2) as pool, engine.connect() as gate:
        # The reviewer has its locks and its ruling, and cannot write its attempt yet.
        gate.execute(text("LOCK avis_attempts IN SHARE ROW EXCLUSIVE MODE"))
        storing = pool.submit(store, engine, [result], sole_traders=True)
        _wait_for_waiters(engine, 1, storing)
        forgetting = pool.submit(forget, engine, SIREN, reason="asked")
        _wait_for_waiters(engine, 2, forgetting)
        gate.rollback()
        assert set(storing.result(30).values()) <= set(Fate)
        forgetting.result(30)
    assert places_of(engine, *WORDS) == []


def test_a_slice_that_is_being_written_when_its_unit_objects_is_erased(person: Scene) -> None:
    """The unit has no row yet that anybody could lock."""
    desk = person.desk
    with ThreadPoolExecutor(2) as pool, desk.engine.connect() as gate:
        # The slice has looked for oppositions, and stops before it writes its pages.
        gate.execute(text("LOCK pro_localisations IN SHARE ROW EXCLUSIVE MODE"))
        writing = pool.submit(desk.import_, person.clear(1))
        _wait_for_waiters(desk.engine, 1, writing)
        forgetting = pool.submit(forget, desk.engine, SIREN, reason="asked")
        _wait_for_waiters(desk.engine, 2, forgetting)
        gate.rollback()
        assert writing.result(30).inserted == 1
        forgetting.result(30)
    assert places_of(desk.engine, *WORDS) == []


def test_a_dead_letter_that_is_being_archived_when_its_unit_turns_partial_is_cut(
    person: Scene,
) -> None:
    engine = person.desk.engine
    body = person.body(person.clear(1), person.bystander())
    letter = DeadLetter(WRITE_QUEUE, "rejected", body, WriteSlice.ACTOR, "of both")
    with ThreadPoolExecutor(1) as pool, engine.connect() as archiving:
        archive(archiving, letter)
        turning = pool.submit(person.turn, person.masked(1))
        _wait_for_waiters(engine, 1, turning)
        archiving.commit()
        turning.result(30)
    assert places_of(engine, *WORDS) == []
    assert person.letter_sirens("of both") == [BYSTANDER]


# ── Restore ──


@pytest.fixture
def restored(
    postgres: RunningPostgres, person: Scene, tmp_path: Path
) -> Iterator[Callable[[], Engine]]:
    """Dumps the database as it is now; what is returned restores it as another one."""
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
    assert honour_everyone(person.desk.engine) == {"unites_legales": 1, "etablissements": 1}
    assert places_of(person.desk.engine, *WORDS) == []
    assert places_of(person.desk.engine, "AU PASSANT") != []
    assert honour_everyone(person.desk.engine) == {}


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
        assert "line 3 is no line of an export: nothing was applied" in err
    assert desk.number("oppositions") == 0
