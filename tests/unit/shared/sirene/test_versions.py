import datetime as dt
from dataclasses import dataclass
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sirene.versions import Version, effective, newest_by_key

NOON = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=1)
OLD, NEW = dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1)  # noqa: DTZ001  as INSEE's own


@dataclass(frozen=True)
class Treated:
    date_dernier_traitement: dt.datetime | None
    statut_diffusion: str = "O"
    key: str = "k"


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_the_treatment_date_decides_before_the_time_of_the_get() -> None:
    assert Version.of(Treated(NEW), NOON) > Version.of(Treated(OLD), LATER)


@pytest.mark.parametrize(
    ("treated", "expected"),
    [
        (None, "2026-08-05T14:00:00"),
        ("1900-01-01T00:00:00", "2026-08-05T14:00:00"),
        ("1969-12-31T23:59:59", "2026-08-05T14:00:00"),
        ("1970-01-01T00:00:00", "1970-01-01T00:00:00"),
        ("2026-08-06T23:59:59.999", "2026-08-06T23:59:59.999"),
        ("2026-08-07T00:00:00", "2026-08-05T14:00:00"),
        ("2099-01-01T00:00:00", "2026-08-05T14:00:00"),
    ],
)
def test_a_date_that_insee_cannot_mean_is_that_of_the_get_in_france(
    treated: str | None, expected: str
) -> None:
    assert effective(None if treated is None else _at(treated), NOON) == _at(expected)


def test_the_hour_that_comes_twice_is_one_moment() -> None:
    seen = dt.datetime(2026, 10, 25, 9, tzinfo=dt.UTC)
    begin = effective(_at("2026-10-25T02:00:00"), seen)
    assert effective(_at("2026-10-25T02:59:59.999"), seen) == begin
    assert effective(_at("2026-10-25T03:00:00"), seen) > begin
    assert effective(_at("2026-10-18T02:50:00"), seen) > effective(_at("2026-10-18T02:10:00"), seen)
    summer, winter = (dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC) for hour in (0, 1))
    assert Version.of(Treated(None), winter) > Version.of(Treated(None), summer)


def test_at_an_equal_date_p_beats_o_and_then_the_later_get() -> None:
    assert Version.of(Treated(OLD, "P"), NOON) > Version.of(Treated(OLD, "O"), LATER)
    assert Version.of(Treated(OLD), LATER) > Version.of(Treated(OLD), NOON)


def test_a_p_hides_what_is_older_by_its_date_or_was_seen_before() -> None:
    shown = Version.of(Treated(NEW), NOON)
    assert Version.of(Treated(NEW, "P"), NOON).hides(shown)
    assert Version.of(Treated(OLD, "P"), LATER).hides(shown)
    assert not Version.of(Treated(OLD, "P"), NOON).hides(shown)
    assert not Version.of(Treated(NEW), LATER).hides(shown), "an O hides nothing"


_TREATED = st.builds(
    Treated, st.none() | st.sampled_from((OLD, NEW)), st.sampled_from("OP"), st.sampled_from("abc")
)


@given(records=st.lists(_TREATED))
def test_one_record_stays_for_each_key_and_none_of_its_key_is_newer(records: list[Treated]) -> None:
    kept = newest_by_key(records, attrgetter("key"), NOON)
    assert sorted(r.key for r in kept) == sorted({r.key for r in records})
    for one in kept:
        mine = [Version.of(r, NOON) for r in records if r.key == one.key]
        assert Version.of(one, NOON) == max(mine)
