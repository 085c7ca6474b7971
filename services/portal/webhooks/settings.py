from pydantic import Field

from shared.settings import DatabaseSettings, HttpSettings


class WebhookSettings(DatabaseSettings, HttpSettings):
    """The settings of whoever adds receivers of changes, or sends to them."""

    webhooks_private: bool = Field(
        default=False,
        description="let messages go to addresses that are not of the Internet, and by http",
    )
