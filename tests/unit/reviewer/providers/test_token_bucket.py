"""Buckets refill with time, and headers set them: no clock, no thread."""

import pytest

from services.reviewer.providers.token_bucket import (
    Allowance,
    Bucket,
    read_allowance,
    read_duration,
)


def test_a_bucket_without_a_limit_lets_everything_through() -> None:
    bucket = Bucket()
    bucket.take(1e9, 0)
    assert bucket.wait_seconds(1e9, 0) == 0


def test_a_bucket_knows_what_was_sent_after_the_answer_was_written() -> None:
    bucket = Bucket()
    mark = bucket.take(1, 0)
    for _ in range(9):
        bucket.take(1, 0)
    bucket.learn(Allowance(600, 10, 59.0), sent_at=0, mark=mark, now=0)
    assert bucket.wait_seconds(1, 0) == 0
    bucket.take(1, 0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(0.1)
    assert bucket.wait_seconds(1, 0.1) == pytest.approx(0, abs=1e-9)


def test_an_older_answer_does_not_overwrite_a_newer_one() -> None:
    bucket = Bucket()
    old, new = bucket.take(1, 0), bucket.take(1, 0)
    bucket.learn(Allowance(60, 0, 60), sent_at=0, mark=new, now=0)
    bucket.learn(Allowance(60, 60, 0), sent_at=0, mark=old, now=0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(1)


def test_a_limit_of_a_day_refills_by_the_day() -> None:
    bucket = Bucket()
    mark = bucket.take(1, 0)
    bucket.learn(Allowance(14_400, 0, 86_400), sent_at=0, mark=mark, now=0)
    assert bucket.wait_seconds(1, 0) == pytest.approx(6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20ms", 0.02), ("1s", 1), ("6m0s", 360), ("1h2m", 3720), ("7.66s", 7.66), ("12", 12)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert read_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "-1s", "1s!"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_duration(text) is None


def test_headers_in_both_dialects_are_read() -> None:
    openai = {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "599",
        "x-ratelimit-reset-requests": "100ms",
    }
    assert read_allowance(openai, "requests") == Allowance(600, 599, 0.1)
    mistral = {"x-ratelimit-limit-tokens-minute": "5", "x-ratelimit-remaining-tokens-minute": "4"}
    assert read_allowance(mistral, "tokens") == Allowance(5, 4, None)
    assert read_allowance(mistral, "requests") is None
    assert read_allowance({"x-ratelimit-limit-requests": "many"}, "requests") is None
