"""JSON-LD of an accepted text for the web page that shows it, with its origin.

It is a CreativeWork about the establishment, never a Review: it holds no opinion. Its author is
told by IPTC's digital source type, which schema.org names too, and by the label in words.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.reviewer.reviews.synthese import quotation
from shared.avis import WITH_TEXT

_SIRENE = {
    "@type": "Dataset",
    "name": "Base Sirene des entreprises et de leurs établissements",
    "creator": {"@type": "Organization", "name": "Insee"},
}


def json_ld(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a JSON array for a <script> element, with the rows that may be shown.

    `rows` are those of `read_avis`.
    """
    works = [_work(row) for row in rows if _may_be_shown(row)]
    # An establishment may be named « </script> ».
    return json.dumps(works, ensure_ascii=False).replace("<", "\\u003c")


def _may_be_shown(row: Mapping[str, Any]) -> bool:
    """Return whether the row may be shown: without facts, nobody may write about the unit.

    An accepted text stays, with its date, until its successor is accepted. A held one is not shown.
    """
    told = row["text"] is not None and row["held_because"] is None
    return told and row["outcome"] in WITH_TEXT and row["facts"] is not None


def _work(row: Mapping[str, Any]) -> dict[str, Any]:
    source: str = row["digital_source_type"]
    siret = {"@type": "PropertyValue", "propertyID": "SIRET", "value": row["facts"]["siret"]}
    return {
        "@context": "https://schema.org",
        "@type": "CreativeWork",
        "inLanguage": "fr",
        "text": row["text"],
        "creditText": row["label"],
        "dateCreated": row["accepted_at"].isoformat(),
        "digitalSourceType": f"https://schema.org/{source[0].upper()}{source[1:]}DigitalSource",
        "about": {"@type": "Organization", "name": row["facts"]["nom"], "identifier": siret},
        "isBasedOn": _origins(row),
    }


def _origins(row: Mapping[str, Any]) -> Any:
    """Return what the text is based on: the register, and each review that a synthese quotes."""
    quoted = [each for each in row["sources"] if quotation(each["verbatim"]) in row["text"]]
    return [_SIRENE, *map(_review, quoted)] if row["kind"] == "synthese" else _SIRENE


def _review(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a review's provenance. It is no schema.org Review: that would be ours, with a note."""
    dates = {"datePublished": source["published_on"], "dateModified": source["updated_on"]}
    return {
        "@type": "CreativeWork",
        "url": source["url"],
        "identifier": source["review_id"],
        "author": {"@type": "Person", "name": source["author_label"]},
        "publisher": {"@type": "Organization", "name": source["site"]},
        "license": source["licence"],
        "temporalCoverage": source["experienced_on"].isoformat(),
    } | {name: day.isoformat() for name, day in dates.items() if day is not None}
