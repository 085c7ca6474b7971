"""A page opens and closes with the facts of its establishment, and keeps its address."""

import pytest

from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of, pages
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
