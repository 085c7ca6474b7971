"""A delta waits for INSEE and for the delta before it, and for nothing else."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.integration.fetcher.conftest import MakeFetcher, StartInsee
from tests.integration.fetcher.register_copy import FIRST_DAY, NEXT_DAY, Copy, both, end_of


def test_a_delta_waits_for_insee_to_publish_and_goes_on_when_it_has(full: Copy) -> None:
    run_id = full.order(wait_minutes=60)
    full.fetcher.planner.turn()
    waiting = full.run(run_id)
    assert (waiting["status"], waiting["error"]) == ("pending", None)
    assert "INSEE has published nothing after 2026-08-05 00:05" in waiting["warning"]
    asked = full.insee.quota()["requests"]
    full.fetcher.planner.turn()
    assert full.insee.quota()["requests"] == asked, "it asks every few minutes, not every turn"

    full.insee.publish(day=NEXT_DAY)
    full.rows("UPDATE import_runs SET lease_until = now() WHERE id = :id", id=run_id)
    full.work_off()
    assert full.run(run_id)["status"] == "complete"
    assert full.run(run_id)["warning"] is None
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_where_nothing_came_in_its_time_a_delta_ends_with_a_warning(full: Copy) -> None:
    run_id = full.order(wait_minutes=60)
    full.fetcher.planner.turn()
    full.rows("UPDATE import_runs SET lease_until = now(), wait_until = now()")
    full.work_off()
    ended = full.run(run_id)
    assert ended["status"] == "complete"
    assert ended["warning"].count("INSEE has published nothing after 2026-08-05 00:05") == 2
    assert full.batches(run_id) == []
    assert full.watermarks() == both(FIRST_DAY)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"next_html": 1}, "the answer is not JSON"),
        pytest.param({"next_errors": 1}, "INSEE answers 503", marks=pytest.mark.slow),
        pytest.param({"next_cut": 1}, "no answer", marks=pytest.mark.slow),
    ],
)
def test_a_delta_outlasts_an_insee_that_does_not_say_how_far_it_is(
    full: Copy, fault: dict[str, object], said: str
) -> None:
    full.insee.publish(day=NEXT_DAY)
    full.insee.set_faults(**fault)
    run_id = full.order()
    full.fetcher.planner.turn()
    waiting = full.run(run_id)
    assert waiting["status"] == "pending"
    assert said in waiting["error"]
    full.rows("UPDATE import_runs SET lease_until = NULL")
    full.work_off()
    assert (full.run(run_id)["status"], full.run(run_id)["error"]) == ("complete", None)
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_wrong_key_is_told_to_who_watches_and_loses_nothing(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(key="another")
    copy = Copy(insee, make_fetcher(insee))
    run_id = copy.order(since=datetime.fromisoformat("2026-08-01"))
    copy.fetcher.planner.turn()
    waiting = copy.run(run_id)
    assert waiting["status"] == "pending"
    assert "SIRENADE_INSEE_KEY" in waiting["error"]
    assert copy.watermarks() == {}


def test_a_quota_used_up_by_others_is_no_fault_of_a_delta(full: Copy) -> None:
    full.insee.set_faults(next_429=1)
    run_id = full.order()
    full.fetcher.planner.turn()
    assert (full.run(run_id)["status"], full.run(run_id)["error"]) == ("pending", None)


def test_deltas_go_one_after_the_other(full: Copy) -> None:
    full.insee.publish(day=NEXT_DAY)
    [siret] = full.some_sirets(1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    first, second = full.order(), full.order()
    full.fetcher.planner.turn()
    full.fetcher.planner.turn()
    assert full.run(first)["status"] == "running"
    assert full.run(second)["status"] == "pending"
    full.work_off()
    assert full.run(second)["status"] == "complete"
    assert full.batches(second) == []


def test_a_delta_that_waits_for_insee_holds_up_no_other(full: Copy) -> None:
    waiting = full.order(wait_minutes=60)
    full.fetcher.planner.turn()
    full.insee.publish(day=NEXT_DAY)
    other = full.delta()
    assert full.run(other)["status"] == "complete"
    assert full.run(waiting)["status"] == "pending"
    assert full.watermarks() == both(end_of(NEXT_DAY))


def test_a_delta_does_not_wait_behind_the_batches_of_an_import(full: Copy) -> None:
    full.fetcher.order_departements("33", "24", "40")
    none_at_once = replace(full.fetcher.planner, parallel_batches=0)
    none_at_once.turn()
    full.insee.publish(day=NEXT_DAY)
    [siret] = full.some_sirets(1)
    full.insee.treat(siret, "2026-08-05T12:00:00.000")
    run_id = full.order(overlap_hours=0)
    none_at_once.turn()
    replace(full.fetcher.planner, parallel_batches=1).turn()
    [running] = full.rows("SELECT run_id FROM import_batches WHERE status = 'running'")
    assert running["run_id"] == run_id
