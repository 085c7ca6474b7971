"""One imported review, with the particulars that the law asks for.

Code de la consommation, D111-16 to D111-18: each review is shown with the dates of publication and
of the experience, and with whether and how it was verified.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from services.reviewer.french.labels import clean_name
from shared.days import FRANCE
from shared.sirene.identifiers import is_siret

_LONGEST_VERBATIM = 2000


def _siret(text: str) -> str:
    digits = "".join(text.split())
    if not is_siret(digits):
        raise ValueError("is not a siret: fourteen digits")
    return digits


def _line(text: str) -> str:
    cleaned = clean_name(text)
    if not cleaned:
        raise ValueError("is empty")
    return cleaned


OneLine = Annotated[str, AfterValidator(_line)]


class Source(BaseModel):
    """`verbatim` is the author's text on one line, without control characters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    siret: Annotated[str, AfterValidator(_siret)]
    url: HttpUrl = Field(max_length=500)
    licence: OneLine = Field(max_length=100)
    author_label: OneLine = Field(max_length=80)
    published_on: dt.date
    experienced_on: dt.date | None = None
    verification: OneLine = Field(max_length=200)
    verbatim: OneLine = Field(max_length=_LONGEST_VERBATIM)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.published_on > dt.datetime.now(FRANCE).date():
            raise ValueError("published_on lies in the future")
        if self.experienced_on is not None and self.experienced_on > self.published_on:
            raise ValueError("experienced_on is later than published_on")
        return self

    @property
    def digest(self) -> bytes:
        """Identify the review; licence, experience and verification may change."""
        told = (self.siret, str(self.url), self.author_label, str(self.published_on), self.verbatim)
        return hashlib.blake2b("\0".join(told).encode(), digest_size=16).digest()


def sources_hash(sources: Sequence[Source]) -> str:
    """Return a hash of the reviews themselves, in whatever order they were imported."""
    digests = sorted(source.digest for source in sources)
    return hashlib.sha256(b"".join(digests)).hexdigest()
