import datetime as dt

import pytest

from services.reviewer.notices.label import day_in_france, label

# In UTC it is still the evening before the month.
_EVENING = dt.datetime(2026, 7, 31, 22, 30, tzinfo=dt.UTC)


def test_a_template_text_is_labelled_as_automatic() -> None:
    assert label(generated_at=_EVENING, fetched_at=_EVENING, ai=False) == (
        "Notice générée automatiquement le 1er août 2026 à partir du répertoire Sirene "
        "(Insee, août 2026). Ce n’est pas un avis de consommateur."
    )


def test_a_text_of_a_model_is_labelled_as_written_by_ai() -> None:
    text = label(generated_at=_EVENING + dt.timedelta(days=1), fetched_at=_EVENING, ai=True)
    assert text.startswith("Notice rédigée par IA le 2 août 2026 ")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2026, 7, 31, 23, 30, tzinfo=dt.UTC), dt.date(2026, 8, 1)),
        (dt.datetime(2026, 7, 31, 21, 59, tzinfo=dt.UTC), dt.date(2026, 7, 31)),
        (dt.datetime(2026, 12, 31, 22, 59, tzinfo=dt.UTC), dt.date(2026, 12, 31)),
        (dt.datetime(2026, 12, 31, 23, 0, tzinfo=dt.UTC), dt.date(2027, 1, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_paris(moment: dt.datetime, day: dt.date) -> None:
    assert day_in_france(moment) == day
