"""Cost of the log of page changes: the writer's slices with its triggers and without."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

from shared.db.engine import make_engine
from shared.messages import RECORDS_PER_SLICE
from tests.benchmarks import baseline, slices
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.integration.writer.desk import Desk

_ROWS = pick(quick=6_000, normal=60_000)
_ROUNDS = pick(quick=1, normal=3)
_DAYS = ("2026-08-01T00:00:00+00:00", "2026-08-02T00:00:00+00:00", "2026-08-03T00:00:00+00:00")
# An update of a page is noted beside an update of its establishment: a second table is written.
_GOALS = {"new": ">= 0.95", "unchanged": ">= 0.95", "10 % changed": ">= 0.90"}
_TRIGGERS = """
    SELECT CAST(tgrelid AS regclass) AS "table", tgname FROM pg_trigger
    WHERE NOT tgisinternal AND starts_with(tgname, 'note_')
      AND NOT starts_with(tgname, 'note_trades_')
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    engine = make_engine(database_url, application_name="benchmark")
    yield Desk(engine)
    engine.dispose()


def _set_triggers(desk: Desk, what: str) -> None:
    found = desk.execute(_TRIGGERS)
    assert len(found) >= len({"inserted", "updated", "deleted"})
    for trigger in found:
        desk.execute(f"ALTER TABLE {trigger['table']} {what} TRIGGER {trigger['tgname']}")


def test_noting_what_changes_costs_the_writer_little(
    desk: Desk, database_url: str, figures: Figures
) -> None:
    """The least CPU of some rounds each way: what is more is a neighbour's."""
    everything = slices.records(_ROWS)
    rounds: Sequence[tuple[str, list[slices.Record]]] = (
        ("new", everything),
        ("unchanged", everything),
        ("10 % changed", slices.with_changes(everything, one_in=10)),
    )
    spent: dict[str, dict[str, list[float]]] = {
        "DISABLE": defaultdict(list),
        "ENABLE": defaultdict(list),
    }
    for _ in range(_ROUNDS):
        for what, costs in spent.items():
            desk.execute(f"TRUNCATE {', '.join({*baseline.TABLES, 'page_changes'})}")
            _set_triggers(desk, what)
            for (kind, records), day in zip(rounds, _DAYS, strict=True):
                messages = slices.messages(desk, records, size=RECORDS_PER_SLICE, fetched_at=day)
                cost = slices.write(database_url, messages, rows=_ROWS, writers=1)
                costs[kind].append(cost.per_row_us(cost.client_seconds + cost.server_seconds))
    noted = desk.one("SELECT count(*) AS number FROM page_changes")["number"]
    print(f"\n{noted} changes noted of {_ROWS} rows")  # noqa: T201  a benchmark's result
    assert noted > _ROWS / 2
    for kind, goal in _GOALS.items():
        without, noting = min(spent["DISABLE"][kind]), min(spent["ENABLE"][kind])
        note = f"{without:.1f} CPU µs/row, {noting:.1f} with changes noted"
        print(f"{kind}: {note}")  # noqa: T201  as above
        figures.add(
            f"outbox.{kind}",
            without / noting,
            unit="of the speed without",
            goal=goal,
            note=note,
        )
