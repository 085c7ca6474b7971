"""An avis is due only where the facts are new and lawful."""

import pytest

from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def test_a_pending_avis_is_cancelled_with_its_page_and_due_again_with_it(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record())
    desk.execute("""
        UPDATE avis SET published_at = now(), claim_token = gen_random_uuid(), lease_until = now()
    """)
    desk.import_(records.record(etat="F", treated="2026-02-01T00:00:00"))
    avis = avis_of(desk)
    assert (avis["outcome"], avis["claim_token"]) == ("cancelled", None)
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    avis = avis_of(desk)
    assert (avis["outcome"], avis["published_at"]) == ("pending", None)


def test_changed_facts_make_a_text_due_again_and_unchanged_ones_do_not(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record())
    accept(desk)
    accepted = avis_of(desk)
    stairs = records.record(treated="2026-02-01T00:00:00")
    stairs["adresseEtablissement"]["complementAdresseEtablissement"] = "ESCALIER B"
    assert desk.import_(stairs).updated == 1
    assert avis_of(desk) == accepted, "no fact of the text has changed"
    desk.import_(records.record(enseigne="NOUVEAU", treated="2026-03-01T00:00:00"))
    avis = avis_of(desk)
    assert avis["outcome"] == "pending"
    assert avis["facts_hash"] != avis["accepted_facts_hash"]
    assert avis["text"] == "Un texte.", "the old text stays until the new one is accepted"
    desk.import_(records.record(treated="2026-04-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "accepted", "the facts are those of the text again"


def test_a_renewal_ranks_anew_with_a_later_headcount_of_the_unit(
    desk: Desk, records: Records
) -> None:
    def with_unit_of(tranche: str, treated: str) -> int:
        unite = {"trancheEffectifsUniteLegale": tranche}
        desk.import_(records.record(enseigne="NOUVEAU", treated=treated, unite=unite))
        rank = avis_of(desk)["renewal_rank"]
        assert isinstance(rank, int)
        return rank

    desk.import_(records.record())
    accept(desk)
    small = with_unit_of("01", "2026-02-01T00:00:00")
    large = with_unit_of("41", "2026-03-01T00:00:00")
    assert large < small, "the one of most employees goes first"


def test_new_facts_take_a_claim_away(desk: Desk, records: Records) -> None:
    desk.import_(records.record())
    desk.execute("""
        UPDATE avis SET published_at = now(), claim_token = gen_random_uuid(), lease_until = now()
    """)
    desk.import_(records.record(enseigne="NOUVEAU", treated="2026-03-01T00:00:00"))
    avis = avis_of(desk)
    assert (avis["outcome"], avis["published_at"], avis["claim_token"]) == ("pending", None, None)


@pytest.mark.parametrize("outcome", ["rejected", "no_reviews"])
def test_the_same_facts_do_not_make_a_settled_avis_due(
    desk: Desk, records: Records, outcome: str
) -> None:
    desk.import_(records.record())
    desk.execute("UPDATE avis SET outcome = :outcome", outcome=outcome)
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert avis_of(desk)["outcome"] == outcome


@pytest.mark.parametrize(
    ("sole_traders", "outcome"), [(False, "skipped_sole_trader"), (True, "pending")]
)
def test_sole_traders_are_due_only_where_the_operator_says_so(
    desk: Desk, records: Records, *, sole_traders: bool, outcome: str
) -> None:
    trader = records.record(unite={"categorieJuridiqueUniteLegale": "1000"})
    desk.import_(trader, sole_traders=sole_traders)
    assert avis_of(desk)["outcome"] == outcome


def test_a_unit_that_is_open_again_is_due_again(desk: Desk, records: Records) -> None:
    desk.import_(records.record(statut="P"))
    assert avis_of(desk)["outcome"] == "skipped_non_diffusible"
    desk.import_(records.record(statut="O", treated="2026-02-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "pending"
