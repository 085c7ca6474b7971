"""An activity that no table knows: the page stands, its text stays, and none is written."""

from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of
from tests.integration.writer.records import Records


def test_the_text_stays_while_the_activity_is_not_understood_and_is_good_afterwards(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(treated="2026-01-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "pending"
    accept(desk)
    accepted = avis_of(desk)["facts_hash"]
    desk.import_(records.record(activite="99.99X", treated="2026-02-01T00:00:00"))
    page = desk.one("SELECT status, activite_principale, libelle_activite FROM pro_localisations")
    assert page == {
        "status": "open",
        "activite_principale": "99.99X",
        "libelle_activite": None,
    }
    assert (avis_of(desk)["outcome"], avis_of(desk)["text"]) == ("not_understood", "Un texte.")
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert (avis_of(desk)["outcome"], avis_of(desk)["text"]) == ("accepted", "Un texte.")
    assert avis_of(desk)["facts_hash"] == accepted


def test_a_new_page_of_an_unknown_activity_has_no_text_due(desk: Desk, records: Records) -> None:
    desk.import_(records.record(activite="99.99X", treated="2026-02-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "not_understood"
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    assert avis_of(desk)["outcome"] == "pending"
    assert desk.number("failed_items") == 0
