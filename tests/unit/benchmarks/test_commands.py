"""`make bench` and its tables, over runs in a folder of the test's own."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shared.errors import UserError
from tests.benchmarks import __main__ as bench
from tests.benchmarks import conftest as plugin
from tests.benchmarks import figures, machine
from tests.benchmarks.figures import Run
from tests.unit.benchmarks.test_figures import LOST, MACHINE, NEW, run_of

WRITER = "tests/benchmarks/test_writer.py::test_one"
STOCK = "tests/benchmarks/test_stock.py::test_one"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (figures, bench, plugin):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(machine, "describe", lambda: MACHINE)
    return tmp_path


def call(*arguments: str) -> Any:
    return CliRunner().invoke(bench.app, arguments)


def test_the_two_latest_runs_are_compared_unless_others_are_named(folder: Path) -> None:
    for day, run in enumerate((run_of(LOST), run_of(NEW), run_of(NEW))):
        run.save(folder / f"2026-11-2{day}.json")

    assert "messages.lost" not in call("compare").stdout
    assert "messages.lost" in call("compare", "--a", "2026-11-20", "--b", "").stdout
    assert "messages.lost" in call("compare", "--a", str(folder / "2026-11-20.json")).stdout


def test_the_latest_run_is_shown_as_markdown(folder: Path) -> None:
    run_of(LOST).save(folder / "2026-11-20.json")
    run_of(NEW).save(folder / "2026-11-21.json")

    assert call("table", "--markdown").stdout.startswith("| measure | value |")
    assert "writer.new" in call("table", "--markdown", "--of", "").stdout


def test_a_table_may_hold_only_what_has_a_goal(folder: Path) -> None:
    run_of(LOST, figures.Figure("writer.rows", 9)).save(folder / "2026-11-20.json")

    shown = call("table", "--goals").stdout

    assert "messages.lost" in shown
    assert "writer.rows" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare",), "2 run"),
        (("run", "--only", "speed"), "no benchmark 'speed'"),
        (("run", "--size", "huge"), "quick, normal, full"),
        (("table", "--of", "odd.json"), "is no run"),
    ],
)
def test_a_persons_mistake_is_told_in_one_line(
    arguments: tuple[str, ...], said: str, folder: Path
) -> None:
    (folder / "odd.json").write_text("[]")
    error = call(*arguments).exception
    assert isinstance(error, UserError)
    assert said in str(error)


def test_a_run_tells_how_far_it_is_and_keeps_after_each_benchmark_what_was_found(
    folder: Path,
) -> None:
    said: list[str] = []
    keeper = plugin.Keeper(said.append)
    keeper.expect([WRITER, STOCK])

    keeper.pytest_runtest_logstart(WRITER)
    keeper.figures.add("writer.new", 0.36, goal=">= 0.40")
    keeper.pytest_runtest_logstart(STOCK)

    assert "1 of 2: test_one (writer)" in said[0]
    assert "2 of 2: test_one (stock)" in said[1]
    assert "left" in said[1]
    [path] = folder.glob("*.json")
    run = Run.load(path)
    assert not run.complete
    assert [each.name for each in run.figures] == ["writer.new"]
    assert list(run.seconds) == ["writer"]

    keeper.pytest_sessionfinish(exitstatus=0)
    assert Run.load(path).complete
    assert list(Run.load(path).seconds) == ["writer", "stock"]


def test_a_run_that_found_nothing_leaves_no_file(folder: Path) -> None:
    keeper = plugin.Keeper(lambda _: None)
    keeper.expect([WRITER])
    keeper.pytest_sessionfinish(exitstatus=2)
    assert list(folder.iterdir()) == []
