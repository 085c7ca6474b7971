"""How far the register is complete, as the fetcher keeps and shows it."""

from sqlalchemy import Engine

from shared.delta import Watermark, read_ages_seconds, read_watermarks, settle_windows
from shared.metrics import Metrics


class Watermarks:
    """Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> dict[str, Watermark]:
        with self._engine.connect() as connection:
            return read_watermarks(connection)

    def settle(self) -> list[str]:
        """Move the watermarks to the ends of windows that are complete; return which moved."""
        with self._engine.begin() as connection:
            return settle_windows(connection)

    def show(self, metrics: Metrics) -> None:
        with self._engine.connect() as connection:
            ages_seconds = read_ages_seconds(connection)
        for collection, seconds in ages_seconds.items():
            metrics.freshness_age_seconds.labels(collection=collection).set(seconds)
