import re
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.archive.settings import ArchiveSettings
from shared.http.egress import is_here
from shared.roles.privileges import ROLES
from shared.roles.statements import DEFAULT_PREFIX, is_prefix
from shared.settings import HttpSettings, ServiceSettings

_PASSWORD = Field(default=SecretStr(""), description="of this role, in PostgreSQL and RabbitMQ")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class MonitorSettings(ServiceSettings, HttpSettings):
    """The servers that `monitor` looks at beside the databases; all are optional."""

    broker_url: SecretStr = SecretStr("memory://")
    monitor_rabbitmq_url: str = Field(
        default="",
        description="RabbitMQ's management API, if not at its port of the broker's host",
    )
    monitor_prometheus_url: str = Field(default="", description="like http://127.0.0.1:9090")

    @field_validator("monitor_rabbitmq_url", "monitor_prometheus_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _keeps_the_password_encrypted(self) -> Self:
        url = self.monitor_rabbitmq_url
        is_encrypted = self.broker_url.get_secret_value().startswith("amqps:")
        if is_encrypted and url.startswith("http:") and not is_here(url):
            raise ValueError("MONITOR_RABBITMQ_URL: must be https, as the broker is asked by amqps")
        return self


class RoleSettings(MonitorSettings):
    """The settings of `roles`: who makes them, their names and passwords."""

    database_url: SecretStr = Field(
        default=SecretStr(""), description="of a superuser, or of the server's administrator"
    )
    role_prefix: str = Field(default=DEFAULT_PREFIX, description="how the names of roles begin")
    migrate_password: SecretStr = _PASSWORD
    fetcher_password: SecretStr = _PASSWORD
    writer_password: SecretStr = _PASSWORD
    reviewer_password: SecretStr = _PASSWORD
    operator_password: SecretStr = _PASSWORD
    console_password: SecretStr = _PASSWORD
    portal_password: SecretStr = _PASSWORD
    indexer_password: SecretStr = _PASSWORD
    exporter_password: SecretStr = _PASSWORD
    reader_password: SecretStr = _PASSWORD

    @property
    def passwords(self) -> dict[str, str]:
        """Return the passwords that are set, by role: the same in PostgreSQL and RabbitMQ."""
        found = {role: getattr(self, f"{role}_password").get_secret_value() for role in ROLES}
        return {role: password for role, password in found.items() if password}

    @field_validator("role_prefix")
    @classmethod
    def _needs_no_quotes(cls, value: str) -> str:
        if not is_prefix(value):
            raise ValueError("is no beginning of names: a-z, 0-9 and _, at most 40")
        return value


class OperatorSettings(ServiceSettings, ArchiveSettings):
    """The operator's settings, each an environment variable with the prefix SIRENADE_."""

    # Jobs order work in PostgreSQL: the operator needs no broker.
    broker_url: SecretStr = SecretStr("memory://")
    # INSEE publishes from 6:00 to 7:40.
    delta_at: str = Field(default="07:45", description="when the delta is ordered, in France")
    delta_wait_minutes: float = Field(
        default=240, ge=0, le=1200, description="how long the delta then waits for INSEE to publish"
    )
    purge_at: str = Field(
        default="03:30", description="when failed items resolved long ago are deleted, in France"
    )

    reviews_expire_at: str = Field(
        default="04:00", description="when reviews that their site keeps no longer go, in France"
    )

    @field_validator("delta_at", "purge_at", "reviews_expire_at")
    @classmethod
    def _is_a_time_of_day(cls, value: str) -> str:
        if not _TIME_OF_DAY.fullmatch(value):
            raise ValueError("is no time of day: use 00:00 to 23:59, like 07:45")
        return value
