"""A page opens and closes with the facts of its establishment, and keeps its address."""

import pytest

from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from shared.db.neighbours import neighbourhood
from shared.sirene.reference import libelle_activite
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of, pages, redirects
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


@pytest.mark.parametrize("activite", ["56.10A", "47.24Z"])
def test_a_changed_activity_keeps_the_page_its_slug_and_its_text(
    desk: Desk, records: Records, activite: str
) -> None:
    desk.import_(records.record(activite="10.71C"))
    accept(desk)
    (before,) = pages(desk)
    desk.import_(records.record(activite=activite, treated="2026-02-01T00:00:00"))
    (page,) = pages(desk)
    assert page == before | {
        "activite_principale": activite,
        "libelle_activite": libelle_activite(activite, "NAFRev2"),
    }
    avis = avis_of(desk)
    assert (avis["outcome"], avis["text"]) == ("pending", "Un texte."), "until its successor is in"
    assert redirects(desk) == []


def test_a_new_name_or_commune_changes_the_slug_and_the_old_one_leads_to_the_page(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(enseigne="AU BON PAIN"))
    (before,) = pages(desk)
    desk.import_(records.record(enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    desk.import_(
        records.record(enseigne="LE FOURNIL", commune="24322", treated="2026-03-01T00:00:00")
    )
    (page,) = pages(desk)
    assert (page["id"], page["opened_at"]) == (before["id"], before["opened_at"])
    assert page["slug"] == "le-fournil-perigueux-00000000100001"
    assert redirects(desk) == [
        ("au-bon-pain-bordeaux-00000000100001", "00000000100001", None),
        ("le-fournil-bordeaux-00000000100001", "00000000100001", None),
    ]


def test_a_slug_that_comes_back_leads_nowhere_else(desk: Desk, records: Records) -> None:
    for month, name in enumerate(("AU BON PAIN", "LE FOURNIL", "AU BON PAIN"), start=1):
        desk.import_(records.record(enseigne=name, treated=f"2026-0{month}-02T00:00:00"))
    assert redirects(desk) == [("le-fournil-bordeaux-00000000100001", "00000000100001", None)]


def test_a_closed_page_opens_again_with_another_activity_as_the_same_page(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(activite="10.71C"))
    (before,) = pages(desk)
    closed = records.record(activite="10.71C", etat="F", treated="2026-02-01T00:00:00")
    desk.import_(closed)
    (page,) = pages(desk)
    assert (page["status"], page["slug"]) == ("closed", before["slug"])
    desk.import_(records.record(activite="56.10A", treated="2026-03-01T00:00:00"))
    (page,) = pages(desk)
    assert (page["id"], page["status"], page["slug"]) == (before["id"], "open", before["slug"])
    assert page["activite_principale"] == "56.10A"


def test_a_text_whose_page_moves_is_compared_with_its_new_neighbours(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(activite="10.71C"))
    accept(desk)
    place = f"SELECT {neighbourhood('p')} AS place FROM pro_localisations p"
    desk.execute(f"INSERT INTO avis_simhashes SELECT 7, id, ({place}) FROM avis")
    desk.import_(records.record(activite="56.10A", treated="2026-02-01T00:00:00"))
    assert desk.one("SELECT place, simhash FROM avis_simhashes") == {
        **desk.one(place),
        "simhash": 7,
    }


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


_WHAT_FOLLOWS = """
    SELECT p.siret, p.siren, p.slug, p.nom, p.libelle_activite, p.libelle_commune, p.status,
      a.siren AS siren_of_avis, a.kind, a.outcome, a.facts_hash
    FROM pro_localisations p JOIN avis a ON a.pro_localisation_id = p.id ORDER BY p.siret
"""


@pytest.mark.parametrize("shard_urls", [1], indirect=True)
def test_what_was_just_inserted_gives_the_pages_that_its_stored_rows_give(
    desk: Desk, records: Records
) -> None:
    """The pages of new rows are made from the records, without a second reading of the rows."""
    desk.import_(*records.recorded)
    made = desk.execute(_WHAT_FOLLOWS)
    assert len(made) > 10
    sirets = desk.sirets()
    desk.execute("TRUNCATE pro_localisations, avis")
    with desk.engine.begin() as connection:
        connection.execute(CREATE_NEW)
        renew_pages(connection, sirets=sirets, sirens=[], sole_traders=False)
    assert desk.execute(_WHAT_FOLLOWS) == made


def test_a_page_without_its_establishment_is_opened_again_by_it(
    desk: Desk, records: Records
) -> None:
    """A restore of single tables leaves such rows: new rows are compared after all."""
    slice_ = [records.record(number) for number in (1, 2, 3)]
    desk.import_(*slice_)
    before = pages(desk)
    desk.execute("TRUNCATE etablissements, periodes_etablissements, unites_legales")
    assert desk.import_(*slice_).inserted == 3
    assert pages(desk) == before
