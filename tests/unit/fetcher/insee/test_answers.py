"""A 429 names the limit that is used up and the pause, by its headers; a 400 names its reason."""

import datetime as dt
import time
from email.utils import format_datetime

import pytest
import requests

from services.fetcher.insee.answers import KeyRefused, QueryRefused, QuotaExceeded, refusal
from shared.metrics import THROTTLING_CAUSES


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, "untold"),
        ({"Retry-After": "3"}, "untold"),
        ({"X-Rate-Limit-Remaining": "0"}, "minute"),
        ({"X-Rate-Limit-Remaining": "4"}, "untold"),
        ({"X-Quota-Remaining": "0", "X-Rate-Limit-Remaining": "0"}, "hour"),
    ],
)
def test_a_429_names_the_limit_that_is_used_up(headers: dict[str, str], limit: str) -> None:
    error = refusal(429, requests.structures.CaseInsensitiveDict(headers), b"", str)
    assert isinstance(error, QuotaExceeded)
    assert error.limit == limit
    assert limit in THROTTLING_CAUSES


def _pause_of(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = refusal(429, requests.structures.CaseInsensitiveDict(named), b"", str)
    assert isinstance(error, QuotaExceeded)
    return error.retry_after_seconds


@pytest.mark.parametrize("hours_ahead", [-1, 0, 1])
def test_a_pause_is_read_by_the_server_s_own_clock(hours_ahead: int) -> None:
    theirs = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours_ahead)
    end = theirs + dt.timedelta(seconds=30)
    date, until = (format_datetime(each, usegmt=True) for each in (theirs, end))
    reset = str(int(end.timestamp() * 1000))
    assert _pause_of(Date=date, Retry_After=until) == pytest.approx(30, abs=3)
    assert _pause_of(Date=date, X_Rate_Limit_Reset=reset) == pytest.approx(30, abs=3)


def test_a_pause_without_a_server_s_date_is_read_by_our_clock() -> None:
    reset = str(int((time.time() + 30) * 1000))
    assert _pause_of(X_Rate_Limit_Reset=reset) == pytest.approx(30, abs=3)


def test_a_gateway_that_blames_the_key_by_400_refuses_the_key() -> None:
    error = refusal(400, {}, b'{"message": "Invalid API key the-key"}', _without_the_key)
    assert isinstance(error, KeyRefused)
    assert "Invalid API key [redacted]" in str(error)
    assert "the-key" not in str(error)


def test_a_400_tells_its_reason_whoever_words_it() -> None:
    error = refusal(400, {}, b'{"error": {"message": "too long"}}', _without_the_key)
    assert isinstance(error, QueryRefused)
    assert str(error) == "INSEE answers 400: too long"


def _without_the_key(text: str) -> str:
    return text.replace("the-key", "[redacted]")
