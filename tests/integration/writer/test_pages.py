"""A page opens and closes with the facts of its establishment, and keeps its address."""

from tests.integration.writer.desk import Desk
from tests.integration.writer.pages import accept, avis_of, pages
from tests.integration.writer.records import Records

ON_TWO_SHARDS = True


def test_a_new_establishment_opens_a_page_with_a_due_avis(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1, enseigne="L'Épi d'Or"))
    (page,) = pages(desk)
    assert page["status"] == "open"
    assert page["slug"] == "l-epi-d-or-bordeaux-00000000100001"
    assert page["libelle_commune"] == "Bordeaux"
    avis = avis_of(desk)
    assert (avis["kind"], avis["outcome"], avis["pro_localisation_id"]) == (
        "notice",
        "pending",
        page["id"],
    )


def test_a_closed_establishment_has_no_page(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1, etat="F"), records.record(2, commune=None))
    assert pages(desk) == []
    assert desk.number("avis") == 0


def test_a_changed_activity_closes_the_page_and_opens_another(desk: Desk, records: Records) -> None:
    desk.import_(records.record(activite="10.71C"))
    desk.import_(records.record(activite="56.10A", treated="2026-02-01T00:00:00"))
    old, new = pages(desk)
    assert (old["status"], new["status"]) == ("closed", "open")
    assert old["closed_at"] is not None
    assert new["slug"] == "atelier-000000001-bordeaux-00000000100001"
    outcomes = desk.execute("SELECT outcome FROM avis ORDER BY pro_localisation_id")
    assert [row["outcome"] for row in outcomes] == ["cancelled", "pending"]


def test_a_page_reopens_with_its_own_slug_and_its_good_text(desk: Desk, records: Records) -> None:
    desk.import_(records.record())
    accept(desk)
    desk.import_(records.record(etat="F", treated="2026-02-01T00:00:00"))
    (page,) = pages(desk)
    assert page["status"] == "closed"
    desk.import_(records.record(treated="2026-03-01T00:00:00"))
    (page,) = pages(desk)
    assert (page["status"], page["closed_at"]) == ("open", None)
    assert page["slug"] == "atelier-000000001-bordeaux-00000000100001"
    assert avis_of(desk)["outcome"] == "accepted"


def test_a_unit_that_comes_after_its_establishments_opens_their_pages(
    desk: Desk, records: Records
) -> None:
    siren = "000000007"
    desk.import_(records.record(1, siren=siren), records.record(2, siren=siren))
    desk.execute("TRUNCATE unites_legales, pro_localisations, avis")
    desk.import_(records.record(1, siren=siren))
    assert len(pages(desk)) == 2
