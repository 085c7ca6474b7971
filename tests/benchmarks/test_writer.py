"""Cost of a slice, against the server's own COPY of the same rows in the same run.

Each writer is a new process: with too few rows its first slices, in which statements are prepared
and caches filled, would weigh more than in a steady import.
"""

import os
from collections.abc import Iterator, Sequence

import pytest

from shared.db.engine import make_engine
from shared.messages import RECORDS_PER_SLICE
from tests.benchmarks import baseline, slices
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.benchmarks.stages import stage_seconds
from tests.integration.writer.desk import Desk

_ROWS = int(os.environ.get("SIRENADE_BENCHMARK_ROWS", pick(quick="6000", normal="60000")))
_SIZES = os.environ.get(
    "SIRENADE_BENCHMARK_SIZES",
    pick(quick="500", normal="100 200 500"),
).split()
_WRITERS = os.environ.get(
    "SIRENADE_BENCHMARK_WRITERS", pick(quick="1 2", normal="1 2", full="1 2 4")
).split()
# docs/adr/0006-writer-speed.md; of two writers, which a machine of two cores can feed.
_JUDGED_WRITERS = 2
_GOALS = {"new": ">= 0.40", "10 % changed": ">= 0.60", "unchanged": ">= 1.50"}
_TRADE_ROUNDS = 3
_DAYS = ("2026-08-01T00:00:00+00:00", "2026-08-02T00:00:00+00:00", "2026-08-03T00:00:00+00:00")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    engine = make_engine(database_url, application_name="benchmark")
    yield Desk(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def everything() -> list[slices.Record]:
    return slices.records(_ROWS)


def _show(line: str) -> None:
    print(line)  # noqa: T201  a benchmark's result


def test_stages_before_the_database(
    desk: Desk, everything: list[slices.Record], figures: Figures
) -> None:
    _show(f"\nCPU µs per row before the database ({_ROWS} rows)")
    for size in map(int, _SIZES):
        messages = slices.messages(desk, everything, size=size, fetched_at=_DAYS[0])
        stage_seconds(messages[:1])  # reads the reference tables
        costs = stage_seconds(messages)
        shown = "  ".join(f"{name} {cost / _ROWS * 1e6:.1f}" for name, cost in costs.items())
        _show(f"  slices of {size:4}: {shown}")
        if size == RECORDS_PER_SLICE:
            mapper_us = costs["decode, map to COPY lines"] / _ROWS * 1e6
            figures.add("writer.mapper", mapper_us, unit="CPU µs/row", goal="<= 40")


def test_writing_slices_against_the_servers_own_copy(
    desk: Desk, database_url: str, everything: list[slices.Record], figures: Figures
) -> None:
    changed = slices.with_changes(everything, one_in=10)
    for size in map(int, _SIZES):
        for writers in map(int, _WRITERS):
            desk.execute(f"TRUNCATE {', '.join(baseline.TABLES)}")
            copy = baseline.Copy()
            rounds: Sequence[tuple[str, list[slices.Record]]] = (
                ("new", everything),
                ("unchanged", everything),
                ("10 % changed", changed),
            )
            for (kind, records), day in zip(rounds, _DAYS, strict=True):
                messages = slices.messages(desk, records, size=size, fetched_at=day)
                cost = slices.write(database_url, messages, rows=_ROWS, writers=writers)
                if kind == "new":  # beside it, so that both meet the same neighbours
                    copy = baseline.copy(desk, slices=len(messages))
                    _show_copy(copy)
                _show_cost(f"slices of {size:4}, {writers} writers, {kind}", cost, copy)
                if size == RECORDS_PER_SLICE:
                    _report(figures, kind, writers, cost, copy)
                if kind == "new" and writers == _JUDGED_WRITERS:
                    _report_slices(figures, size, cost, copy)


def test_counting_trades_costs_next_to_nothing(
    desk: Desk, database_url: str, everything: list[slices.Record], figures: Figures
) -> None:
    """The least of some rounds each way: what is more is a neighbour's."""
    spent: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    server: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for _ in range(_TRADE_ROUNDS):
        for triggers, costs in spent.items():
            desk.execute(f"TRUNCATE {', '.join(baseline.TABLES)}")
            desk.execute(f"ALTER TABLE etablissements {triggers} TRIGGER USER")
            messages = slices.messages(
                desk, everything, size=RECORDS_PER_SLICE, fetched_at=_DAYS[0]
            )
            cost = slices.write(database_url, messages, rows=_ROWS, writers=1)
            costs.append(cost.per_row_us(cost.client_seconds + cost.server_seconds))
            server[triggers].append(cost.per_row_us(cost.server_seconds))
    without, counted = min(spent["DISABLE"]), min(spent["ENABLE"])
    more_us = min(server["ENABLE"]) - min(server["DISABLE"])
    _show(
        f"\nnew rows, CPU µs/row: {without:.1f}, {counted:.1f} with their trades counted;"
        f" {more_us:.1f} more in the server"
    )
    figures.add(
        "writer.trades",
        1 + more_us / without,
        unit="of the CPU without",
        goal="<= 1.03",
        note=f"{more_us:.1f} CPU µs/row of the server",
    )


def _report(
    figures: Figures, kind: str, writers: int, cost: slices.Cost, copy: baseline.Copy
) -> None:
    figures.add(
        f"writer.{kind}, {writers} writers",
        copy.seconds / cost.elapsed_seconds,
        unit="of COPY",
        goal=_GOALS[kind] if writers == _JUDGED_WRITERS else None,
        note=f"{cost.rows_per_second:.0f} rows/s",
    )
    if writers == 1:
        spent = cost.client_seconds + cost.server_seconds
        figures.add(f"writer.{kind}, CPU", cost.per_row_us(spent), unit="CPU µs/row")


def _report_slices(figures: Figures, size: int, cost: slices.Cost, copy: baseline.Copy) -> None:
    """Against who commits as often: what a transaction costs is not the writer's."""
    figures.add(
        f"writer.new, slices of {size}, {_JUDGED_WRITERS} writers",
        copy.seconds_in_slices / cost.elapsed_seconds,
        unit="of COPY in such slices",
        goal=_GOALS["new"],
        note=f"{copy.seconds / cost.elapsed_seconds:.2f} of one COPY of everything",
    )


def _show_copy(copy: baseline.Copy) -> None:
    tables = ", ".join(f"{t} {s / _ROWS * 1e6:.1f}" for t, s in copy.seconds_by_table.items())
    _show(
        f"\nserver-side COPY with indexes: {_ROWS / copy.seconds:.0f} establishments/s,"
        f" CPU µs/row {copy.cpu_seconds / _ROWS * 1e6:.1f}; elapsed µs: {tables};"
        f" all in slices {copy.seconds_in_slices / _ROWS * 1e6:.1f}"
    )


def _show_cost(name: str, cost: slices.Cost, copy: baseline.Copy) -> None:
    spent = cost.client_seconds + cost.server_seconds
    ratio = copy.seconds / cost.elapsed_seconds
    _show(
        f"{name:40} {cost.rows_per_second:7.0f} rows/s = {ratio:5.2f} of COPY,"
        f" {copy.seconds_in_slices / cost.elapsed_seconds:5.2f} of it in slices;"
        f" CPU µs/row: writer {cost.per_row_us(cost.client_seconds):5.1f},"
        f" server {cost.per_row_us(cost.server_seconds):5.1f}"
        f" = {copy.cpu_seconds / spent:.2f} of COPY"
    )
