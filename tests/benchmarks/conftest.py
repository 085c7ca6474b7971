"""Collects the benchmarks' figures, tells how far they are, and keeps what they found."""

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable

import pytest
from rich.console import Console

from tests.benchmarks import catalogue, machine, sizes, tables
from tests.benchmarks.figures import FOLDER, Figures, Run, kept

_SETTINGS = ("SIRENADE_BENCH_", "SIRENADE_BENCHMARK_")
_LEAST_COLUMNS = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--keep-figures", action="store_true", help="keep what benchmarks find in .local/bench"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--keep-figures", default=False):

        def say(line: str) -> None:
            reporter = config.pluginmanager.get_plugin("terminalreporter")
            if isinstance(reporter, pytest.TerminalReporter):
                reporter.ensure_newline()
                reporter.write_line(line, cyan=True)

        config.pluginmanager.register(Keeper(say), "keeper")


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Figures:
    """The report in which a benchmark enters its figures, beside what it prints."""
    keeper = request.config.pluginmanager.get_plugin("keeper")
    return keeper.figures if isinstance(keeper, Keeper) else Figures()


class Keeper:
    def __init__(self, say: Callable[[str], None]) -> None:
        self.figures = Figures()
        self._say = say
        self._names = {each.path: each.name for each in catalogue.BENCHMARKS}
        self._expected = catalogue.expected_seconds(sizes.SIZE, list(_earlier_runs()))
        self._waiting: list[str] = []
        self._count = 0
        self._begun = self._benchmark_begun = time.monotonic()
        self._current = ""
        self._run = Run(
            at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            revision=machine.revision(),
            size=sizes.SIZE,
            settings=_settings(),
            machine=machine.describe(),
        )
        day, _, clock = self._run.at.partition("T")
        suffix = "" if sizes.SIZE == "normal" else f"-{sizes.SIZE}"
        name = f"{day}T{clock[:8].replace(':', '-')}-{self._run.revision}{suffix}.json"
        self._path = FOLDER / name

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.expect(item.nodeid for item in session.items)

    def expect(self, nodeids: Iterable[str]) -> None:
        self._waiting = list(dict.fromkeys(map(self._name_of, nodeids)))
        self._count = len(self._waiting)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        name = self._name_of(nodeid)
        if name != self._current:
            self._end_benchmark()
            self._current, self._benchmark_begun = name, time.monotonic()
            self._waiting.remove(name)
        left_here = self._expected[name] - (time.monotonic() - self._benchmark_begun)
        left = max(0.0, left_here) + sum(self._expected[each] for each in self._waiting)
        self._say(
            f"── {self._count - len(self._waiting)} of {self._count}: {nodeid.partition('::')[2]}"
            f" ({name}) · {_minutes(time.monotonic() - self._begun)} so far,"
            f" about {_minutes(left)} left ──"
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._end_benchmark()
        self._run.complete = exitstatus == pytest.ExitCode.OK
        self._save()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """After all that pytest says: the table is the end."""
        if self._run.figures:
            console = Console()
            console.width = max(console.width, _LEAST_COLUMNS)
            console.print(tables.of_run(self._run).as_text())
            console.print(f"kept in {self._path}", soft_wrap=True, highlight=False)

    def _end_benchmark(self) -> None:
        if self._current:
            self._run.seconds[self._current] = round(time.monotonic() - self._benchmark_begun, 1)
            self._current = ""
            self._save()

    def _save(self) -> None:
        """After each benchmark: what was measured is kept whatever comes."""
        self._run.figures = list(self.figures.found.values())
        if self._run.figures:
            self._run.save(self._path)

    def _name_of(self, nodeid: str) -> str:
        return self._names[nodeid.partition("::")[0]]


def _earlier_runs() -> Iterable[Run]:
    for path in kept():
        try:
            yield Run.load(path)
        except (ValueError, KeyError, TypeError):
            continue  # of another version: it only foretells


def _settings() -> dict[str, str]:
    names = (name for name in sorted(os.environ) if name.startswith(_SETTINGS))
    return {name: os.environ[name] for name in names if name != sizes.VARIABLE}


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min"
