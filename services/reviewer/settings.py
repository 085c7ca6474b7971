from pathlib import Path

from pydantic import Field

from shared.settings import HttpSettings, ServiceSettings
from shared.texts.settings import HoldSettings


class ReviewerSettings(ServiceSettings, HttpSettings, HoldSettings):
    reviewer_generators: int = Field(
        default=10, ge=1, le=500, description="texts that this process makes at the same time"
    )
    reviewer_high_water: int = Field(
        default=2000, ge=1, description="most avis published and unfinished, in all"
    )
    reviewer_lease_seconds: float = Field(
        default=120, gt=0, description="longer than a call and the store after it"
    )
    reviewer_stall_seconds: float = Field(
        default=900, gt=0, description="time until an avis that nobody claimed is sent again"
    )
    avis_sole_traders: bool = Field(
        default=False, description="write about sole traders too: personal data"
    )
    avis_providers_file: Path | None = Field(
        default=None, description="TOML file of the chat servers; without it templates write"
    )
    avis_outage_seconds: float = Field(
        default=600, ge=0, description="time without a chat server until templates write"
    )
    avis_publisher: str | None = Field(
        default=None, description="who publishes the texts, told in their JSON-LD"
    )
    avis_publisher_url: str | None = Field(default=None, description="the publisher's address")
    avis_licence_url: str = Field(
        default="https://www.etalab.gouv.fr/licence-ouverte-open-licence",
        description="address of the licence of the texts",
    )
