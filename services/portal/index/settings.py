from pydantic import Field, SecretStr

from services.portal.settings import SearchSettings
from services.portal.webhooks.settings import WebhookSettings
from shared.settings import ServiceSettings


class IndexSettings(ServiceSettings, SearchSettings, WebhookSettings):
    # The changes of pages are rows.
    broker_url: SecretStr = SecretStr("memory://")
    index_interval_seconds: float = Field(
        default=1, gt=0, le=60, description="how often changes of pages are looked for"
    )
