from dataclasses import replace

from pydantic import Field

from shared.http.egress import Egress, Redirects
from shared.settings import DatabaseSettings, HttpSettings, ServiceSettings


class StockFileSettings(HttpSettings):
    """The settings of a look at stock files."""

    stock_redirect_hosts: str = Field(
        default="data.gouv.fr,insee.fr",
        description="hosts, with those below, to which the address of a stock file may redirect",
    )

    @property
    def egress(self) -> Egress:
        names = [name for each in self.stock_redirect_hosts.split(",") if (name := each.strip())]
        return replace(super().egress, redirects=Redirects(names))


class PageSettings(DatabaseSettings):
    """The settings of what makes the pages of establishments."""

    avis_sole_traders: bool = Field(
        default=False, description="write about sole traders too: personal data"
    )


class StockSettings(PageSettings, StockFileSettings):
    """The settings of the command that loads stock files: it needs no broker."""


class WriterSettings(PageSettings, ServiceSettings):
    """The writer's settings, each an environment variable with the prefix SIRENADE_."""

    writer_threads: int = Field(
        default=2, ge=1, le=16, description="slices written at once, each on a connection"
    )
