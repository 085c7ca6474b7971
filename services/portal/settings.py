from urllib.parse import urlsplit

from pydantic import Field, field_validator

from shared.settings import MeteredSettings


class PortalSettings(MeteredSettings):
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
