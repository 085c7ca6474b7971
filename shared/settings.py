"""Settings from the environment: validated as a whole, every problem listed."""

import os
import re
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.db_url import database_address, with_login_of
from shared.errors import UserError
from shared.http.egress import Egress
from shared.inputs import read_text
from shared.sharding import BUCKETS
from shared.transit import doubts_about, hosts_of

PREFIX = "SIRENADE_"
# Powers of two: all shards have one size, and twice as many shards take half of each.
_SHARD_COUNTS = {1 << n for n in range(BUCKETS.bit_length())}


# A comma also stands between the servers of one URL.
_BETWEEN_URLS = re.compile(r",(?=\s*(?:[\w+]+://|,|$))")


def _split(urls: str) -> list[str]:
    return [url for each in _BETWEEN_URLS.split(urls) if (url := each.strip())]


class LogSettings(BaseSettings):
    """The settings of every process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least level that is logged: DEBUG, INFO, WARNING, ERROR"
    )
    log_directory: Path | None = Field(
        default=None, description="an existing folder, where services keep log files as well"
    )


class HttpSettings(LogSettings):
    """The settings of every process that sends HTTP requests."""

    https_ca_file: Path | None = Field(
        default=None, description="certificates (PEM) that https trusts besides the usual ones"
    )
    http_proxy_url: str = Field(
        default="", description="http://host:port; hosts nearby are asked directly"
    )

    @property
    def egress(self) -> Egress:
        return Egress(self.https_ca_file, self.http_proxy_url)

    @field_validator("http_proxy_url")
    @classmethod
    def _is_a_proxy(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = not url or bool(parts.scheme == "http" and parts.hostname and parts.port)
        except ValueError:
            sound = False
        if not sound:
            raise ValueError("is no proxy: http://host:port")
        return url


class DatabaseSettings(LogSettings):
    """The settings of a command that only reads the database."""

    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/name; several servers between commas:"
        " host1:port,host2:port"
    )
    shard_database_urls: SecretStr = Field(
        default=SecretStr(""),
        description="databases of the register, in order, between commas; empty: database_url;"
        " one without a user takes the login of database_url",
    )
    clear_text_hosts: str = Field(
        default="",
        description="hosts beside this machine that are asked in clear on purpose, between commas",
    )

    @property
    def addresses(self) -> dict[str, str]:
        """The URLs that this process sends passwords and keys to, each by its setting."""
        first, *others = dict.fromkeys((self.database_url.get_secret_value(), *self.shard_urls))
        shards = {f"{PREFIX}SHARD_DATABASE_URLS {n}": url for n, url in enumerate(others, 1)}
        return {f"{PREFIX}DATABASE_URL": first, **shards}

    @property
    def doubts(self) -> list[str]:
        """A sentence for each address that is asked in clear, or may be."""
        return list(doubts_about(self.addresses, hosts_of(self.clear_text_hosts)))

    @property
    def shard_urls(self) -> tuple[str, ...]:
        """One URL for each shard; the control database's where none is named."""
        control = self.database_url.get_secret_value()
        listed = _split(self.shard_database_urls.get_secret_value())
        return tuple(with_login_of(control, url) for url in listed) or (control,)

    @field_validator("shard_database_urls")
    @classmethod
    def _are_shards(cls, urls: SecretStr) -> SecretStr:
        listed = _split(urls.get_secret_value())
        if len(listed) not in {0, *_SHARD_COUNTS}:
            raise ValueError(f"names {len(listed)} databases, not 1, 2, 4 … {BUCKETS}")
        try:
            places = [database_address(url) for url in listed]
        except UserError as error:
            raise ValueError(str(error)) from None
        if len(set(places)) < len(places):
            raise ValueError("names a database twice")
        return urls


class MeteredSettings(DatabaseSettings):
    """The settings of every process that serves /metrics."""

    metrics_port: int = Field(default=9191, ge=0, le=65535, description="0: no /metrics")
    metrics_host: str = Field(default="127.0.0.1", description="where /metrics is served")
    version: str = Field(default="", description="what was deployed, as /metrics shows it")


class ServiceSettings(MeteredSettings):
    """The settings of every service that works on messages."""

    broker_url: SecretStr = Field(
        description="amqp://user:password@host:port/vhost, or amqps://…?cacertfile=/FILE; the nodes"
        " of a cluster between semicolons"
    )

    @property
    def addresses(self) -> dict[str, str]:
        return {**super().addresses, f"{PREFIX}BROKER_URL": self.broker_url.get_secret_value()}

    @field_validator("broker_url")
    @classmethod
    def _can_be_read(cls, url: SecretStr) -> SecretStr:
        for node in url.get_secret_value().split(";"):
            try:
                parts = urlsplit(node)
                _ = parts.port
            except ValueError:
                # The message of urllib would quote the URL.
                raise ValueError("cannot be read: amqp://user:password@host:port/vhost") from None
            if parts.username and parts.password is None:
                raise ValueError("names a user without a password: amqp://user:password@host:port/")
        return url


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(settings_class: type[SettingsT], **overrides: object) -> SettingsT:
    """Build the settings. Raises one UserError that lists every problem and no value.

    The file that `<NAME>_FILE` names wins over the variable `<NAME>`; `overrides` win over both.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name in settings_class.model_fields:
        variable = f"{PREFIX}{name.upper()}_FILE"
        if (path := os.environ.get(variable)) is not None:
            try:
                values[name] = read_text(Path(path)).strip()
            except UserError as error:
                problems.append(f"{variable}: {error}")
    try:
        settings = settings_class(**{**values, **overrides})
    except ValidationError as error:
        for detail in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in detail["loc"])
            problems.append(f"{PREFIX}{name.upper()}: {detail['msg']}")
    if problems:
        raise UserError("settings:", *problems)
    return settings
