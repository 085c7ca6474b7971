"""A 429 names the limit that is used up, by its headers."""

import pytest
import requests

from services.fetcher.insee.answers import QuotaExceeded, refusal
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
