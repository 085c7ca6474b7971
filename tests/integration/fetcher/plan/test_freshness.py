"""The age of the register follows from the watermarks, in Paris time, in all views."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.operator.numbers.stats import read_stats
from shared.clock import utc_now
from shared.days import FRANCE
from shared.imports.progress import read_progress
from shared.imports.treatments import COLLECTIONS
from shared.imports.watermarks import set_watermark
from tests.integration.exported import exported


@pytest.fixture
def aged(engine: Engine) -> Callable[..., None]:
    def age(**hours: float) -> None:
        for collection, each in hours.items():
            instant = utc_now() - timedelta(hours=each)
            date = instant.astimezone(FRANCE).replace(tzinfo=None)
            with engine.begin() as connection:
                set_watermark(connection, collection, date)

    return age


def stats(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        found: dict[str, Any] = json.loads(json.dumps(read_stats(connection)))
    return found


def test_each_collection_has_its_age_in_stats_and_metrics(
    engine: Engine, aged: Callable[..., None]
) -> None:
    def ages() -> list[float | None]:
        value = exported(engine)
        return [value("freshness_age_seconds", collection=each) for each in COLLECTIONS]

    assert ages() == [None, None]
    assert stats(engine)["freshness"] == []

    aged(etablissements=30, unites_legales=54)
    hours = [(seconds or 0) / 3600 for seconds in ages()]
    assert hours == pytest.approx([30, 54], abs=0.1)
    freshness = stats(engine)["freshness"]
    assert [each["collection"] for each in freshness] == list(COLLECTIONS)
    assert [each["age_hours"] for each in freshness] == pytest.approx([30, 54], abs=0.1)


def test_status_goes_by_the_older_of_both_and_says_nothing_of_one_alone(
    engine: Engine, aged: Callable[..., None]
) -> None:
    aged(etablissements=30)
    with engine.connect() as connection:
        assert read_progress(connection).age_seconds is None
    aged(unites_legales=54)
    with engine.connect() as connection:
        age_seconds = read_progress(connection).age_seconds
    assert (age_seconds or 0) / 3600 == pytest.approx(54, abs=0.1)


def test_status_shows_the_warning_of_the_last_delta_and_of_the_run_asked_for(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        run_ids = [
            connection.execute(
                text(
                    "INSERT INTO import_runs (kind, warning) VALUES (:kind, :warning) RETURNING id"
                ),
                {"kind": kind, "warning": warning},
            ).scalar_one()
            for kind, warning in (("delta", "old"), ("delta", "new"), ("scope", None))
        ]
        assert read_progress(connection).warning == "new"
        assert [read_progress(connection, each).warning for each in run_ids] == ["old", "new", None]
