"""INSEE no longer lists a number: its page closes, and a duplicate's leads to the other one's."""

import datetime as dt
from pathlib import Path

import orjson
import pytest

from shared.imports.absences import (
    ask_for,
    forget_absence,
    record_absence,
    record_presence,
    take_due,
)
from tests.integration.writer.desk import Desk
from tests.integration.writer.page_rows import accept, avis_of, pages, redirects
from tests.integration.writer.records import Records

_LINES = Path(__file__).parents[3] / "fixtures" / "register" / "duplicate.jsonl"
_DUPLICATE, _TARGET = "93800000700010", "93800010600010"
_SIRET = "00000000100001"


def absent(desk: Desk, siret: str, answer: str, target: str | None = None) -> bool:
    with desk.engine.begin() as connection:
        return record_absence(connection, siret, answer, target=target)


def due(desk: Desk, *, per_day: int = 10) -> str | None:
    with desk.engine.begin() as connection:
        return take_due(connection, per_day=per_day)


def a_day_passes(desk: Desk) -> None:
    desk.execute("""
        UPDATE absences SET first_seen_on = first_seen_on - 1, asked_at = asked_at - interval '25 h'
    """)


def statuses(desk: Desk) -> dict[str, str]:
    return {page["siret"]: page["status"] for page in pages(desk)}


@pytest.fixture
def duplicate(desk: Desk) -> None:
    """Import the duplicate and the establishment that it leads to."""
    desk.import_(*map(orjson.loads, _LINES.read_bytes().splitlines()))
    assert statuses(desk) == {_DUPLICATE: "open", _TARGET: "open"}


@pytest.mark.usefixtures("duplicate")
def test_a_duplicate_s_page_closes_and_leads_to_the_other_one(desk: Desk) -> None:
    (old, _) = pages(desk)
    assert absent(desk, _DUPLICATE, "moved", _TARGET)
    assert statuses(desk) == {_DUPLICATE: "closed", _TARGET: "open"}
    assert redirects(desk) == [(old["slug"], _DUPLICATE, _TARGET)]
    outcomes = desk.execute("SELECT siret, outcome FROM avis ORDER BY siret")
    assert [tuple(row.values()) for row in map(dict, outcomes)] == [
        (_DUPLICATE, "cancelled"),
        (_TARGET, "pending"),
    ]


def test_a_page_of_an_absent_number_stays_closed_until_a_newer_record_comes(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1))
    assert absent(desk, _SIRET, "moved", "00000000200002")
    # The unit changes, and with it the pages of its establishments are made again.
    desk.import_(records.record(2, siren="000000001", treated="2026-03-01T00:00:00"))
    assert statuses(desk)[_SIRET] == "closed"
    back = records.record(1, treated="2027-01-01T00:00:00")
    desk.import_(back, fetched_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert statuses(desk)[_SIRET] == "open"


def test_an_unknown_number_s_page_closes_when_that_is_said_on_another_day(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record())
    assert not absent(desk, _SIRET, "unknown")
    assert not absent(desk, _SIRET, "unknown"), "on the same day"
    assert statuses(desk) == {_SIRET: "open"}
    assert due(desk) is None
    a_day_passes(desk)
    assert due(desk) == _SIRET
    assert absent(desk, _SIRET, "unknown")
    assert statuses(desk) == {_SIRET: "closed"}
    assert redirects(desk) == []


def test_a_withheld_number_s_page_closes_at_once(desk: Desk, records: Records) -> None:
    desk.import_(records.record())
    assert absent(desk, _SIRET, "withheld")
    assert statuses(desk) == {_SIRET: "closed"}


def test_a_number_that_is_not_stored_leaves_nothing(desk: Desk) -> None:
    assert not absent(desk, _SIRET, "moved", _TARGET)
    assert desk.number("absences") == 0


def test_a_number_that_comes_back_has_its_page_its_slug_and_its_text_again(
    desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1, enseigne="AU BON PAIN"))
    desk.import_(records.record(1, treated="2026-02-01T00:00:00"))
    accept(desk)
    (before,) = pages(desk)
    assert absent(desk, _SIRET, "moved", _TARGET)
    with desk.engine.begin() as connection:
        assert record_presence(connection, _SIRET)
        forget_absence(connection, _SIRET)
        assert not record_presence(connection, _SIRET)
    assert desk.import_(records.record(1, treated="2026-02-01T00:00:00")).updated == 1
    (page,) = pages(desk)
    assert (page["id"], page["slug"], page["status"]) == (before["id"], before["slug"], "open")
    assert redirects(desk) == [("au-bon-pain-bordeaux-00000000100001", _SIRET, None)]
    assert (avis_of(desk)["outcome"], avis_of(desk)["text"]) == ("accepted", "Un texte.")


def test_open_pages_are_asked_for_a_bounded_number_a_day(desk: Desk, records: Records) -> None:
    desk.import_(*(records.record(number) for number in range(1, 5)), records.record(5, etat="F"))
    sirets = desk.sirets()
    with desk.engine.begin() as connection:
        ask_for(connection, sirets=sirets)
        ask_for(connection, sirens=["000000001"])
    assert desk.number("absences") == 4, "the closed one has no page"
    assert [due(desk, per_day=3) for _ in range(4)] == [*sirets[:3], None]
    a_day_passes(desk)
    assert due(desk, per_day=3) == sirets[3]
