"""The provenance of an accepted text as JSON-LD, and the name beside it. Pure.

A text is a CreativeWork about its establishment, never a Review: it holds no opinion. The view
`avis_published` adds the text, the label and the date, so that nobody takes one without the others
(docs/adr/0029-provenance.md).
"""

from dataclasses import dataclass
from typing import Any

from services.reviewer.notices.label import day_in_france
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.synthese import quotation
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.rulings import Claim
from shared.avis import HUMAN_EDITED

LICENCE_OUVERTE = "https://www.etalab.gouv.fr/licence-ouverte-open-licence"

_SIRENE = {
    "@type": "Dataset",
    "name": "Base Sirene des entreprises et de leurs établissements",
    "url": "https://www.data.gouv.fr/datasets/"
    "base-sirene-des-entreprises-et-de-leurs-etablissements-siren-siret",
    "license": LICENCE_OUVERTE,
    "creator": {"@type": "Organization", "name": "Insee", "url": "https://www.insee.fr"},
}
_SCHEMA_ORG = frozenset(
    {"algorithmicMedia", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"}
)
"""IPTC's terms in use here that schema.org has, too."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """The publisher of the texts and their licence."""

    publisher: str | None = None
    publisher_url: str | None = None
    licence_url: str = LICENCE_OUVERTE

    @property
    def organization(self) -> dict[str, str] | None:
        if self.publisher is None:
            return None
        url = {} if self.publisher_url is None else {"url": self.publisher_url}
        return {"@type": "Organization", "name": self.publisher, **url}


NO_IMPRINT = Imprint()


def json_ld(claim: Claim, attempt: Attempt, imprint: Imprint, *, name: str) -> dict[str, Any]:
    """Return the JSON-LD of the attempt's text, but for the text, its label and its date.

    `name` is the name as it is shown.
    """
    facts = claim.facts
    siret = {"@type": "PropertyValue", "propertyID": "SIRET", "value": facts.siret}
    publisher = imprint.organization
    creator = publisher if attempt.model == HUMAN_EDITED else _software(attempt)
    quoted = [
        each for each in claim.sources or () if quotation(each.verbatim) in (attempt.text or "")
    ]
    # The words of a review are under its own licence.
    licence = imprint.licence_url if claim.sources is None else None
    optional = {"creator": creator, "publisher": publisher, "license": licence}
    return {
        "@context": "https://schema.org",
        "@type": "CreativeWork",
        "inLanguage": "fr",
        "digitalSourceType": _source_type(attempt.digital_source_type or ""),
        "about": {"@type": "Organization", "name": name, "identifier": siret},
        "isBasedOn": [
            {**_SIRENE, "dateModified": day_in_france(claim.fetched_at).isoformat()},
            *map(_review, quoted),
        ],
        **{name: value for name, value in optional.items() if value is not None},
    }


def _software(attempt: Attempt) -> dict[str, str]:
    return {
        "@type": "SoftwareApplication",
        "name": attempt.model,
        "softwareVersion": attempt.prompt_version,
        "applicationCategory": "text generation",
    }


def _source_type(term: str) -> str:
    if term in _SCHEMA_ORG:
        return f"https://schema.org/{term[:1].upper()}{term[1:]}DigitalSource"
    return f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"


def _review(source: Source) -> dict[str, Any]:
    """Return a review's provenance. It is no schema.org Review: that would be ours, with a note."""
    dates = {"datePublished": source.published_on, "dateModified": source.updated_on}
    return {
        "@type": "CreativeWork",
        "url": source.url,
        "identifier": source.review_id,
        "author": {"@type": "Person", "name": source.author_label},
        "publisher": {"@type": "Organization", "name": source.site},
        "license": source.licence,
        "temporalCoverage": source.experienced_on.isoformat(),
    } | {name: day.isoformat() for name, day in dates.items() if day is not None}
