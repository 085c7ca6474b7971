"""The readers of the proof find out a portal that shows what is gone."""

import random
import threading
import time

import pytest

from tests.conditions import wait_until
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal, with_a_cache_that_lasts
from tests.proofs.reads import reader
from tests.proofs.reads.answers import ReadAnswer, ReadKind
from tests.proofs.reads.reader import ProofReader
from tests.proofs.reads.register import ReadRegister

_NAMES = ("ZORGLUBERIE", "QUINQUET", "MOULINETTE")


@pytest.fixture
def register(engine: object, desk: Desk, records: Records) -> ReadRegister:
    del engine
    desk.import_(*(records.record(n, enseigne=name) for n, name in enumerate(_NAMES, start=1)))
    publish(desk, "Un texte sur {}.")
    index_pages(desk.shards)
    register = ReadRegister(desk.engine, random.Random(1))
    register.renew()
    return register


def _read(
    portal: Portal, register: ReadRegister, monkeypatch: pytest.MonkeyPatch
) -> list[ReadAnswer]:
    """Read each kind, erase a unit, and read each kind again; return the later answers."""
    monkeypatch.setattr(reader, "_PAUSE_SECONDS", (0.0, 0.01))
    answers: list[ReadAnswer] = []
    stopping = threading.Event()
    one = ProofReader(
        portal.address,
        register,
        answers.append,
        random.Random(2),
        time.monotonic(),
    )
    thread = threading.Thread(target=one.read, args=[stopping])
    thread.start()
    try:
        wait_until(lambda: {each.kind for each in answers} == set(ReadKind), seconds=60)
        assert register.erase_one()
        before = len(answers) + 1
        wait_until(
            lambda: (
                {each.kind for each in answers[before:]} == set(ReadKind)
                and len(answers) > before + 100
            ),
            seconds=60,
        )
    finally:
        stopping.set()
        thread.join()
    return answers[before:]


def test_readers_of_a_sound_portal_see_nothing_stale(
    register: ReadRegister, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_portal(database_url, portal_anonymous_per_minute=100_000) as portal:
        answers = _read(portal, register, monkeypatch)
    assert not any(each.is_stale for each in answers)
    assert {each.status for each in answers} <= {200, 304, 410}


def test_readers_find_out_a_cache_that_ends_with_its_time(
    register: ReadRegister, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_portal(
        database_url, make=with_a_cache_that_lasts, portal_anonymous_per_minute=100_000
    ) as portal:
        answers = _read(portal, register, monkeypatch)
    assert {each.kind for each in answers if each.is_stale} == {ReadKind.PAGE}
