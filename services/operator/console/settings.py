import ipaddress
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from services.operator.settings import MonitorSettings
from shared.settings import PREFIX
from shared.texts.settings import HoldSettings


class ConsoleSettings(MonitorSettings, HoldSettings):
    """The console's settings, each an environment variable with the prefix SIRENADE_."""

    console_host: str = Field(default="127.0.0.1", description="the address that it listens on")
    console_port: int = Field(default=8090, ge=0, le=65535, description="0: any free port")
    console_base_url: str = Field(
        default="",
        description="the address that people see: https://HOST; empty: host and port",
    )
    console_connections: int = Field(
        default=2, ge=1, le=64, description="connections of the console to each database"
    )
    console_clients: int = Field(
        default=100, ge=1, le=10_000, description="people that the console serves at once"
    )
    console_session_hours: float = Field(
        default=8, gt=0, le=24, description="time after which everyone logs in again"
    )
    console_look_seconds: float = Field(
        default=5, ge=1, le=600, description="time between two looks of the home at everything"
    )
    console_login_header: str = Field(
        default="",
        pattern=r"^([A-Za-z][A-Za-z0-9-]{1,60})?$",
        description="a header in which a proxy names who logged in there; empty: off",
    )
    console_login_proxies: str = Field(
        default="", description="addresses of the proxies whose header counts, between commas"
    )

    @property
    def base_url(self) -> str:
        if self.console_base_url:
            return self.console_base_url.rstrip("/")
        host = f"[{self.console_host}]" if ":" in self.console_host else self.console_host
        return f"http://{host}:{self.console_port}"

    @property
    def login_proxies(self) -> frozenset[str]:
        return frozenset(_addresses(self.console_login_proxies))

    @field_validator("console_base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = bool(parts.scheme in {"http", "https"} and parts.hostname)
            sound &= not (parts.query or parts.fragment or parts.username) and parts.path in {
                "",
                "/",
            }
        except ValueError:
            sound = False
        if url and not sound:
            raise ValueError("is no address: https://HOST")
        return url

    @field_validator("console_login_proxies")
    @classmethod
    def _are_addresses(cls, addresses: str) -> str:
        for each in _addresses(addresses):
            ipaddress.ip_address(each)
        return addresses

    @model_validator(mode="after")
    def _trusts_somebody(self) -> Self:
        if bool(self.console_login_header) != bool(self.login_proxies):
            raise ValueError(f"{PREFIX}CONSOLE_LOGIN_HEADER and _LOGIN_PROXIES go together")
        return self


def _addresses(listed: str) -> list[str]:
    return [address for each in listed.split(",") if (address := each.strip())]
