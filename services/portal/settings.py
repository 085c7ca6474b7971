import base64
from collections.abc import Mapping
from typing import Literal, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.http.egress import may_carry_secrets
from shared.settings import PREFIX, DatabaseSettings, HttpSettings, MeteredSettings

_REDIS_PORT = 6379


class RedisAddress(NamedTuple):
    host: str
    port: int
    is_encrypted: bool
    login: tuple[str, ...]
    database: int

    @classmethod
    def of(cls, url: str) -> "RedisAddress":
        """Read `redis://[[user]:password@]host[:port][/database]`, or `rediss://`: with TLS.

        Raises ValueError.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.query:
            raise ValueError("no Redis")
        login = tuple(unquote(each) for each in (parts.username, parts.password) if each)
        if parts.username and not parts.password:
            raise ValueError("a user without a password")
        database = int(parts.path.strip("/") or 0)
        port = parts.port or _REDIS_PORT
        return cls(parts.hostname, port, parts.scheme == "rediss", login, database)


class SearchSettings(DatabaseSettings, HttpSettings):
    """The engine of searches; the server of one of them, and how it knows us."""

    search_engine: Literal["postgresql", "elasticsearch"] = Field(
        default="postgresql",
        description="postgresql, elasticsearch: who finds the words of searches",
    )
    elasticsearch_url: str = Field(default="", description="https://HOST:9200")
    elasticsearch_user: str = Field(default="", description="with a password; or else an API key")
    elasticsearch_password: SecretStr = Field(default=SecretStr(""), description="of this user")
    elasticsearch_api_key: SecretStr = Field(
        default=SecretStr(""), description="an API key as Elasticsearch gives it, encoded"
    )
    elasticsearch_index: str = Field(
        default="sirenade",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="how the names of our indexes begin",
    )

    @property
    def addresses(self) -> dict[str, str]:
        url = self.elasticsearch_url
        return super().addresses | ({f"{PREFIX}ELASTICSEARCH_URL": url} if url else {})

    @property
    def elasticsearch_authorization(self) -> Mapping[str, str]:
        """The header that says who asks; none where nobody has to."""
        if key := self.elasticsearch_api_key.get_secret_value():
            return {"Authorization": f"ApiKey {key}"}
        if not self.elasticsearch_user:
            return {}
        login = f"{self.elasticsearch_user}:{self.elasticsearch_password.get_secret_value()}"
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}

    @field_validator("elasticsearch_url")
    @classmethod
    def _is_a_server(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = parts.scheme in {"http", "https"} and bool(parts.hostname)
            sound &= not (parts.query or parts.fragment or parts.username)
        except ValueError:
            sound = False
        if url and not sound:
            raise ValueError("is no address: https://HOST:9200, user and password apart")
        if url and not may_carry_secrets(url):
            raise ValueError("names of people go over https only: https://HOST:9200")
        return url

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.search_engine == "elasticsearch" and not self.elasticsearch_url:
            raise ValueError(f"{PREFIX}ELASTICSEARCH_URL is missing")
        has_password = bool(self.elasticsearch_password.get_secret_value())
        if bool(self.elasticsearch_user) != has_password:
            raise ValueError(f"{PREFIX}ELASTICSEARCH_USER and _PASSWORD go together")
        if self.elasticsearch_user and self.elasticsearch_api_key.get_secret_value():
            raise ValueError(f"{PREFIX}ELASTICSEARCH_USER and _API_KEY exclude each other")
        return self


class PortalSettings(MeteredSettings, SearchSettings):
    portal_host: str = Field(default="127.0.0.1", description="the address that it listens on")
    portal_port: int = Field(default=8080, ge=0, le=65535, description="0: any free port")
    portal_workers: int = Field(
        default=1, ge=1, le=64, description="processes; each takes the next port for /metrics"
    )
    portal_base_url: str = Field(
        default="", description="the address that readers see: https://HOST; empty: host and port"
    )
    portal_connections: int = Field(
        default=4, ge=1, le=64, description="connections of a process to each database"
    )
    portal_clients: int = Field(
        default=500, ge=1, le=50_000, description="clients that a process serves at once"
    )
    portal_patience_seconds: float = Field(
        default=10, gt=0, description="time for a client to send a request, or to take an answer"
    )
    portal_proxies: str = Field(
        default="", description="addresses of proxies whose X-Forwarded-For counts, between commas"
    )
    portal_anonymous_per_minute: int = Field(
        default=120, ge=1, description="requests to the API without a key, of a network and process"
    )
    portal_cache_bytes: int = Field(
        default=64_000_000, ge=0, description="memory of a process for the pages that it made"
    )
    portal_cache_url: SecretStr = Field(
        default=SecretStr(""),
        description="redis://:password@host:port, or rediss://, that many processes share; or none",
    )
    portal_index_sole_traders: bool = Field(
        default=False, description="let search engines keep pages of sole traders: personal data"
    )
    portal_access_log_directory: str = Field(
        default="", description="an existing folder for a file of accesses a day; empty: none"
    )
    portal_access_log_days: int = Field(
        default=14, ge=1, le=365, description="days after which a file of accesses is deleted"
    )

    @property
    def base_url(self) -> str:
        if self.portal_base_url:
            return self.portal_base_url.rstrip("/")
        host = f"[{self.portal_host}]" if ":" in self.portal_host else self.portal_host
        return f"http://{host}:{self.portal_port}"

    @property
    def addresses(self) -> dict[str, str]:
        url = self.portal_cache_url.get_secret_value()
        return {**super().addresses, **({f"{PREFIX}PORTAL_CACHE_URL": url} if url else {})}

    @field_validator("portal_cache_url")
    @classmethod
    def _is_a_redis(cls, url: SecretStr) -> SecretStr:
        try:
            if url.get_secret_value():
                RedisAddress.of(url.get_secret_value())
        except ValueError:
            raise ValueError("is no Redis: redis://:password@host:port/0, or rediss://") from None
        return url

    @field_validator("portal_base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            sound = bool(parts.scheme in {"http", "https"} and parts.hostname)
            sound &= not (parts.query or parts.fragment or parts.username)
        except ValueError:
            sound = False
        if url and not sound:
            raise ValueError("is no address: https://HOST")
        return url
