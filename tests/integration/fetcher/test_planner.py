"""Any planner turns an order into walks, and counts no more than needed."""

from dataclasses import replace

from services.fetcher.plan.deltas import RunDraft
from services.fetcher.plan.windows import PlannedBatch, Window
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee


def test_a_run_whose_windows_are_all_empty_completes(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33",), establishments=50))
    fetcher.plan("75", "69", row_limit=10)

    assert fetcher.value("SELECT status FROM import_runs") == "complete"
    assert fetcher.value("SELECT completed_at FROM import_runs") is not None


def test_a_plan_that_comes_late_does_not_open_a_finished_run_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.order_departements("33")
    fetcher.execute("UPDATE import_runs SET status = 'complete'")
    run_id = fetcher.value("SELECT id FROM import_runs")

    fetcher.store.insert_plan(run_id, RunDraft([PlannedBatch(Window(departement="33"))]))

    assert fetcher.value("SELECT status FROM import_runs") == "complete"
    assert fetcher.value("SELECT count(*) FROM import_batches") == 0


def test_windows_beyond_the_limit_are_not_counted(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee)
    fetcher.plan("33", "24", "75", row_limit=10)

    assert insee.quota()["requests"] == 1


def test_a_plan_waits_while_insee_is_down(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=100)
    fetcher = make_fetcher(insee)
    insee.set_faults(next_errors=1, error_status=503)
    fetcher.order_departements("33")
    for _ in range(3):
        fetcher.planner.turn()

    assert insee.quota()["requests"] == 1
    assert fetcher.value("SELECT lease_until > now() FROM import_runs") is True
    fetcher.store.wake_everything()
    fetcher.planner.turn()
    assert fetcher.value("SELECT status FROM import_runs") == "running"


def test_a_run_whose_planner_was_killed_is_planned_within_minutes_by_another(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=100))
    fetcher.order_departements("33", "24", row_limit=10)
    held: list[float] = []

    def count_and_look(_query: str) -> int:
        held.append(
            fetcher.value("SELECT extract(epoch FROM lease_until - now()) FROM import_runs")
        )
        fetcher.execute("UPDATE import_runs SET lease_until = now()")
        return 5

    replace(fetcher.planner, count=count_and_look).turn()

    # The lease is renewed before each count, not taken once for all of them.
    assert [30 < seconds < 120 for seconds in held] == [True, True]
