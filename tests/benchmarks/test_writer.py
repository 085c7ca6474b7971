"""What a slice costs, against the server's own COPY of the same rows in the same run."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter

import pytest

from services.writer.copying import copy_into, copy_line
from shared.db.engine import make_engine
from shared.sirene.mapper import map_record
from shared.sirene.records import Etablissement
from tests.integration.writer.conftest import Desk, Records

_ROWS = 4000
_SLICE = 200


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.slow
def test_writing_slices_against_a_bare_copy(database_url: str) -> None:
    engine = make_engine(database_url, application_name="benchmark")
    desk, records = Desk(engine), Records()
    everything = [records.record(number) for number in range(_ROWS)]
    names = [field.name for field in fields(Etablissement)]
    values = attrgetter(*names)
    lines = [copy_line(values(map_record(record).etablissement)) for record in everything]
    desk.execute("CREATE TABLE bare AS SELECT * FROM etablissements WITH NO DATA")

    def copy() -> None:
        with engine.begin() as connection:
            copy_into(connection, "bare", names, lines)

    def import_all(day: int) -> None:
        fetched_at = dt.datetime(2026, 8, day, tzinfo=dt.UTC)
        for start in range(0, _ROWS, _SLICE):
            desk.import_(*everything[start : start + _SLICE], fetched_at=fetched_at)

    bare = _seconds(copy)
    first = _seconds(lambda: import_all(1))
    for record in everything[::10]:
        record["dateDernierTraitementEtablissement"] = "2026-06-01T00:00:00"
    refresh = _seconds(lambda: import_all(2))
    print(  # noqa: T201  a benchmark's result
        f"\nrows/s: bare COPY {_ROWS / bare:.0f}, first load {_ROWS / first:.0f} "
        f"({bare / first:.3f} of it), refresh with 10 % changed {_ROWS / refresh:.0f} "
        f"({bare / refresh:.3f})"
    )
    assert refresh < first, "what has not changed must cost less than what is new"
    assert _ROWS / first > 500, "the public quota brings 500 rows a second"
    engine.dispose()
