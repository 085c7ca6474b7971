import json
from pathlib import Path

import pytest

from deploy.local.folders import PROJECT
from tests.benchmarks import catalogue
from tests.benchmarks.figures import Figure, Figures, Run
from tests.benchmarks.tables import number, of_run, of_two

MACHINE = {
    "cpu": "a CPU",
    "cores": 2,
    "memory_gib": 23.5,
    "system": "Linux 6",
    "python": "3.11.7",
    "postgresql": "18.6",
    "rabbitmq": "3.10.8",
    "load_average": 0.5,
}
NEW = Figure("writer.new", 0.36, "of COPY", ">= 0.40", "9400 rows/s")
LOST = Figure("messages.lost", 0, "", "== 0")
NEW_MEASURE = Figure("stock.load", 0.68)


def run_of(*figures: Figure, size: str = "normal", **fields: object) -> Run:
    run = Run("2026-11-27T20:00:00+00:00", "abc1234", size, {}, MACHINE, complete=True)
    run.figures = list(figures)
    run.seconds = {"writer": 90.0}
    for name, value in fields.items():
        setattr(run, name, value)
    return run


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (0.40, ">= 0.40", True),
        (0.39, ">= 0.40", False),
        (1.05, "<= 1.05", True),
        (1.06, "<= 1.05", False),
        (0, "== 0", True),
        (1, "== 0", False),
        (1, None, None),
    ],
)
def test_a_goal_is_met_at_its_bound(value: float, goal: str | None, met: bool | None) -> None:
    assert Figure("a.b", value, goal=goal).met is met


def test_a_goal_that_nobody_could_judge_is_refused() -> None:
    with pytest.raises(ValueError, match="not a goal"):
        Figures().add("writer.new", 1, goal="fast")


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="nan"):
        Figures().add("writer.new", float("nan"))


def test_a_name_stands_for_one_figure_of_a_run() -> None:
    figures = Figures()
    figures.add("writer.new", 1)
    with pytest.raises(ValueError, match="there already"):
        figures.add("writer.new", 2)


def test_a_run_is_read_as_it_was_kept_and_its_file_says_that_it_was_quick(tmp_path: Path) -> None:
    run = run_of(NEW, LOST, size="quick", settings={"SIRENADE_BENCH_SECONDS": "2"})
    path = tmp_path / "runs" / "run.json"

    run.save(path)

    assert Run.load(path) == run
    kept = json.loads(path.read_text())
    assert kept["quick"] is True
    assert [each["met"] for each in kept["figures"]] == [False, True]
    assert kept["machine"] == MACHINE


def test_the_table_of_a_run_has_each_figure_its_goal_and_whether_it_was_met() -> None:
    shown = of_run(run_of(NEW, LOST)).as_markdown()

    assert "| writer.new | 0.36 | of COPY | ≥ 0.40 | NO | 9400 rows/s |" in shown
    assert "| messages.lost | 0 |  | = 0 | yes |  |" in shown
    assert "1 of 2 goals met" in shown
    assert "a CPU, 2 cores, 23.5 GiB" in shown
    assert '`make bench ONLY="writer"`: revision abc1234' in shown


def test_a_quick_run_and_one_that_broke_off_say_so() -> None:
    seconds = {each.name: 1.0 for each in catalogue.BENCHMARKS}
    sheet = of_run(run_of(NEW, size="quick", complete=False, seconds=seconds))

    assert "quick" in sheet.title
    assert "`make bench QUICK=1`" in sheet.as_markdown()
    assert "interrupted" in sheet.as_markdown()


def test_two_runs_side_by_side_show_the_change_and_what_only_one_has() -> None:
    before, after = run_of(NEW, LOST), run_of(Figure("writer.new", 0.45, "of COPY"), NEW_MEASURE)

    rows = {row[0]: row[1:] for row in of_two(before, after).rows}

    assert rows["writer.new"] == ("0.36 of COPY", "0.45 of COPY", "+25%")
    assert rows["messages.lost"] == ("0", "–", "–")
    assert rows["stock.load"] == ("–", "0.68", "–")


def test_what_was_nothing_has_no_percentage() -> None:
    lost = Figure("messages.lost", 3)

    [row] = of_two(run_of(LOST), run_of(lost)).rows

    assert row[1:] == ("0", "3", "from 0")


def test_runs_that_cannot_be_compared_say_why() -> None:
    elsewhere = run_of(NEW, machine={**MACHINE, "cores": 8}, size="quick")
    busier = run_of(NEW, machine={**MACHINE, "load_average": 9.0})

    warned = of_two(run_of(NEW), elsewhere).notes

    assert any("different sizes" in note for note in warned)
    assert any("different machines" in note for note in warned)
    assert len(of_two(run_of(NEW), busier).notes) == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234567, "1 234 567"), (0.0962, "0.0962"), (1.5, "1.50"), (123.4, "123")],
)
def test_a_number_has_the_digits_that_say_something(value: float, shown: str) -> None:
    assert number(value) == shown


def test_every_benchmark_has_a_name_and_every_name_a_benchmark() -> None:
    folder = PROJECT / "tests/benchmarks"
    modules = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("test_*.py")}
    assert {each.module for each in catalogue.BENCHMARKS} == modules


def test_a_name_that_is_no_benchmark_is_refused_with_those_that_are() -> None:
    assert [each.name for each in catalogue.named(["stock", "writer"])] == ["writer", "stock"]
    assert catalogue.named([]) == list(catalogue.BENCHMARKS)
    with pytest.raises(ValueError, match="'speed': there are writer, "):
        catalogue.named(["speed"])


def test_what_a_benchmark_took_before_says_how_long_it_will_take() -> None:
    quick = run_of(NEW, size="quick", seconds={"writer": 5.0})
    odd = run_of(NEW, seconds={"writer": 1.0}, settings={"SIRENADE_BENCHMARK_ROWS": "10"})

    broken_off = run_of(NEW, seconds={"writer": 2.0}, complete=False)

    expected = catalogue.expected_seconds("normal", [run_of(NEW), quick, odd, broken_off])

    assert expected["writer"] == 90.0
    assert set(expected) == {each.name for each in catalogue.BENCHMARKS}
    assert sum(catalogue.expected_seconds("normal", []).values()) < 60 * 60
