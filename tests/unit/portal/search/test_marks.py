import datetime as dt

import pytest

from services.portal.search import marks
from services.portal.search.engine import UnknownPlace


@pytest.mark.parametrize(
    ("order", "value", "id_"),
    [
        (marks.RANK, 9, 12),
        (marks.RANK, -1, 1),
        (marks.DISTANCE, 1234.5678901234, 2**60 % 10**18),
        (marks.SCORE, -0.25, 3),
        (marks.SCORE, 1e-07, 3),
        (marks.CREATION, dt.date(2024, 2, 29), 4),
    ],
)
def test_a_mark_is_read_as_it_was_written(order: str, value: object, id_: int) -> None:
    mark = marks.read(order, marks.written(order, value, id_))
    assert mark is not None
    assert mark.id == id_
    assert value == (mark.day if order == marks.CREATION else mark.number)


@pytest.mark.parametrize(
    "words", ["", "r", "r:1", "r:x:1", "w:1:1", "r:nan:1", "r:1:1;", "r:1e999:1"]
)
def test_a_mark_of_another_search_is_refused(words: str) -> None:
    with pytest.raises(UnknownPlace):
        marks.read(marks.RANK, words)


def test_without_a_mark_an_answer_begins_at_the_start() -> None:
    assert marks.read(marks.RANK, None) is None
