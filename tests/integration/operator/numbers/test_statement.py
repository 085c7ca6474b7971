"""The statement of a run, a batch or a day, by département."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from shared.imports.statement import StatementSubject, in_one_line, read_sirets, read_statement
from tests.integration.commands import Sirenade
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records

_GIRONDE, _DORDOGNE, _REUNION = "33063", "24037", "97411"


def _expect(desk: Desk, batch: int, expected: int) -> None:
    desk.execute(
        "UPDATE import_batches SET expected = :expected WHERE id = :id", expected=expected, id=batch
    )


def _import(desk: Desk, records: Sequence[object], **window: Any) -> int:
    """Import a batch that received exactly the expected rows."""
    batch = desk.batch(**window)
    _expect(desk, batch, len(records))
    fetch = desk.fetch(batch)
    desk.write(desk.message(records, batch=batch, fetch_id=fetch))
    return batch


def _lines(found: dict[str, Any]) -> dict[str, tuple[int | None, int, int, int, int, int]]:
    return {
        line["departement"]: (
            line["expected"],
            line["received"],
            line["stored"],
            line["failed_items"],
            line["missing"],
            line["surplus"],
        )
        for line in [*found["departements"], found["total"]]
    }


def _statement(sirenade: Sirenade, *arguments: object) -> tuple[int, dict[str, Any]]:
    answer = sirenade("statement", *arguments, "--json")
    return answer.status, json.loads(answer.out)


def test_a_run_of_departements_states_each_with_what_was_expected_of_it(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    run = desk.run()
    bad = records.record(3, treated="no date at all")
    _import(desk, [records.record(1), records.record(2), bad], run_id=run, departement="33")
    _import(
        desk,
        [records.record(4, commune=_REUNION)],
        run_id=run,
        number=2,
        departement=None,
        code_commune=_REUNION,
    )

    status, found = _statement(sirenade)

    assert status == 1
    assert _lines(found) == {
        "33": (3, 3, 2, 1, 1, 0),
        "974": (1, 1, 1, 0, 0, 0),
        "all": (4, 4, 3, 1, 1, 0),
    }
    assert found["missing_sirets"] == [bad["siret"]]
    assert (found["run"], found["batches"], found["open_batches"]) == (run, 2, 0)

    desk.import_(records.record(3), departement=None)
    status, found = _statement(sirenade, "--run", run)
    assert (status, _lines(found)["33"]) == (0, (3, 3, 3, 0, 0, 0))


def test_a_walk_over_several_departements_is_told_apart_by_where_its_rows_are(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    bad = records.record(5, treated="no date at all")
    listed = [
        records.record(1, commune=_GIRONDE),
        records.record(2, commune=_DORDOGNE),
        records.record(3, commune=_DORDOGNE),
        records.record(4, commune=None),
        bad,
    ]
    desk.import_(records.record(6, commune=_DORDOGNE))
    _import(desk, listed, departement=None, siret_from="0" * 14, siret_to="9" * 14)

    status, found = _statement(sirenade)

    assert status == 1
    assert _lines(found) == {
        "24": (None, 2, 2, 0, 0, 1),
        "33": (None, 1, 1, 0, 0, 0),
        "none": (None, 1, 1, 0, 0, 0),
        "unknown": (None, 1, 0, 1, 1, 0),
        "all": (5, 5, 4, 1, 1, 1),
    }
    assert found["surplus_sirets"] == [records.record(6)["siret"]]
    answer = sirenade("statement", "--sirets")
    assert "INSEE told one total for several départements" in answer.out
    assert f"surplus {records.record(6)['siret']}" in answer.out
    assert f"missing {bad['siret']}" in answer.out


def test_a_day_is_all_batches_that_ended_on_it_in_paris(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    first = _import(desk, [records.record(1)], departement="33")
    second = _import(desk, [records.record(2, commune=_DORDOGNE)], departement="24")
    for batch, ended in ((first, "2026-08-05 21:59:59+00"), (second, "2026-08-05 22:00:00+00")):
        desk.execute(
            "UPDATE import_batches SET completed_at = :ended WHERE id = :id", ended=ended, id=batch
        )
    for day, departement in (("2026-08-05", "33"), ("2026-08-06", "24")):
        status, found = _statement(sirenade, "--day", day)
        assert status == 0
        assert _lines(found) == {departement: (1, 1, 1, 0, 0, 0), "all": (1, 1, 1, 0, 0, 0)}
    status, found = _statement(sirenade, "--day", "2026-08-07")
    assert (status, found["batches"], found["departements"]) == (0, 0, [])
    assert _lines(_statement(sirenade, "--batch", first)[1])["33"] == (1, 1, 1, 0, 0, 0)


def test_what_was_expected_and_never_received_breaks_the_promise(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    batch = _import(desk, [records.record(1)])
    _expect(desk, batch, 3)
    answer = sirenade("statement")
    assert answer.status == 1
    assert "2 establishments were expected and never received" in answer.out


def test_batches_that_still_run_state_nothing_and_break_nothing(
    sirenade: Sirenade, desk: Desk, records: Records
) -> None:
    run = desk.run()
    _import(desk, [records.record(1)], run_id=run)
    desk.batch(run, number=2, departement="24")
    answer = sirenade("statement")
    assert answer.status == 0
    assert "1 of 2 batches are still open" in answer.out
    desk.execute("UPDATE import_batches SET status = 'failed' WHERE number = 2")
    assert sirenade("statement").status == 1


def test_a_surplus_that_left_the_window_or_that_insee_answered_for_is_put_right(
    desk: Desk, records: Records, engine: Engine
) -> None:
    moved, listed, gone = (records.record(number) for number in (7, 8, 9))
    desk.import_(moved, listed, gone)
    run = desk.run()
    _import(desk, [records.record(1)], run_id=run)
    sirets = [record["siret"] for record in (moved, listed, gone)]
    with engine.connect() as connection:
        assert read_sirets(connection, StatementSubject(run_id=run))["surplus"] == sirets

    elsewhere = records.record(7, commune=_DORDOGNE, treated="2026-09-01T00:00:00")
    _import(desk, [elsewhere, listed], departement=None, sirets=sirets)

    with engine.connect() as connection:
        found = read_statement(connection, StatementSubject(run_id=run))
        sets = read_sirets(connection, StatementSubject(run_id=run))
    assert sets == {"missing": [], "surplus": [], "gone": [gone["siret"]]}
    assert found.is_kept
    assert in_one_line(found) == (
        f"statement of run {run}: expected 1, received 1, stored 1, failed items open 0, "
        "missing 0, surplus 0; 1 stored are gone from INSEE"
    )


def test_a_mistake_is_one_line_and_status_2(sirenade: Sirenade) -> None:
    for arguments, said in {
        "": "nothing was imported yet",
        "--run 7": "there is no run 7",
        "--batch 7": "there is no batch 7",
        "--day yesterday": "--day 'yesterday' is no date",
        "--day 2026-08-05 --run 7": "give one of --run, --batch and --day",
    }.items():
        answer = sirenade("statement", *arguments.split())
        assert answer.status == 2, arguments
        assert said in answer.err
        assert len(answer.err.splitlines()) == 1
