"""SQL has the order of versions that Python has."""

import datetime as dt

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from services.writer.sql import versions
from shared.sirene.versions import effective

_SEEN = st.datetimes(
    dt.datetime(2020, 1, 1),  # noqa: DTZ001
    dt.datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
# The end of the next day, and the night in which an hour comes twice, are where a mistake hides.
_NEAR = st.timedeltas(dt.timedelta(days=-1), dt.timedelta(days=3))
_NIGHT = dt.datetime(2026, 10, 25, tzinfo=dt.UTC)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seen=_SEEN | st.timedeltas(dt.timedelta(), dt.timedelta(hours=3)).map(_NIGHT.__add__),
    treated=st.none() | st.datetimes(dt.datetime(1899, 1, 1), dt.datetime(2101, 1, 1)),  # noqa: DTZ001
    near=st.none() | _NEAR,
)
@example(seen=_NIGHT, treated=dt.datetime(2026, 10, 25, 2, 59, 59, 999999), near=None)  # noqa: DTZ001
@example(seen=_NIGHT, treated=dt.datetime(2026, 10, 26, 23, 59, 59, 999999), near=None)  # noqa: DTZ001
@example(seen=_NIGHT, treated=dt.datetime(2026, 10, 27), near=None)  # noqa: DTZ001
@example(seen=_NIGHT, treated=dt.datetime(1970, 1, 1), near=None)  # noqa: DTZ001
def test_a_record_counts_from_the_same_moment(
    engine: Engine, seen: dt.datetime, treated: dt.datetime | None, near: dt.timedelta | None
) -> None:
    if near is not None:
        treated = seen.replace(tzinfo=None) + near
    found = text(f"""
        SELECT {versions.effective("r")} FROM (SELECT
          CAST(:treated AS timestamp) AS date_dernier_traitement,
          CAST(:seen AS timestamptz) AS fetched_at) r
    """)
    with engine.connect() as connection:
        in_sql = connection.execute(found, {"treated": treated, "seen": seen}).scalar_one()
    assert in_sql == effective(treated, seen)
