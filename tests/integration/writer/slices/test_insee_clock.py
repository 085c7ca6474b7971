"""INSEE's clock is not believed blindly: missing, ancient, future and repeated treatment dates."""

import datetime as dt

import pytest

from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.page_rows import accept, avis_of, pages, redirects
from tests.integration.writer.records import Record, Records
from tests.integration.writer.register import records_of
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of

ON_TWO_SHARDS = True

_FIRST_SEEN = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
_NEXT_DAY = _FIRST_SEEN + dt.timedelta(days=1)
_LAST = FETCHED_AT + dt.timedelta(days=3)
_ODD_DATES = {
    "missing": (None, "2026-01-01T00:00:00"),
    "of 1900": ("1900-01-01T00:00:00", "2026-01-01T00:00:00"),
    "older than the O": ("2025-06-01T00:00:00", "2026-01-01T00:00:00"),
    "behind an O of 2099": ("2026-08-05T13:30:00", "2099-01-01T00:00:00"),
    "older than an O of the next day": ("2026-08-05T14:10:00", "2026-08-06T09:00:00"),
}
odd_dates = pytest.mark.parametrize(
    ("masked", "clear"), list(_ODD_DATES.values()), ids=list(_ODD_DATES)
)


def _places(desk: Desk, *words: str) -> list[str]:
    return sorted({place for shard in desk.shards for place in places_of(shard, *words)})


def test_a_purged_unit_without_dates_loses_its_name_everywhere(desk: Desk) -> None:
    named = ("NOMFICTIF", "PAULE")
    desk.import_(*records_of("purged_before"), fetched_at=_FIRST_SEEN, sole_traders=True)
    accept(desk, "Paule Nomfictif est électricienne à Bordeaux.")
    assert {"unites_legales.nom", "pro_localisations.nom", "avis.text"} <= set(
        _places(desk, *named)
    )
    desk.import_(*records_of("purged_after"), fetched_at=_NEXT_DAY, sole_traders=True)
    assert _places(desk, *named) == []
    (page,) = pages(desk)
    assert (page["status"], page["nom"]) == ("closed", None)
    assert page["slug"] == "etablissement-bordeaux-93700000800010"
    assert redirects(desk) == []
    assert avis_of(desk)["outcome"] == "cancelled"


def test_a_purged_unit_whose_page_stays_open_leaves_no_redirect_with_its_name(desk: Desk) -> None:
    """INSEE may purge the person and leave state and activity."""
    (before,), (after,) = records_of("purged_before"), records_of("purged_after")
    after["periodesEtablissement"] = before["periodesEtablissement"]
    desk.import_(before, fetched_at=_FIRST_SEEN, sole_traders=True)
    accept(desk, "Paule Nomfictif est électricienne à Bordeaux.")
    desk.import_(after, fetched_at=_NEXT_DAY, sole_traders=True)
    assert _places(desk, "NOMFICTIF", "PAULE") == []
    assert [(page["status"], page["nom"]) for page in pages(desk)] == [("open", None)]
    avis = desk.one("SELECT outcome, text FROM avis")
    assert avis == {"outcome": "pending", "text": None}
    assert redirects(desk) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0)])
def test_a_date_of_2099_is_put_right_and_the_establishment_closes(
    desk: Desk, order: tuple[int, ...]
) -> None:
    seen = (
        (records_of("date_2099_before"), _FIRST_SEEN),
        (records_of("date_2099_after"), _NEXT_DAY),
    )
    for number in order:
        records, fetched_at = seen[number]
        desk.import_(*records, fetched_at=fetched_at)
    row = desk.one("SELECT etat_administratif, date_dernier_traitement FROM etablissements")
    assert row == {
        "etat_administratif": "F",
        "date_dernier_traitement": dt.datetime(2026, 11, 26, 3),  # noqa: DTZ001  as INSEE's own
    }
    assert [page["status"] for page in pages(desk) if page["status"] == "open"] == []


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_in_the_hour_that_comes_twice_the_later_fetch_counts(
    desk: Desk, records: Records, late: bool
) -> None:
    """02:10 CET is twenty minutes after 02:50 CEST, and looks forty minutes older."""
    summer = records.record(1, enseigne="HEURE D ETE", treated="2026-10-25T02:50:00.000")
    winter = records.record(1, enseigne="HEURE D HIVER", treated="2026-10-25T02:10:00.000")
    seen = [
        (summer, dt.datetime(2026, 10, 25, 0, 55, tzinfo=dt.UTC)),
        (winter, dt.datetime(2026, 10, 25, 1, 15, tzinfo=dt.UTC)),
    ]
    for record, fetched_at in reversed(seen) if late else seen:
        desk.import_(record, fetched_at=fetched_at)
    assert desk.one("SELECT enseigne1 FROM etablissements") == {"enseigne1": "HEURE D HIVER"}
    assert [page["nom"] for page in pages(desk)] == ["HEURE D HIVER"]


def _fill(person: Scene, clear: str) -> None:
    """Store the person with pages, a redirect and texts, last treated at that date."""
    desk = person.desk
    former = person.clear(2, treated="2025-01-01T00:00:00", enseigne="ANCIEN ZORGLUB")
    desk.import_(former, sole_traders=True, fetched_at=FETCHED_AT - dt.timedelta(days=1))
    desk.import_(person.clear(1, treated=clear), person.clear(2, treated=clear), sole_traders=True)
    accept(desk, "Hermeline Zorglub tient une boulangerie zinzoline.")
    assert {
        "unites_legales.nom",
        "pro_localisations.slug",
        "page_redirects.slug",
        "avis.text",
    } <= set(_places(desk, *WORDS))


def _assert_hidden(desk: Desk) -> None:
    assert _places(desk, *WORDS) == []
    assert {row["outcome"] for row in desk.execute("SELECT outcome FROM avis")} == {
        "skipped_non_diffusible"
    }
    assert redirects(desk) == []


def _masked(person: Scene, number: int, treated: str | None) -> Record:
    record = person.masked(number, treated="")
    record["dateDernierTraitementEtablissement"] = treated
    record["uniteLegale"]["dateDernierTraitementUniteLegale"] = treated
    return record


@odd_dates
def test_a_p_with_an_odd_date_hides_the_person_everywhere(
    person: Scene, masked: str | None, clear: str
) -> None:
    _fill(person, clear)
    person.turn(_masked(person, 1, masked))
    _assert_hidden(person.desk)
    _fill_again(person, clear)
    _assert_hidden(person.desk)


def _fill_again(person: Scene, clear: str) -> None:
    """Deliver the clear records again, as a slow queue may."""
    again = [person.clear(number, treated=clear) for number in (1, 2)]
    person.desk.import_(*again, sole_traders=True)


@pytest.mark.parametrize("treated", [None, "2027-01-01T00:00:00"], ids=["first O", "O of 2027"])
def test_a_p_that_comes_first_hides_an_older_get(person: Scene, treated: str | None) -> None:
    person.turn(_masked(person, 1, None))
    person.desk.import_(person.clear(1, treated=treated or "2026-01-01T00:00:00"))
    assert _places(person.desk, *WORDS) == []


@odd_dates
def test_a_hidden_unit_is_open_again_with_an_o_of_a_later_get_and_date(
    person: Scene, masked: str | None, clear: str
) -> None:
    desk = person.desk
    _fill(person, clear)
    person.turn(_masked(person, 1, masked))
    again = person.clear(1, treated="2026-08-07T09:00:00", enseigne="ZORGLUB DE RETOUR")
    desk.import_(again, fetched_at=_LAST, sole_traders=True)
    unite = desk.one("SELECT statut_diffusion, nom FROM unites_legales WHERE siren = :s", s=SIREN)
    assert unite == {"statut_diffusion": "O", "nom": "ZORGLUB"}
    # The second establishment has lost its sign until it is fetched again.
    assert {page["nom"] for page in pages(desk)} == {"ZORGLUB DE RETOUR", "HERMELINE ZORGLUB"}
    assert {row["outcome"] for row in desk.execute("SELECT outcome FROM avis")} == {"pending"}


@odd_dates
def test_a_hidden_unit_stays_hidden_by_an_o_that_is_no_newer(
    person: Scene, masked: str | None, clear: str
) -> None:
    """INSEE's date must move, too: an O treated before the P was not made after it."""
    _fill(person, clear)
    person.turn(_masked(person, 1, masked))
    treated = masked if masked is not None and masked > "2000" else "2026-08-05T15:00:00"
    before = dt.datetime.fromisoformat(treated) - dt.timedelta(minutes=1)
    person.desk.import_(
        person.clear(1, treated=before.isoformat()), fetched_at=_LAST, sole_traders=True
    )
    _assert_hidden(person.desk)
