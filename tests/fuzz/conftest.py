"""The end of the run says the number of cases, their seed, and their ends."""

from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from shared.db.engine import make_engine
from tests.fuzz.cases import Fuzz, Tally

_TALLIES = pytest.StashKey[list[Tally]]()


@pytest.fixture(scope="session")
def fuzz(pytestconfig: pytest.Config) -> Fuzz:
    seed = pytestconfig.getoption("hypothesis_seed")
    return Fuzz(
        examples=pytestconfig.getoption("examples"),
        seed=None if seed is None else int(seed),
        tallies=pytestconfig.stash.setdefault(_TALLIES, []),
    )


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url, application_name="tests", pool_size=20)
    yield engine
    engine.dispose()


def pytest_terminal_summary(config: pytest.Config) -> None:
    tallies = config.stash.get(_TALLIES, [])
    if not tallies:
        return
    seed = config.getoption("hypothesis_seed")
    table = Table(title=f"What became of the cases (SEED={0 if seed is None else seed})")
    for name in ("cases", "what they became"):
        table.add_column(name)
    for name in ("number", "share"):
        table.add_column(name, justify="right")
    for tally in tallies:
        for rank, (name, count) in enumerate(tally.counts.most_common()):
            share = f"{count / tally.counts.total():.1%}"
            first = "" if rank else f"{tally.name}: {tally.counts.total()}"
            table.add_row(first, name, str(count), share)
        table.add_section()
    Console().print(table)
