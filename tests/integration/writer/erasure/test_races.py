"""A unit withdraws while a writer or a reviewer works on it: nothing of the unit is left."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, text

from services.reviewer.notices import template
from services.reviewer.store import claim, store
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.rulings import AvisResult, Fate
from services.writer.dead_letters import archive
from services.writer.erasure.oppositions import forget
from shared.broker import DeadLetter
from shared.messages import WRITE_QUEUE, WriteSlice
from tests.integration.writer.scene import (
    BYSTANDER,
    SIREN,
    WORDS,
    Scene,
)
from tests.integration.writer.whole_database import places_of


def _wait_for_waiters(engine: Engine, number: int, last: "Future[Any]") -> None:
    """Wait until this many transactions wait for a lock, or the last one did not have to."""
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


def _result(engine: Engine) -> AvisResult:
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM avis")).scalars().all()
    [held], _ = claim(
        engine, ids, lease_seconds=60, prompt_version=template.PROMPT_VERSION, sole_traders=True
    )
    attempt = Attempt(
        model="m", prompt_version="v", reasons=(), latency_seconds=1, text="zinzoline"
    )
    return AvisResult(claim=held, attempts=(attempt,), label="l")


def test_a_text_generated_while_its_unit_objects_is_stored_nowhere(person: Scene) -> None:
    engine = person.desk.engine
    person.desk.import_(person.clear(1), sole_traders=True)
    result = _result(engine)
    forget(engine, SIREN, reason="asked")
    assert list(store(engine, [result], sole_traders=True).values()) == [Fate.DISCARDED]
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
        assert list(storing.result(30).values()) == [Fate.ACCEPTED]
        forgetting.result(30)
    assert places_of(engine, *WORDS) == []


def test_a_slice_that_is_being_written_when_its_unit_objects_is_erased(person: Scene) -> None:
    """The unit has no row yet, so that nobody can lock it."""
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
