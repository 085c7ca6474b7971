"""The document of an entry, and the index that it stands in. Pure.

Words are ours, so that Elasticsearch analyses nothing; it stores no name as it is written.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from shared.search.entries import SearchEntry, is_word

Document = Mapping[str, Any]

_WORDS = {"type": "keyword", "norms": False, "doc_values": False}
INDEX: Mapping[str, Any] = {
    "settings": {"index": {"number_of_shards": 1}},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            "id": {"type": "long"},
            "names": _WORDS,
            "place": _WORDS,
            "filters": _WORDS,
            "words": {"type": "integer"},
            "rank": {"type": "integer"},
            "x": {"type": "integer"},
            "y": {"type": "integer"},
            "digest": {"type": "keyword"},
        },
    },
}


def document_of(entry: SearchEntry) -> Document:
    """Return the document; two entries that are found alike have one digest."""
    names, place = entry.words()
    filters = sorted(lexeme for lexeme in entry.lexemes() if not is_word(lexeme))
    found = {
        "id": entry.pro_localisation_id,
        "names": names,
        "place": place,
        "filters": filters,
        "words": len(names),
        "rank": entry.rank,
        "x": entry.x,
        "y": entry.y,
    }
    digest = hashlib.blake2b(repr(found).encode(), digest_size=12)
    return found | {"digest": digest.hexdigest()}
