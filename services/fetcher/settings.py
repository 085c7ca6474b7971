import math
import re

from pydantic import Field, HttpUrl, SecretStr, field_validator

from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE
from shared.http.egress import may_carry_secrets
from shared.settings import PREFIX, HttpSettings, ServiceSettings


class FetcherSettings(ServiceSettings, HttpSettings):
    """The fetcher's settings, each an environment variable with the prefix SIRENADE_."""

    insee_url: HttpUrl = Field(
        default=HttpUrl("https://api.insee.fr/api-sirene/3.11"), description="the API of Sirene"
    )
    insee_key: SecretStr = Field(min_length=1, description="key of the INSEE portal")
    insee_requests_per_minute: float = Field(
        default=30,
        ge=0.1,
        le=10_000,
        description="the quota of your plan, or less; a lower limit in INSEE's headers replaces it",
    )
    insee_requests_per_hour: float | None = Field(
        default=None, ge=1, description="the quota of an hour, where your plan has one"
    )
    insee_timeout_seconds: float = Field(
        default=30, ge=1, le=300, description="time for one answer of INSEE"
    )
    insee_rows_per_page: int = Field(
        default=MAX_ROWS_PER_PAGE,
        ge=1,
        le=MAX_ROWS_PER_PAGE,
        description="establishments of one request",
    )
    fetcher_threads: int | None = Field(
        default=None, ge=1, le=64, description="pages fetched at once; empty: one for each walk"
    )
    fetcher_parallel_batches: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="walks side by side, over all fetchers; empty: as many as the quota can use",
    )
    fetcher_slot_patience_seconds: float = Field(
        default=30, ge=1, le=300, description="time that a page waits for its place in the quota"
    )
    fetcher_max_slices_ready: int = Field(
        default=100, ge=1, le=10_000, description="slices that may wait for the writer"
    )
    fetcher_stall_seconds: float = Field(
        default=60,
        ge=1,
        le=3600,
        description="time without a written slice after which a page is fetched again",
    )
    fetcher_delta_poll_seconds: float = Field(
        default=180,
        ge=1,
        le=3600,
        description="time between two questions of a delta that waits for INSEE to publish",
    )
    fetcher_lookups_per_day: int = Field(
        default=500,
        ge=0,
        le=1440,
        description="numbers that INSEE no longer lists, asked for in a day, one request each",
    )

    @property
    def addresses(self) -> dict[str, str]:
        return {**super().addresses, f"{PREFIX}INSEE_URL": str(self.insee_url)}

    @property
    def lease_seconds(self) -> float:
        """The lease of a page, which outlives the wait for a slot and the GET together."""
        return self.fetcher_slot_patience_seconds + self.insee_timeout_seconds + 15

    @property
    def walkers(self) -> int:
        """The walks that use up the quota: each takes 1.5 s a page where INSEE is slow."""
        if self.fetcher_parallel_batches is not None:
            return self.fetcher_parallel_batches
        return min(16, max(4, math.ceil(self.insee_requests_per_minute / 40)))

    @property
    def threads(self) -> int:
        return self.fetcher_threads or self.walkers

    @field_validator("insee_url")
    @classmethod
    def _may_carry_the_key(cls, url: HttpUrl) -> HttpUrl:
        if not may_carry_secrets(str(url)):
            raise ValueError("sends the key in clear: use https")
        return url

    @field_validator("insee_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        if re.fullmatch(r"[\x21-\x7e]+", key.get_secret_value()) is None:
            raise ValueError("is no key: one word of letters, digits and signs of ASCII")
        return key
