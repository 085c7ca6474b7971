"""The index follows the pages, and its words the entries."""

from sqlalchemy import Engine, text

from services.portal.index import prefixes
from services.portal.index.indexer import follow
from tests.integration.portal.index.conftest import Step, indexed, lexicon
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import LATER

ONE, TWO = "00000000100001", "00000000200002"


def test_pages_become_entries_with_their_words(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"), records.record(2, enseigne="LE MOULIN"))
    found = step()
    assert found.agrees
    assert (found.pages, found.entries, found.waiting) == (2, 2, 0)
    assert indexed(engine) == {ONE: ("LE FOURNIL", True), TWO: ("LE MOULIN", True)}
    words = lexicon(engine)
    assert (words["fournil"], words["bordeaux"], words["atelier"]) == (1, 2, 2)
    assert not any("=" in word for word in words)


def test_a_page_that_changes_changes_its_entry_and_the_words(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"), records.record(2, enseigne="LE MOULIN"))
    step()
    renamed = records.record(1, enseigne="LE PETRIN", treated="2026-02-01T00:00:00")
    desk.import_(renamed, fetched_at=LATER)
    assert step().agrees
    assert indexed(engine)[ONE] == ("LE PETRIN", True)
    words = lexicon(engine)
    assert "fournil" not in words
    assert (words["petrin"], words["le"], words["bordeaux"]) == (1, 2, 2)


def test_a_closed_page_is_still_found_as_closed(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    step()
    closed = records.record(1, enseigne="LE FOURNIL", etat="F", treated="2026-02-01T00:00:00")
    desk.import_(closed, fetched_at=LATER)
    assert step().agrees
    assert indexed(engine) == {ONE: ("LE FOURNIL", False)}


def test_what_insee_masks_has_no_entry(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    masked = {"statutDiffusionUniteLegale": "P"}
    desk.import_(records.record(1, statut="P"), records.record(2, unite=masked), records.record(3))
    found = step()
    assert found.agrees
    assert (found.pages, found.entries) == (1, 1)
    assert set(indexed(engine)) == {"00000000300003"}


def test_a_record_that_is_shown_again_comes_back(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL", statut="P"))
    assert step().entries == 0
    shown = records.record(1, enseigne="LE FOURNIL", treated="2026-02-01T00:00:00")
    desk.import_(shown, fetched_at=LATER)
    assert step().agrees
    assert indexed(engine) == {ONE: ("LE FOURNIL", True)}


def test_changes_are_read_once(desk: Desk, engine: Engine, records: Records, step: Step) -> None:
    desk.import_(records.record(1))
    step()
    desk.import_(records.record(2))
    changes, put = follow(engine)
    assert (changes, put.put) == (1, 1)
    assert follow(engine) == (0, (0, 0))


def test_an_index_whose_changes_are_kept_no_more_is_made_from_the_pages(
    desk: Desk, records: Records, step: Step
) -> None:
    desk.import_(records.record(1), fetched_at=FETCHED_AT)
    step()
    desk.import_(records.record(2))
    desk.execute("TRUNCATE page_changes")
    desk.execute("UPDATE search_cursors SET position = '1.1' WHERE consumer = 'index'")
    found = step()
    assert found.agrees
    assert found.entries == 2


def test_the_pending_list_is_empty_after_a_step(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(*(records.record(number) for number in range(1, 30)))
    step()
    with engine.connect() as connection:
        cleaned = text("SELECT gin_clean_pending_list('ix_search_entries_terms')")
        assert connection.scalar(cleaned) == 0


def test_prefixes_have_the_most_frequent_words_first(
    desk: Desk, engine: Engine, records: Records, step: Step
) -> None:
    desk.import_(
        records.record(1, enseigne="MOULINEX"),
        records.record(2, enseigne="MOULIN"),
        records.record(3, enseigne="MOULIN"),
    )
    step()
    [row] = desk.execute("SELECT lexemes FROM search_prefixes WHERE prefix = 'mou'")
    assert row["lexemes"] == ["moulin", "moulinex"]
    assert not prefixes.renew(engine), "they are made once a day"
