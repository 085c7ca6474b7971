from services.fetcher.plan.costs import Cost, cost_before_cuts, cost_of, days_of, stock_advice
from services.fetcher.plan.windows import PlannedBatch, Window


def test_a_plan_costs_its_pages_and_one_request_for_an_empty_window() -> None:
    plan = [
        PlannedBatch(Window(departement="33"), expected=2001),
        PlannedBatch(Window(departement="24"), expected=0),
        PlannedBatch(Window(departement="40"), row_limit=5000),
        PlannedBatch(Window(sirets=("30000000000012",))),
    ]
    cost = cost_of(plan, rows_per_page=1000, per_minute=30)
    assert cost == Cost(
        windows=4, rows=7002, requests=3 + 1 + 5 + 1, minutes=10 / 30, is_counted=False
    )
    assert str(cost) == (
        "4 windows, at most 7 002 rows, 10 requests, about 0.3 min at the present quota"
    )


def test_a_plan_that_was_counted_is_no_bound() -> None:
    cost = cost_of(
        [PlannedBatch(Window(departement="33"), expected=7)], rows_per_page=1000, per_minute=30
    )
    assert str(cost) == "1 window, 7 rows, 1 requests, about 0.1 min at the present quota"


def test_a_daily_plan_is_told_in_days() -> None:
    assert days_of(245_000, 35_000) == "7 days at 35 000 rows a day"
    assert days_of(245_001, 35_000) == "8 days at 35 000 rows a day"
    assert days_of(0, 35_000) == "1 day at 35 000 rows a day"


def test_a_mass_day_is_estimated_without_cuts_and_the_stock_files_recommended() -> None:
    day = [PlannedBatch(Window(), expected=43_900_000), PlannedBatch(Window(), expected=150_000)]
    cost = cost_before_cuts(day, rows_per_page=1000, per_minute=30)
    assert (cost.windows, cost.rows) == (441, 44_050_000)
    assert cost.requests == 43_900 + 150 + 2 * 440
    advice = stock_advice(cost) or ""
    assert "some 2 hours, where this delta takes 25" in advice
    assert stock_advice(cost_before_cuts(day, rows_per_page=1000, per_minute=500)) is None


def test_an_ordinary_day_costs_its_pages() -> None:
    day = [PlannedBatch(Window(), expected=20_500), PlannedBatch(Window(), expected=999)]
    cost = cost_before_cuts(day, rows_per_page=1000, per_minute=30)
    assert (cost.windows, cost.requests) == (2, 22)
    assert stock_advice(cost) is None
