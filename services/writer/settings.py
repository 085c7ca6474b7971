from pydantic import Field

from shared.settings import DatabaseSettings, ServiceSettings


class StockSettings(DatabaseSettings):
    """The settings of the command that loads stock files: it needs no broker."""

    avis_sole_traders: bool = Field(
        default=False, description="write about sole traders too: personal data"
    )


class WriterSettings(StockSettings, ServiceSettings):
    """The writer's settings, each an environment variable with the prefix SIRENADE_."""

    writer_threads: int = Field(
        default=2, ge=1, le=16, description="slices written at once, each on a connection"
    )
