from pydantic import Field

from shared.settings import LogSettings


class HoldSettings(LogSettings):
    """The rules that say which texts wait for a person; the console shows them."""

    avis_hold_fallback_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="share of the texts written in place of a model that a person looks at first",
    )
    avis_hold_first_texts: int = Field(
        default=50,
        ge=0,
        description="texts of a model's new prompt version that a person looks at first",
    )
    avis_hold_syntheses: bool = Field(
        default=True,
        description="whether an editor reads each quoted review before a synthese is served",
    )
