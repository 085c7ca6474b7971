import datetime as dt
from dataclasses import dataclass
from operator import attrgetter

from hypothesis import given
from hypothesis import strategies as st

from services.writer.slices.versions import Version, newest_by_key

NOON = dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(hours=1)
OLD, NEW = dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1)  # noqa: DTZ001  as INSEE's own


@dataclass(frozen=True)
class Treated:
    date_dernier_traitement: dt.datetime | None
    statut_diffusion: str = "O"
    key: str = "k"


def test_the_treatment_date_decides_before_the_time_of_the_get() -> None:
    assert Version.of(Treated(NEW), NOON) > Version.of(Treated(OLD), LATER)


def test_a_missing_date_is_older_than_any() -> None:
    assert Version.of(Treated(None, "P"), LATER) < Version.of(Treated(OLD), NOON)


def test_at_an_equal_date_p_beats_o_and_then_the_later_get() -> None:
    assert Version.of(Treated(OLD, "P"), NOON) > Version.of(Treated(OLD, "O"), LATER)
    assert Version.of(Treated(OLD), LATER) > Version.of(Treated(OLD), NOON)


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
