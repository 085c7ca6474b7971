"""The walks and threads that a quota needs."""

import pytest

from services.fetcher.settings import FetcherSettings


def settings_for(**values: object) -> FetcherSettings:
    return FetcherSettings.model_validate(
        {
            "database_url": "postgresql://localhost/x",
            "broker_url": "memory://",
            "insee_key": "key",
            **values,
        }
    )


@pytest.mark.parametrize(
    ("per_minute", "walkers"), [(0.5, 4), (30, 4), (100, 4), (500, 13), (10_000, 16)]
)
def test_as_many_walks_as_the_quota_can_use(per_minute: float, walkers: int) -> None:
    settings = settings_for(insee_requests_per_minute=per_minute)
    assert settings.walkers == settings.threads == walkers


def test_what_a_person_sets_is_believed() -> None:
    settings = settings_for(fetcher_parallel_batches=2, fetcher_threads=5)
    assert (settings.walkers, settings.threads) == (2, 5)
