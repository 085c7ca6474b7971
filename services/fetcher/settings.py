import math

from pydantic import Field, HttpUrl, SecretStr

from services.fetcher.plan.page_end import MAX_ROWS_PER_PAGE
from shared.settings import ServiceSettings


class FetcherSettings(ServiceSettings):
    """The fetcher's settings, each an environment variable with the prefix SIRENADE_."""

    insee_url: HttpUrl = HttpUrl("https://api.insee.fr/api-sirene/3.11")
    insee_key: SecretStr = Field(min_length=1, description="key of the INSEE portal")
    # The public plan; what INSEE's own headers say wins.
    insee_requests_per_minute: float = Field(default=30, ge=0.1, le=10_000)
    insee_requests_per_hour: float | None = Field(default=None, ge=1)
    insee_timeout_seconds: float = Field(default=30, ge=1, le=300)
    insee_rows_per_page: int = Field(default=MAX_ROWS_PER_PAGE, ge=1, le=MAX_ROWS_PER_PAGE)
    # Pages at work at once in this process; None: one for each walk.
    fetcher_threads: int | None = Field(default=None, ge=1, le=64)
    # Walks side by side, over all fetchers; None: as many as the quota can use.
    fetcher_parallel_batches: int | None = Field(default=None, ge=1, le=64)
    fetcher_slot_patience_seconds: float = Field(default=30, ge=1, le=300)
    # Slices that wait for the writer before the fetcher waits for it.
    fetcher_max_slices_ready: int = Field(default=100, ge=1, le=10_000)
    # How long written slices of a page may stand still before the page is fetched again.
    fetcher_stall_seconds: float = Field(default=60, ge=1, le=3600)
    # How often a delta that waits for INSEE's publication asks whether it is there.
    fetcher_delta_poll_seconds: float = Field(default=180, ge=1, le=3600)

    @property
    def walkers(self) -> int:
        """A walk fetches a page after the other: a slow INSEE's answer and our work take 1.5 s."""
        if self.fetcher_parallel_batches is not None:
            return self.fetcher_parallel_batches
        return min(16, max(4, math.ceil(self.insee_requests_per_minute / 40)))

    @property
    def threads(self) -> int:
        return self.fetcher_threads or self.walkers
