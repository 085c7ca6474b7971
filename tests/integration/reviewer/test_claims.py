"""Claims: one reviewer at a time may write an avis, while it is due and a lease lasts."""

from typing import TYPE_CHECKING

import pytest

from services.reviewer.store import STARTS_ALLOWED, release_claims
from services.reviewer.texts.rulings import Fate

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def test_a_claimed_avis_cannot_be_claimed_twice(register: "Register", desk: "Desk") -> None:
    ids = register.add(range(1, 6))
    assert [claim.avis_id for claim in desk.claim(ids)] == ids
    assert desk.claim(ids) == ()


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ("UPDATE unites_legales SET statut_diffusion = 'P'", "skipped_non_diffusible"),
        ("UPDATE etablissements SET statut_diffusion = 'P'", "skipped_non_diffusible"),
        ("INSERT INTO oppositions SELECT siren, now(), 'x' FROM avis", "skipped_opposition"),
        ("UPDATE pro_localisations SET status = 'closed'", "cancelled"),
        ("UPDATE unites_legales SET categorie_juridique = '1000'", "skipped_sole_trader"),
        ("DELETE FROM etablissements", "cancelled"),
    ],
)
def test_what_is_no_longer_due_gets_its_outcome_and_no_claim(
    register: "Register", desk: "Desk", change: str, outcome: str
) -> None:
    [avis_id] = register.add(range(1, 2))
    register.execute(change)
    assert desk.claim([avis_id]) == ()
    assert register.avis(avis_id)["outcome"] == outcome
    assert register.avis(avis_id)["lease_until"] is None


def test_facts_that_come_back_bring_their_accepted_text_back(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2))
    desk.store(*desk.claim([avis_id]))
    register.execute("UPDATE avis SET outcome = 'pending'")
    assert desk.claim([avis_id]) == ()
    assert register.avis(avis_id)["outcome"] == "accepted"
    desk.prompt_version = "test-2"
    register.execute("UPDATE avis SET outcome = 'pending'")
    assert len(desk.claim([avis_id])) == 1


def test_an_avis_that_is_begun_again_and_again_without_a_result_is_rejected(
    register: "Register", desk: "Desk"
) -> None:
    [avis_id] = register.add(range(1, 2))
    for _ in range(STARTS_ALLOWED):
        assert len(desk.claim([avis_id], lease_seconds=0)) == 1
    assert desk.claim([avis_id], lease_seconds=0) == ()
    assert register.avis(avis_id)["outcome"] == "rejected"
    [failed] = register.rows("SELECT code FROM failed_items")
    assert failed["code"] == "starts_without_result"


def test_giving_back_frees_our_claims_and_nobody_elses(register: "Register", desk: "Desk") -> None:
    ids = register.add(range(1, 4))
    register.execute("UPDATE avis SET published_at = now()")
    ours, theirs = desk.claim(ids[:1]), desk.claim(ids[1:2])
    release_claims(desk.engine, ids, ours)
    states = {
        row["id"]: (row["published_at"] is None, row["lease_until"] is None, row["attempts"])
        for row in register.rows("SELECT * FROM avis")
    }
    assert states == {
        ids[0]: (True, True, 0),
        ids[1]: (False, False, 1),
        ids[2]: (True, True, 0),
    }
    assert desk.store(*theirs) == [Fate.ACCEPTED]
    assert len(desk.claim(ids)) == 2
