"""An accepted text for the page that shows it, with where it comes from, as JSON-LD.

A CreativeWork about the establishment and never a Review: nobody's opinion is in it. Who wrote it
is said by IPTC's digital source type, which schema.org names too, and by the label in words.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

_SIRENE = {
    "@type": "Dataset",
    "name": "Base Sirene des entreprises et de leurs établissements",
    "creator": {"@type": "Organization", "name": "Insee"},
}


def json_ld(rows: Iterable[Mapping[str, Any]]) -> str:
    """An array for a <script> element: of rows as `read_avis` gives them, what may be published."""
    works = [_work(row) for row in rows if _may_be_shown(row)]
    # « </script> » is a name like any other.
    return json.dumps(works, ensure_ascii=False).replace("<", "\\u003c")


def _may_be_shown(row: Mapping[str, Any]) -> bool:
    """Without facts it is about somebody who must not be written about."""
    return row["outcome"] == "accepted" and row["text"] is not None and row["facts"] is not None


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
        "isBasedOn": _SIRENE,
    }
