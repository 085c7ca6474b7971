"""Claims and results while the writer or the relay holds the same rows."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from services.reviewer.store import release_claims
from services.reviewer.texts.rulings import Fate

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def test_an_avis_that_the_writer_holds_is_not_waited_for(
    register: "Register", desk: "Desk"
) -> None:
    ids = register.add(range(1, 3))
    with register.engine.connect() as writer:
        writer.execute(text("SELECT 1 FROM avis WHERE id = :id FOR UPDATE"), {"id": ids[0]})
        assert [claim.avis_id for claim in desk.claim(ids)] == ids[1:]
        writer.rollback()


def test_an_avis_that_the_relay_is_marking_is_given_back_after_the_mark(
    register: "Register", desk: "Desk"
) -> None:
    """An avis that is neither claimed nor released would stay published without a message."""
    ids = register.add(range(1, 2))
    giving_back = threading.Thread(target=release_claims, args=(desk.engine, ids))
    with register.engine.begin() as relay:
        relay.execute(text("UPDATE avis SET published_at = now()"))
        assert desk.claim(ids) == ()
        giving_back.start()
        giving_back.join(0.3)
    giving_back.join(10)
    assert register.avis(ids[0])["published_at"] is None


def test_storing_groups_and_writing_units_never_deadlock(
    register: "Register", desk: "Desk"
) -> None:
    """The writer updates units, establishments and avis in its order while results come in."""
    ids = register.add(range(1, 41))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with register.engine.begin() as writer:
                for statement in (
                    "SELECT 1 FROM unites_legales ORDER BY siren FOR NO KEY UPDATE",
                    "SELECT 1 FROM etablissements ORDER BY siret FOR NO KEY UPDATE",
                    "UPDATE etablissements SET updated_at = now()",
                    "UPDATE avis SET updated_at = now()",
                ):
                    writer.execute(text(statement))

    def review(share: list[int]) -> list[Fate]:
        fates: list[Fate] = []
        deadline = time.monotonic() + 60
        while len(fates) < len(share):
            assert time.monotonic() < deadline
            fates += desk.store(*reversed(desk.claim(share)))
        return fates

    with ThreadPoolExecutor() as threads:
        writer = threads.submit(write)
        shares = [threads.submit(review, ids[start::4]) for start in range(4)]
        try:
            for share in shares:
                assert share.result() == [Fate.ACCEPTED] * 10
        finally:
            stop.set()
        writer.result()


@pytest.mark.parametrize(
    ("flip", "fate", "outcome"),
    [
        (
            "UPDATE unites_legales SET statut_diffusion = 'P'",
            Fate.SKIPPED,
            "skipped_non_diffusible",
        ),
        (
            "UPDATE etablissements SET statut_diffusion = 'P'",
            Fate.SKIPPED,
            "skipped_non_diffusible",
        ),
        ("UPDATE etablissements SET tranche_effectifs = '11'", Fate.DISCARDED, "pending"),
        ("UPDATE pro_localisations SET status = 'closed'", Fate.SKIPPED, "cancelled"),
        (
            """
            WITH unite AS (SELECT siren FROM unites_legales FOR NO KEY UPDATE)
            INSERT INTO oppositions (siren, reason) SELECT siren, 'asked for' FROM unite
            """,
            Fate.SKIPPED,
            "skipped_opposition",
        ),
    ],
)
def test_a_result_waits_for_a_flip_that_is_being_committed_and_obeys_it(
    register: "Register", desk: "Desk", flip: str, fate: Fate, outcome: str
) -> None:
    [avis_id] = register.add(range(1, 2))
    claims = desk.claim([avis_id])
    with register.engine.connect() as writer, ThreadPoolExecutor() as threads:
        writer.execute(text(flip))
        stored = threads.submit(desk.store, *claims)
        deadline = time.monotonic() + 30
        while not register.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not stored.done()
            assert time.monotonic() < deadline
        writer.commit()
        assert stored.result() == [fate]
    assert (register.avis(avis_id)["outcome"], register.avis(avis_id)["text"]) == (outcome, None)
