"""The time that nineteen of the last answers in twenty did not exceed."""

from services.portal.web.answer_times import AnswerTimes


def test_the_last_thousand_answers_to_readers_count() -> None:
    times = AnswerTimes()
    assert times.p95() is None
    times.add("page", 7.0)
    assert times.p95() == 7.0
    for milliseconds in range(1, 1001):
        times.add("page", milliseconds / 1000)
    times.add("export_csv", 60.0)
    times.add("healthz", 0.0)
    assert times.p95() == 0.95
