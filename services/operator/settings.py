import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from shared.settings import ServiceSettings

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class OperatorSettings(ServiceSettings):
    """The operator's settings, each an environment variable with the prefix SIRENADE_."""

    # Its jobs order work in PostgreSQL: it needs no broker.
    broker_url: SecretStr = SecretStr("memory://")
    # INSEE publishes from 6:00 to 7:40.
    delta_at: str = Field(default="07:45", description="when the delta is ordered, in France")
    delta_wait_minutes: float = Field(
        default=240, ge=0, le=1200, description="how long the delta then waits for INSEE to publish"
    )
    purge_at: str = Field(
        default="03:30", description="when what was resolved long ago is deleted, in France"
    )

    log_directory: Path | None = Field(
        default=None, description="log files whose size /metrics shows; none: it does not"
    )

    @field_validator("delta_at", "purge_at")
    @classmethod
    def _is_a_time_of_day(cls, value: str) -> str:
        if not _TIME_OF_DAY.fullmatch(value):
            raise ValueError("is no time of day: use 00:00 to 23:59, like 07:45")
        return value
