"""An opposition erases the unit and keeps it out."""

import datetime as dt
import json

import pytest

from tests.integration.commands import Sirenade
from tests.integration.writer.desk import FETCHED_AT, Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import (
    BYSTANDER,
    LEGAL,
    NATURAL,
    PUBLIC_OF_LEGAL,
    SIREN,
    WORDS,
    Scene,
)
from tests.integration.writer.whole_database import places_of

_ALL_WORDS = (*WORDS, PUBLIC_OF_LEGAL, "LE FOURNIL", "fournil")


@pytest.fixture(params=[NATURAL, LEGAL], ids=["person", "company"])
def scene(request: pytest.FixtureRequest, desk: Desk, records: Records) -> Scene:
    scene = Scene(desk, records, request.param)
    scene.fill()
    return scene


def test_who_objects_is_in_no_column_any_more_and_is_kept_out(
    scene: Scene, sirenade: Sirenade
) -> None:
    desk = scene.desk
    status, out, _ = sirenade("forget", SIREN, "--json")
    assert status == 0
    (told,) = json.loads(out)
    assert (told["siren"], told["is_new"], told["is_stored"]) == (SIREN, True, True)
    assert set(told["erased"]) >= {
        "avis",
        "avis_attempts",
        "dead_letters",
        "etablissements",
        "failed_items",
        "pro_localisations",
        "unites_legales",
    }
    assert places_of(desk.engine, *_ALL_WORDS) == []
    assert scene.letter_sirens("of both") == [BYSTANDER]
    outcomes = desk.execute("SELECT DISTINCT outcome FROM avis WHERE siren = :s", s=SIREN)
    assert [row["outcome"] for row in outcomes] == ["skipped_opposition"]
    newer = scene.clear(2, treated="2026-06-01T00:00:00")
    broken = scene.clear(5)
    broken["dateCreationEtablissement"] = "never"
    desk.import_(newer, broken, scene.clear(6), fetched_at=FETCHED_AT + dt.timedelta(days=30))
    scene.archive(scene.body(newer), "later")
    assert places_of(desk.engine, *_ALL_WORDS) == []


def test_forgetting_twice_does_nothing_more(scene: Scene, sirenade: Sirenade) -> None:
    sirenade("forget", SIREN)
    before = scene.desk.execute("SELECT * FROM erasures")
    status, out, _ = sirenade("forget", f"{SIREN[:3]} {SIREN[3:6]} {SIREN[6:]}")
    assert status == 0
    assert "stood already" in out
    assert "nothing was there to erase" in out
    assert scene.desk.execute("SELECT * FROM erasures") == before
    assert scene.desk.import_(scene.clear(1)).unchanged == 1, "the hidden record is as it was"


def test_a_unit_that_is_not_stored_yet_never_comes_in_clear(
    person: Scene, sirenade: Sirenade
) -> None:
    person.archive(person.body(person.clear(1)), "early")
    status, out, _ = sirenade("forget", SIREN)
    assert status == 0
    assert "not stored" in out
    assert places_of(person.desk.engine, *WORDS) == []
    person.desk.import_(person.clear(1), person.clear(2))
    assert places_of(person.desk.engine, *WORDS) == []
    assert len(person.desk.sirets()) == 2


def test_a_withdrawn_opposition_lets_the_next_import_bring_the_data_back(
    person: Scene, sirenade: Sirenade
) -> None:
    person.desk.import_(person.clear(1), sole_traders=True)
    sirenade("forget", SIREN)
    person.desk.import_(person.clear(1), sole_traders=True)
    _, out, _ = sirenade("forget", "--withdraw", SIREN)
    assert "opposition ended" in out
    assert places_of(person.desk.engine, *WORDS) == []
    person.desk.import_(person.clear(1), sole_traders=True)
    assert "unites_legales.nom" in places_of(person.desk.engine, "ZORGLUB")
    assert person.desk.one("SELECT outcome FROM avis") == {"outcome": "pending"}
    reasons = person.desk.execute("SELECT reason FROM erasures ORDER BY id")
    assert [row["reason"] for row in reasons] == ["opposition", "withdrawal"]
    assert "no opposition stood" in sirenade("forget", "--withdraw", SIREN)[1]


_MISTAKES: list[tuple[list[str], str]] = [
    (["12345"], "'12345' is not a siren: nine digits"),
    (["12345678901234"], "is a siret: an opposition is the unit's, 123456789"),
    (["000000019"], "not stored, and its check digit is wrong: --force records it anyway"),
    ([], "give one of SIREN…, --export FILE, --keep, --apply FILE"),
    ([SIREN, "--export", "x"], "give one of SIREN…, --export FILE, --keep, --apply FILE"),
    (["--withdraw", "--export", "x"], "--withdraw goes with SIREN…"),
    (["--apply", "/nowhere/at.all"], "cannot read /nowhere/at.all: No such file"),
    (["--export", "/nowhere/at.all"], "No such file or directory"),
]


def test_a_mistake_gets_one_clear_line(sirenade: Sirenade) -> None:
    for arguments, message in _MISTAKES:
        status, out, err = sirenade("forget", *arguments)
        assert (status, out) == (2, ""), arguments
        assert message in err
        assert len(err.splitlines()) == 1


def test_a_number_with_a_wrong_check_digit_is_taken_where_one_insists(
    desk: Desk, sirenade: Sirenade
) -> None:
    assert sirenade("forget", "000000019", "--force")[0] == 0
    assert desk.one("SELECT siren FROM oppositions") == {"siren": "000000019"}
