"""A name that must not be shown is in no entry and no word from the erasure's commit on (R2)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from services.writer.erasure.oppositions import forget, withdraw
from shared.db import lexicon as words_of_index
from tests.integration.portal.index.conftest import Step, indexed, lexicon
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import LATER, NATURAL, SIREN, Scene

_PASSANT = "00000002600007"


@pytest.fixture
def scene(desk: Desk, records: Records, step: Step) -> Scene:
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.clear(1), scene.clear(2), scene.bystander(), sole_traders=True)
    assert step().agrees
    assert {"zorglub", "hermeline", "passant"} <= lexicon(desk.engine).keys()
    return scene


def _prefixed(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        found = text("SELECT DISTINCT unnest(lexemes) FROM search_prefixes")
        return set(connection.scalars(found))


def _is_nowhere(engine: Engine) -> bool:
    words = lexicon(engine)
    assert words["passant"] == 1, "another's words stay"
    assert set(indexed(engine)) == {_PASSANT}
    return not {"zorglub", "hermeline", "33990"} & (words.keys() | _prefixed(engine))


def test_entries_and_words_of_a_unit_that_turns_partial_go_with_it(scene: Scene) -> None:
    assert "zorglub" in _prefixed(scene.desk.engine)
    scene.turn(scene.masked(1))
    assert _is_nowhere(scene.desk.engine)


def test_entries_and_words_of_a_unit_that_objects_go_with_it(scene: Scene) -> None:
    forgotten = forget(scene.desk.engine, SIREN, reason="asked")
    assert forgotten.erased["search_entries"] == 2
    assert _is_nowhere(scene.desk.engine)


def test_the_indexer_brings_nothing_back(scene: Scene, step: Step) -> None:
    forget(scene.desk.engine, SIREN, reason="asked")
    assert step().agrees
    assert _is_nowhere(scene.desk.engine)


def test_words_that_others_hold_stay_and_are_counted(scene: Scene) -> None:
    before = lexicon(scene.desk.engine)["bordeaux"]
    forget(scene.desk.engine, SIREN, reason="asked")
    assert lexicon(scene.desk.engine)["bordeaux"] == before - 2


def test_a_frequent_word_stays_without_a_look_at_its_entries(scene: Scene) -> None:
    engine = scene.desk.engine
    with engine.begin() as connection:
        frequent = words_of_index.RARE + 1
        connection.execute(
            text("UPDATE search_lexemes SET documents = :n WHERE lexeme = 'bordeaux'"),
            {"n": frequent},
        )
    forget(engine, SIREN, reason="asked")
    assert lexicon(engine)["bordeaux"] == frequent


def test_one_establishment_that_turns_partial_takes_its_own_entry_alone(
    scene: Scene, step: Step
) -> None:
    scene.turn(scene.masked(1, unite="O"))
    assert len(indexed(scene.desk.engine)) == 2
    assert "zorglub" in lexicon(scene.desk.engine)
    assert step().agrees


def test_a_person_whom_insee_purges_is_found_by_the_sign_alone(
    desk: Desk, records: Records, step: Step
) -> None:
    """The name goes with the erasure; the indexer makes the entry anew without it."""
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.clear(1, enseigne="LE FOURNIL"), scene.bystander(), sole_traders=True)
    assert step().agrees
    nobody = {name: None for name in NATURAL if name.startswith(("nom", "prenom"))}
    purged = scene.clear(1, enseigne="LE FOURNIL", treated="2026-02-01T00:00:00")
    purged["uniteLegale"] |= nobody
    purged["periodesEtablissement"][1]["enseigne1Etablissement"] = None
    scene.turn(purged)
    assert not {"zorglub", "hermeline"} & lexicon(desk.engine).keys()
    for _ in range(2):
        assert step().agrees
        assert indexed(desk.engine)[f"{SIREN}00001"] == ("LE FOURNIL", True)
        # A later slice of the same unit changes nothing of it.
        desk.import_(purged | {"nic": "00009", "siret": f"{SIREN}00009"}, fetched_at=LATER)


def test_an_opposition_that_ends_lets_the_entry_come_back(scene: Scene, step: Step) -> None:
    engine = scene.desk.engine
    forget(engine, SIREN, reason="asked")
    step()
    withdraw(engine, SIREN)
    again = scene.clear(1, treated="2026-03-01T00:00:00")
    scene.desk.import_(again, fetched_at=LATER, sole_traders=True)
    assert step().agrees
    assert "zorglub" in lexicon(engine)


@pytest.mark.parametrize("number", [2, 5])
def test_a_word_that_several_erasures_end_at_once_goes_with_the_last(
    desk: Desk, records: Records, step: Step, number: int
) -> None:
    """Neither of two transactions sees what the other one deletes: they take turns."""
    sirens = [f"{each:08d}" + "0" for each in range(1, number + 1)]
    desk.import_(*(records.record(1, siren=siren, enseigne="LA QUINTESSENCE") for siren in sirens))
    step()
    assert lexicon(desk.engine)["quintessence"] == number
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(lambda siren: forget(desk.engine, siren, reason="r", force=True), sirens))
    assert lexicon(desk.engine) == {}
