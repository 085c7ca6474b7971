"""One imported review, with the particulars that the law asks for.

Code de la consommation, L111-7-2, D111-17 and D111-18: whether and how reviews are checked, the
dates of publication, experience and update, the criteria of order, whether there is a counterpart,
the longest delays of publication and retention, whether the author can be reached and the review
changed, the grounds of a refusal, and the way to signal a doubt.
"""

import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.reviewer.french.disguises import is_of_another_script
from services.reviewer.french.labels import clean_name
from services.reviewer.reviews.signs import shows
from shared.days import FRANCE
from shared.sirene.identifiers import is_siret

LONGEST_VERBATIM = 10_000
_LEAST_WORDS, _LEAST_LETTERS = 3, 15
# A host with a name under a public suffix: no number, and none of an inner network.
_PUBLIC_HOST = re.compile(
    r"\.(?!(?:local|localhost|localdomain|internal|intranet|lan|home|corp|private|arpa|onion)\.?$)"
    r"(?:[^\W\d_]{2,}|xn--[a-z0-9-]+)\.?$"
)
# Encoded marks and ends of lines are marks where the address is decoded.
_NOT_OF_AN_ADDRESS = re.compile(
    r"[\s<>\"{}|\\^`«»]|%(?:0[0ad]|22|3[ce])|javascript:", re.IGNORECASE
)
_KEY = re.compile(
    r"(?:^|[&;?])(?:\w*(?:password|passwd|pwd|secret|token|api_?key|apikey|session(?:id)?|auth)\w*|sid"
    r"|key|sig|signature)=",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029]")


class Verification(StrEnum):
    """Say whether and how a site checks its reviews."""

    NONE = "none"
    # The author bought, or had an appointment, a stay, a table.
    PURCHASE = "purchase"
    # The author's identity was asked for.
    IDENTITY = "identity"
    # Somebody, or a program, read the text before it was published.
    CONTENT = "content"


def _siret(text: str) -> str:
    digits = "".join(text.split())
    if not is_siret(digits):
        raise ValueError("is not a siret: fourteen digits")
    return digits


def _line(text: str) -> str:
    cleaned = clean_name(text)
    if not cleaned:
        raise ValueError("is empty")
    if shows("markup", cleaned):
        raise ValueError("holds markup")
    return cleaned


def _name(text: str) -> str:
    """Refuse marks of quotation: a name between them would end or begin a customer's words."""
    if not {"«", "»", "“", "”", '"'}.isdisjoint(text):
        raise ValueError("holds marks of quotation")
    return text


def _title(text: str) -> str:
    if is_of_another_script(text):
        raise ValueError("holds letters that are not Latin ones")
    return text


def _sentence(text: str) -> str:
    """Refuse « x » and « oui »: a particular has to tell the reader something."""
    words = re.findall(r"[^\W\d_]+", _title(text))
    if len(words) < _LEAST_WORDS or sum(map(len, words)) < _LEAST_LETTERS:
        raise ValueError("says too little: at least three words and fifteen letters")
    return text


def _address(text: str) -> str:
    """Return an address that any reader can open, without a user's name or key."""
    address = text.strip()
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or parts.username is not None:
        raise ValueError("is no address of the web: https://…")
    if not _PUBLIC_HOST.search(host) or is_of_another_script(host):
        raise ValueError("is no address of the web that readers can open")
    if _NOT_OF_AN_ADDRESS.search(address):
        raise ValueError("holds characters that an address does not have")
    if _KEY.search(f"{parts.query}&{parts.fragment}"):
        raise ValueError("holds a password or key")
    return address


def _full_address(text: str) -> str:
    address = _address(text)
    parts = urlsplit(address)
    if not parts.path.strip("/") and not parts.query:
        raise ValueError("is the address of a site: the review's own is needed")
    return address


def _words(text: str) -> str:
    """Return the author's words as they are, but for ends of lines and space around them."""
    words = _LINE_ENDS.sub("\n", text).strip()
    if not any(unicodedata.category(character)[0] in "LN" for character in words):
        raise ValueError("is empty")
    if "\0" in words or any(unicodedata.category(character) == "Cs" for character in words):
        raise ValueError("holds characters that cannot be stored")
    return words


OneLine = Annotated[str, AfterValidator(_line)]
Name = Annotated[OneLine, AfterValidator(_name)]
Title = Annotated[Name, AfterValidator(_title)]
Sentence = Annotated[OneLine, AfterValidator(_sentence)]
Day = dt.date


class Terms(BaseModel):
    """The particulars of a site that are the same for its reviews of one kind.

    `verification_description` is None where nothing is checked, `modification` where a review
    cannot be changed, `refusal_grounds` where none is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: Title = Field(max_length=100)
    verification: Verification
    verification_description: Sentence | None = Field(max_length=300)
    counterpart: bool
    publication_days: int = Field(ge=0, le=3660)
    retention_days: int = Field(ge=1, le=36600)
    author_contact: bool
    modification: Sentence | None = Field(max_length=300)
    refusal_grounds: Sentence | None = Field(max_length=300)
    doubt_url: Annotated[str, AfterValidator(_address)] = Field(max_length=500)

    @model_validator(mode="after")
    def _told_how(self) -> Self:
        checked = self.verification is not Verification.NONE
        if checked != (self.verification_description is not None):
            raise ValueError(
                "verification_description is missing: how are reviews checked?"
                if checked
                else "verification_description describes a check, and verification is none"
            )
        return self


_TERMS = tuple(Terms.model_fields)


class Source(Terms):
    """A review; `verbatim` are the author's words, never altered. `review_id` is the site's own.

    `updated_on` is None for a review that was never updated.
    """

    siret: Annotated[str, AfterValidator(_siret)]
    review_id: OneLine = Field(max_length=200)
    url: Annotated[str, AfterValidator(_full_address)] = Field(max_length=500)
    licence: Title = Field(max_length=100)
    author_label: Name = Field(max_length=80)
    published_on: Day
    experienced_on: Day
    updated_on: Day | None
    verbatim: Annotated[str, AfterValidator(_words)] = Field(max_length=LONGEST_VERBATIM)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        today = dt.datetime.now(FRANCE).date()
        if self.published_on > today or self.last_changed_on > today:
            raise ValueError("published_on or updated_on lies in the future")
        if self.experienced_on > self.published_on:
            raise ValueError("experienced_on is later than published_on")
        if self.last_changed_on < self.published_on:
            raise ValueError("updated_on is earlier than published_on")
        if self.published_on + dt.timedelta(days=self.retention_days) < today:
            raise ValueError("published_on lies further back than retention_days")
        return self

    @property
    def last_changed_on(self) -> dt.date:
        return self.updated_on or self.published_on

    @property
    def digest(self) -> bytes:
        """Identify the review: the site's name and its own id."""
        told = f"{self.site}\0{self.review_id}"
        return hashlib.blake2b(told.encode(), digest_size=16).digest()

    @property
    def terms(self) -> Terms:
        return Terms.model_construct(**{name: getattr(self, name) for name in _TERMS})

    def columns(self) -> dict[str, Any]:
        """Return the values by column, without the key."""
        return self.model_dump()


def sources_hash(sources: Sequence[Source]) -> str:
    """Return a hash of all that is known of the reviews, in whatever order they were imported."""
    ordered = sorted(sources, key=lambda source: source.digest)
    told = json.dumps([source.columns() for source in ordered], default=str, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
