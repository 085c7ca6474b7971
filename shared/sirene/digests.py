"""What a record says of an establishment and what of its unit, and the digests of both.

Whoever holds the decoded record can make the digests and send them along, so that what is stored
already needs no decoding where it is compared.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import orjson

from shared.sirene.identifiers import is_siret, siren_of
from shared.sirene.values import JsonObject, MappingError, json_object, text_of

MAPPING_VERSION: Final = "mapping-1"
"""Raise it when a record maps to other values: every stored hash then differs, and every row is
written again when INSEE next sends it."""

_DIGEST_BYTES: Final = 16
_HEX: Final = f"[0-9a-f]{{{2 * _DIGEST_BYTES}}}"
_LINE: Final = f"(?:[0-9]{{14}} {_HEX} {_HEX})?"
_LINES = re.compile(rf"{_LINE}(?:\n{_LINE})*")


class SplitRecord(NamedTuple):
    """A record's own siret, the record, and what it says of the unit."""

    siret: str
    etablissement: JsonObject
    unite: JsonObject


class Digests(NamedTuple):
    """Whose record it is, and what it says of the establishment and of the unit, in hex."""

    siret: str
    etablissement: str
    unite: str


def split_record(record: object) -> SplitRecord:
    """Tell apart what is compared and stored apart, whatever the values are.

    Raises MappingError with a bounded `code`.
    """
    block = json_object(record, "record")
    siret = _siret(block)
    unite = block.get("uniteLegale")
    if unite is None:
        raise MappingError("missing_unite_legale", "the record has no unit's block")
    return SplitRecord(siret, block, json_object(unite, "unite"))


def digests_of(split: SplitRecord) -> Digests:
    return _digested(split)[0]


def encoded(record: object) -> tuple[bytes, Digests | None]:
    """The record in JSON, on one line, and its digests; None where it cannot be split.

    It is read again as what it was, but for its score and the order of its keys; one too deep to
    be written loses what is deep, and fails alone for what it then lacks.
    """
    try:
        digests, own, unite = _digested(split_record(record))
    except MappingError:
        return _written(record), None
    return b'%b,"uniteLegale":%b}' % (own[:-1], unite), digests


def to_lines(digests: Iterable[Digests | None], *, of: str) -> str:
    """A line for each record of this text, empty without digests, after one about them all."""
    return "\n".join((_head(of), *(" ".join(one) if one else "" for one in digests)))


def from_lines(lines: str, *, of: str) -> Sequence[Digests | None]:
    """None of any record where they are not of this version, of this text, or well-formed."""
    head, _, rest = lines.partition("\n")
    if head != _head(of) or _LINES.fullmatch(rest) is None:
        return ()
    return [Digests._make(line.split(" ")) if line else None for line in rest.split("\n")]


def _head(records: str) -> str:
    """Of another text's digests it is told by the length alone: that is at hand, and enough."""
    return f"{MAPPING_VERSION} {len(records)}"


def content_hash(content: bytes) -> str:
    """Of what INSEE sent, and of how it is mapped: a row is written anew when either changes."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, person=_PERSON).hexdigest()


_PERSON: Final = MAPPING_VERSION.encode()


def _digested(split: SplitRecord) -> tuple[Digests, bytes, bytes]:
    """The digests and what they are of."""
    own = {**split.etablissement}
    del own["uniteLegale"]
    own.pop("score", None)  # how well the record answers the query
    of_own, of_unite = _canonical(own), _canonical(split.unite)
    return (
        Digests(split.siret, content_hash(of_own), content_hash(of_unite)),
        of_own,
        of_unite,
    )


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # what only a lenient reader lets in, or orjson reads and does not write
        pass
    try:
        return json.dumps(value).encode()
    except RecursionError:
        raise MappingError("too_deep", "the record is nested too deeply") from None


def _written(record: object) -> bytes:
    try:
        return _canonical(record)
    except MappingError:
        block = record if isinstance(record, dict) else {}
        flat = {key: value for key, value in block.items() if not isinstance(value, dict | list)}
        return _canonical(flat)


def _siret(block: JsonObject) -> str:
    siret, siren, nic = block.get("siret"), block.get("siren"), block.get("nic")
    if type(siret) is str and is_siret(siret) and siren == siret[:9] and nic == siret[9:]:
        return siret
    siret, siren, nic = (text_of(block, key) for key in ("siret", "siren", "nic"))
    if siret is None:
        raise MappingError("missing_siret", "the record has no siret")
    if not is_siret(siret):
        raise MappingError("bad_siret", "the siret is not fourteen digits")
    if siren not in {None, siren_of(siret)} or nic not in {None, siret[9:]}:
        raise MappingError("bad_siret", "siren and nic do not make the siret")
    return siret
