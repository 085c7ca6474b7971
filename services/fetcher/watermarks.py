"""How far the register is complete, as the fetcher keeps it."""

from sqlalchemy import Engine

from shared.imports.delta import Watermark, read_watermarks, settle_windows


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
